package jacquard.bench.harness;

import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// What this machine gives at most, on as many threads as the kernels have: a call moves or computes `amount` bytes or floating-point operations.
public record Ceiling(Lane lane, double amount) {
  private static final int BITS = Simd.LANES * 32;
  private static final VectorSpecies<Float> F = Simd.F;
  private static final int TURNS = 40_000, CHAINS = 10;
  private static final float[] SINK = new float[64 * 16];

  public static int bits() { return BITS; }

  /// Multiply-adds in registers: ten chains, more than latency times units, and few enough for sixteen registers.
  public static Ceiling fma() {
    int threads = Parallel.threads();
    return new Ceiling(Lane.of(() -> Parallel.run(threads, i -> chains(i * 16))), 2.0 * TURNS * CHAINS * F.length() * threads);
  }

  /// Every element of arrays eight times as large as any cache read and written in place: no line is fetched only to be overwritten.
  public static Ceiling bandwidth() {
    int n = 64 << 20, grain = 1 << 16;
    float[] a = new float[n];
    return new Ceiling(Lane.of(() -> Parallel.rows(n, grain, (from, to) -> scale(a, from, to))), 8.0 * n);
  }

  private static void scale(float[] a, int from, int to) { for (int i = from; i < to; i++) a[i] *= 1.0000001f; }

  private static void chains(int at) {
    FloatVector x = FloatVector.broadcast(F, 0.999f), y = FloatVector.broadcast(F, 1e-3f), a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y;
    for (int t = 0; t < TURNS; t++) {
      a = a.fma(x, y); b = b.fma(x, y); c = c.fma(x, y); d = d.fma(x, y); e = e.fma(x, y);
      f = f.fma(x, y); g = g.fma(x, y); h = h.fma(x, y); i = i.fma(x, y); j = j.fma(x, y);
    }
    SINK[at] = a.add(b).add(c).add(d).add(e).add(f).add(g).add(h).add(i).add(j).lane(0);
  }
}
