package jacquard.bench.harness;

import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// What this machine gives at most, on as many threads as the kernels have: a call moves or computes `amount` bytes or
/// floating-point operations.
public record Ceiling(Lane lane, double amount) {
  private static final int BITS = Simd.LANES * 32;
  private static final VectorSpecies<Float> F = Simd.F;
  private static final int TURNS = 40_000, CHAINS = 10, GRAIN = 1 << 16;
  private static final float[] SINK = new float[64 * 16];

  public static int bits() { return BITS; }

  /// Multiply-adds in registers: ten chains, more than latency times units, and few enough for sixteen registers.
  public static Ceiling fma() {
    int threads = Parallel.threads();
    return new Ceiling(Lane.of(() -> Parallel.run(threads, i -> chains(i * 16))),
        2.0 * TURNS * CHAINS * F.length() * threads);
  }

  /// Memory read and written in place, as by an optimiser: no line is fetched only to be overwritten.
  public static Ceiling inPlace() {
    float[] a = large();
    return new Ceiling(Lane.of(() -> Parallel.rows(a.length, GRAIN, (from, to) -> scale(a, from, to))), 8.0 * a.length);
  }

  /// One array read and another written, as by an op: a line that is written is fetched first, which is not counted.
  public static Ceiling copy() {
    float[] a = large(), b = large();
    return new Ceiling(Lane.of(() ->
        Parallel.rows(a.length, GRAIN, (from, to) -> System.arraycopy(a, from, b, from, to - from))), 8.0 * a.length);
  }

  /// 256 MB, eight times the largest cache that we met, and not zeros: an array of zeros looked a fifth faster.
  private static float[] large() {
    float[] a = new float[64 << 20];
    for (int i = 0; i < a.length; i++) a[i] = 1 + (i * 0x9E3779B9 >>> 9) * 0x1p-23f;
    return a;
  }

  private static void scale(float[] a, int from, int to) { for (int i = from; i < to; i++) a[i] *= 1.0000001f; }

  private static void chains(int at) {
    FloatVector x = FloatVector.broadcast(F, 0.999f), y = FloatVector.broadcast(F, 1e-3f), a = y, b = y, c = y, d =
        y, e = y, f = y, g = y, h = y, i = y, j = y;
    for (int t = 0; t < TURNS; t++) {
      a = a.fma(x, y); b = b.fma(x, y); c = c.fma(x, y); d = d.fma(x, y); e = e.fma(x, y);
      f = f.fma(x, y); g = g.fma(x, y); h = h.fma(x, y); i = i.fma(x, y); j = j.fma(x, y);
    }
    SINK[at] = a.add(b).add(c).add(d).add(e).add(f).add(g).add(h).add(i).add(j).lane(0);
  }
}
