package jacquard.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.kernels.cuda.launch.CudaMatMul;
import jacquard.kernels.cuda.launch.CudaMatMul.Epilogue;
import jacquard.kernels.cuda.launch.CudaMatMul.Factor;
import jacquard.tensor.DType;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Every matrix kernel, tile and epilogue against sums in double.
class CudaMatMulTest {
  @BeforeAll static void there() { Raw.needed(); }

  /// @param m,n,k  extents; odd ones take the path without 16-byte copies
  private record Case(DType type, int m, int n, int k, boolean ta, boolean tb, int tile, int splits) {}

  @TestFactory Stream<DynamicTest> products() {
    var cases = new ArrayList<Case>();
    for (boolean ta : new boolean[] {false, true}) for (boolean tb : new boolean[] {false, true}) {
      cases.add(new Case(DType.BF16, 136, 200, 72, ta, tb, 128, 1));
      cases.add(new Case(DType.BF16, 72, 88, 136, ta, tb, 64, 1));
      cases.add(new Case(DType.BF16, 65, 67, 77, ta, tb, 64, 1));
      cases.add(new Case(DType.BF16, 13, 24, 1000, ta, tb, 64, 5));
      cases.add(new Case(DType.F32, 130, 131, 37, ta, tb, 128, 1));
      cases.add(new Case(DType.F32, 33, 65, 130, ta, tb, 32, 3));
    }
    return cases.stream().map(c -> DynamicTest.dynamicTest(c.toString(), () -> plain(c)));
  }

  private static float[] values(DType type, int n, long seed) {
    var r = Random.of(seed);
    float[] v = new float[n];
    for (int i = 0; i < n; i++) {
      v[i] = (float) (2 * r.uniform(i) - 1);
      if (type == DType.BF16) v[i] = DType.fromBf16(DType.toBf16(v[i]));
    }
    return v;
  }

  private static Tensor tensor(Raw raw, DType type, float[] v, int... dims) {
    return type == DType.BF16 ? raw.bf16(Shape.of(dims), v) : Tensor.of(Shape.of(dims), v);
  }

  private static void plain(Case c) {
    float[] a = values(c.type, c.m * c.k, 1), b = values(c.type, c.k * c.n, 2);
    try (var raw = new Raw(4); var _ = Scope.open(raw.device)) {
      Tensor x = tensor(raw, c.type, a, a.length), y = tensor(raw, c.type, b, b.length), z =
          Tensor.full(Shape.of(c.m, c.n), Float.NaN);
      raw.device.guarded(() -> {
        CudaMatMul.product(raw.device, c.type, c.m, c.n, c.k, new Factor(CudaDevice.address(x), c.ta ? c.m : c.k, c.ta),
            new Factor(CudaDevice.address(y), c.tb ? c.k : c.n, c.tb),
            CudaDevice.address(z), new Epilogue(0, Activation.NONE, 0, 0, 0, c.type == DType.BF16), c.tile, c.splits);
        return null;
      });
      float[] found = z.floats();
      for (int i = 0; i < c.m; i++)
        for (int j = 0; j < c.n; j++) {
          double sum = 0, size = 0;
          for (int k = 0; k < c.k; k++) {
            double p = (double) a[c.ta ? k * c.m + i : i * c.k + k] * b[c.tb ? j * c.k + k : k * c.n + j];
            sum += p;
            size += Math.abs(p);
          }
          // k additions and products, each rounded once
          double allowed = (c.k + 1) * 0x1p-24 * size;
          assertTrue(Math.abs(found[i * c.n + j] - sum) <= allowed,
              "[%d, %d]: %s, expected %s ± %s".formatted(i, j, found[i * c.n + j], sum, allowed));
        }
    }
  }

  /// c = f(a·b + bias → z) + β·c + residual, whole and in splits, in BF16 and in FP32 results.
  @Test void epilogues() {
    int m = 20, n = 36, k = 70;
    for (boolean wide : new boolean[] {false, true})
      for (int splits : new int[] {1, 3})
        for (var f : Activation.values())
          try (var raw = new Raw(4); var _ = Scope.open(raw.device)) {
            float[] a = values(DType.BF16, m * k, 1), b = values(DType.BF16, k * n, 2), bias = values(DType.BF16, n, 3),
                c = values(DType.BF16, m * n, 4), residual = values(DType.BF16, m * n, 5);
            var out = wide ? DType.F32 : DType.BF16;
            Tensor x = raw.bf16(Shape.of(m, k), a), y = raw.bf16(Shape.of(k, n), b), w = raw.bf16(Shape.of(n), bias),
                r = tensor(raw, out, residual, m, n), t = tensor(raw, out, c, m, n), z =
                Tensor.empty(new Type(out, Shape.of(m, n)));
            raw.device.guarded(() -> {
              CudaMatMul.product(raw.device, DType.BF16, m, n, k, new Factor(CudaDevice.address(x), k, false),
                  new Factor(CudaDevice.address(y), n, false), CudaDevice.address(t),
                  new Epilogue(CudaDevice.address(w), f, CudaDevice.address(z), CudaDevice.address(r), 0.5f, wide), 64,
                  splits);
              return null;
            });
            float[] pre = z.floats(), found = t.floats();
            double rounding = wide ? 0x1p-24 : 0x1p-8;
            for (int i = 0; i < m; i++)
              for (int j = 0; j < n; j++) {
                double sum = bias[j], size = Math.abs(sum);
                for (int q = 0; q < k; q++) {
                  double p = (double) a[i * k + q] * b[q * n + j];
                  sum += p;
                  size += Math.abs(p);
                }
                int at = i * n + j;
                double error = (k + 2) * 0x1p-24 * size, all = activate(f, sum) + 0.5 * c[at] + residual[at];
                assertTrue(Math.abs(pre[at] - sum) <= error + rounding * Math.abs(sum), f + " pre-activation");
                // A slope is at most 1.13; an activation's own arithmetic adds some 16 roundings of a value
                // below |sum| + 1, the two additions one each of at most 3 + |sum|.
                assertTrue(Math.abs(found[at] - all) <= 1.13 * error + 20 * 0x1p-24 * (3 + Math.abs(sum))
                    + rounding * Math.abs(all), f + " " + found[at] + " for " + all);
              }
          }
  }

  private static double activate(Activation f, double x) {
    return switch (f) {
      case NONE -> x;
      case RELU -> Math.max(x, 0);
      case GELU -> x * normal(x);
      case GELU_TANH -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
      case SILU -> x / (1 + Math.exp(-x));
    };
  }

  /// Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/(3·5) + …); Marsaglia 2004
  private static double normal(double x) {
    if (Math.abs(x) > 12) return x > 0 ? 1 : 0;
    double sum = x, term = x;
    for (int i = 3; Math.abs(term) > 1e-18 * Math.abs(sum); i += 2) sum += term *= x * x / i;
    return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  /// Splitting depends on the shape alone: the same bits again, in any order of threads.
  @Test void sameBits() {
    if (!jacquard.kernels.cuda.driver.Emulation.on()) return;
    float[][] seen = new float[3][];
    for (var order : jacquard.kernels.cuda.driver.Emulation.Order.values())
      try (var raw = new Raw(4); var _ = Scope.open(raw.device)) {
        jacquard.kernels.cuda.driver.Emulation.order(order);
        Tensor a = raw.bf16(Shape.of(2000, 24), values(DType.BF16, 48000, 1)), b =
            raw.bf16(Shape.of(2000, 16), values(DType.BF16, 32000, 2));
        seen[order.ordinal()] = a.matmul(true, b, false).floats();
      }
    assertArrayEquals(seen[0], seen[1]);
    assertArrayEquals(seen[0], seen[2]);
  }
}
