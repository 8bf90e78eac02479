package jacquard.tests.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Storage;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import jacquard.tests.Draw;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/// Tensors whose elements lie elsewhere until they are used.
class SourceTest {
  private static final int N = 77, K = 613;
  private final AtomicLong copied = new AtomicLong(), closed = new AtomicLong();

  private Storage.Source source(float[] values) {
    return new Storage.Source() {
      @Override public void copy(long from, Object array, int at, int n) {
        copied.addAndGet(n);
        System.arraycopy(values, (int) from, array, at, n);
      }
      @Override public void close() { closed.incrementAndGet(); }
    };
  }

  @Test void fetchesOnceWhenUsed() {
    var device = Device.best();
    var before = device.live();
    try (var _ = Scope.open(device)) {
      float[] values = {1, 2, 3, 4, 5, 6};
      var t = Tensor.of(Type.f32(2, 3), source(values));
      var unused = Tensor.of(Type.f32(2, 3), source(values));
      assertEquals(before, device.live());
      assertEquals(21, t.sum().item());
      assertArrayEquals(values, t.floats());
      assertEquals(6, copied.get());
      assertEquals(1, closed.get());
      assertFalse(t.storage().elsewhere(_ -> {}));
      assertTrue(unused.storage().elsewhere(_ -> {}));
    }
    assertEquals(2, closed.get());
    assertEquals(before, device.live());
  }

  /// All of W, slices of its rows, one row of x and several, a depth of more than one slab: the bits of a weight in
  /// memory. The first use of a part reads it where it lies and keeps nothing, the second keeps it packed, the third
  /// reads nothing.
  @Test void linearLayersTakeWeightsWhereTheyLie() {
    try (var _ = Scope.open(Device.best())) {
      var inMemory = Draw.uniform(1, Shape.of(N, K), -1, 1);
      var bias = Draw.uniform(3, Shape.of(N), -1, 1);
      for (int rows : new int[] {1, 13, 130}) {
        var elsewhere = Tensor.of(new Type(DType.F32, Shape.of(N, K)), source(inMemory.floats()));
        var x = Draw.uniform(2, Shape.of(rows, K), -1, 1);
        for (int from : new int[] {0, 1, 40})
          for (long reads : new long[] {1, 1, 0}) {
            copied.set(0);
            var b = bias.slice(0, from, N);
            assertArrayEquals(x.linear(inMemory.slice(0, from, N), b, Activation.GELU).floats(),
                x.linear(elsewhere.slice(0, from, N), b, Activation.GELU).floats());
            if (Device.best().name().equals("cpu")) assertEquals(reads * (N - from) * K, copied.get());
          }
        assertArrayEquals(x.linear(inMemory, null, Activation.NONE).floats(), x.linear(elsewhere, null, Activation.NONE)
            .floats());
        assertArrayEquals(inMemory.floats(), elsewhere.floats());
      }
    }
  }
}
