package jacquard.tests.cuda.emulation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import jacquard.tensor.DType;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tests.cuda.Raw;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// The PTX wrappers of `tile.cuh`, or their twins: products of small integers, exact in BF16 and FP32, so that one
/// wrong index shows.
class TileTest {
  private static float[] integers(int n, int seed) {
    float[] r = new float[n];
    for (int i = 0; i < n; i++) r[i] = (i * 7 + seed) % 13 - 6;
    return r;
  }

  /// a [16,16] (or its transpose)·b [16,n] (or its transpose) by the tile kernel.
  private static float[] tile(float[] a, float[] b, int n, int which) {
    try (var raw = new Raw(5); var _ = Scope.open(raw.device)) {
      Tensor x = raw.bf16(Shape.of(16, 16), a), y = raw.bf16(Shape.of(16, n), b), c = Tensor.full(Shape.of(16, n), 0);
      raw.device.guarded(() -> {
        raw.device.call("tile_multiply").pointer(x).pointer(y).pointer(c).i32(which).blocks(1, 1, 1, 2 * 16 * 24 * 2);
        return null;
      });
      return c.floats();
    }
  }

  private static float[] product(float[] a, float[] b, int n, boolean ta, boolean tb) {
    float[] c = new float[16 * n];
    for (int i = 0; i < 16; i++)
      for (int j = 0; j < n; j++)
        for (int k = 0; k < 16; k++) c[i * n + j] += a[ta ? k * 16 + i : i * 16 + k] * b[tb ? j * 16 + k : k * n + j];
    return c;
  }

  @Test void fragments() {
    float[] a = integers(256, 1), narrow = integers(128, 5), wide = integers(256, 3);
    assertArrayEquals(product(a, narrow, 8, false, false), tile(a, narrow, 8, 0), "A, B as stored");
    assertArrayEquals(product(a, narrow, 8, true, false), tile(a, narrow, 8, 2), "A transposed");
    assertArrayEquals(product(a, wide, 16, false, true), tile(a, wide, 16, 3), "B transposed");
    assertArrayEquals(product(a, wide, 16, false, false), tile(a, wide, 16, 4), "two tiles of B at once");
  }

  /// The seeded fault: two fragments of A exchanged.
  @Test void aWrongFragmentIndexShows() {
    float[] a = integers(256, 1), b = integers(128, 5);
    assertFalse(Arrays.equals(product(a, b, 8, false, false), tile(a, b, 8, 1)));
  }

  @Test void scalars() {
    float[] x = {0, 1, -1, 1.00390625f, 1.01171875f, -3.14159f, 65504, 1e-6f, 3e38f, -0.1f, 5.5f, -7.25f};
    try (var raw = new Raw(5); var _ = Scope.open(raw.device)) {
      int n = x.length;
      Tensor in = Tensor.of(Shape.of(n), x), out = Tensor.full(Shape.of(4 * n), 0);
      raw.device.guarded(() -> {
        raw.device.call("tile_scalars").pointer(in).pointer(out).i32(n).blocks(1, 1, 1, 0);
        return null;
      });
      float[] y = out.floats();
      for (int i = 0; i < n; i++) {
        assertEquals(DType.fromBf16(DType.toBf16(x[i])), y[i], "pack_bf16 of " + x[i]);
        // 2 ulp, and the flush of subnormals
        if (Math.abs(x[i]) < 100)
          assertEquals(Math.pow(2, x[i]), y[n + i], Math.pow(2, x[i]) * 4 * 0x1p-23, "2^" + x[i]);
        assertEquals(DType.fromBf16(DType.toBf16(x[i])), y[2 * n + i], "bf16 of " + x[i]);
        assertEquals(Float.float16ToFloat(Float.floatToFloat16(x[i])), y[3 * n + i], "f16 of " + x[i]);
      }
    }
  }
}
