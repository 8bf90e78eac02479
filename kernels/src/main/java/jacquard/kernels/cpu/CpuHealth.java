package jacquard.kernels.cpu;

import jacquard.tensor.Device;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import jdk.incubator.vector.FloatVector;

/// What the CPU's vector units reach: a roof for every kernel.
///
/// Peak: twelve independent accumulators of fma in registers, more than two units × four cycles of latency, and with
/// two operands as many registers as AVX2 has to spare. Its flops are 2·lanes·12 a turn. Bandwidth: a ← b + k·c over
/// arrays far larger than any cache, 12 bytes an element.
final class CpuHealth {
  private static final int TURNS = 200_000;
  private static final int WARMING = 1000;
  private static final int ACCUMULATORS = 12;
  private static final int ELEMENTS = 1 << 24;
  private static final long NANOS = 250_000_000L, COMPILED = 1_000_000_000L;

  private CpuHealth() {}

  static Device.Health measured() {
    int threads = Parallel.threads();
    for (long until = System.nanoTime() + COMPILED; System.nanoTime() < until; ) spin(WARMING);
    double one = peak(1), all = threads == 1 ? one : peak(threads), bytes = bandwidth();
    var facts = new LinkedHashMap<String, String>();
    facts.put("vectors", Simd.F.vectorBitSize() + " bits, " + Simd.LANES + " floats");
    facts.put("threads", Integer.toString(threads));
    facts.put("multiply-add", "%.0f GFLOP/s on one thread, %.0f on %d".formatted(one, all, threads));
    facts.put("memory", "%.1f GB/s".formatted(bytes));
    var warnings = new ArrayList<String>();
    int preferred = FloatVector.SPECIES_PREFERRED.vectorBitSize();
    if (Simd.F.vectorBitSize() < preferred)
      warnings.add("vectors of " + Simd.F.vectorBitSize() + " bits where this machine has " + preferred
          + ": leave out -Djacquard.simd.bits");
    if (preferred < 128) warnings.add("the JVM knows no vectors on this CPU: kernels run one float at a time");
    int cores = Runtime.getRuntime().availableProcessors();
    if (threads < cores) warnings.add(threads + " threads on " + cores + " cores: leave out -Djacquard.threads");
    // One fma a cycle of 1 GHz is less than any CPU of this century reaches with compiled vector code.
    if (one < 2.0 * Simd.LANES)
      warnings.add(("%.1f GFLOP/s of multiply-adds on one thread, expected more than %d: the vector code is not "
          + "compiled (-Xint, C1 alone, or another JVM than HotSpot with C2)").formatted(one, 2 * Simd.LANES));
    if (threads > 1 && all < 0.7 * threads * one)
      warnings.add(("%d threads reach %.1f times one thread: other processes use the cores, or they are the two halves "
          + "of one").formatted(threads, all / one));
    return new Device.Health(facts, all, List.copyOf(warnings));
  }

  /// GFLOP/s of so many threads at once: the best of several tries.
  private static double peak(int threads) {
    double best = 0;
    for (long until = System.nanoTime() + NANOS; System.nanoTime() < until || best == 0; ) {
      long start = System.nanoTime();
      Parallel.run(threads, _ -> spin(TURNS));
      best = Math.max(best, 2.0 * Simd.LANES * ACCUMULATORS * TURNS * threads / (System.nanoTime() - start));
    }
    return best;
  }

  private static volatile float sink;

  private static void spin(int turns) {
    FloatVector m = FloatVector.broadcast(Simd.F, 0.999f);
    FloatVector k = FloatVector.broadcast(Simd.F, 1e-3f);
    FloatVector a = k;
    FloatVector b = k;
    FloatVector c = k;
    FloatVector d = k;
    FloatVector e = k;
    FloatVector f = k;
    FloatVector g = k;
    FloatVector h = k;
    FloatVector i = k;
    FloatVector j = k;
    FloatVector l = k;
    FloatVector n = k;
    for (int t = 0; t < turns; t++) {
      a = a.fma(m, k);
      b = b.fma(m, k);
      c = c.fma(m, k);
      d = d.fma(m, k);
      e = e.fma(m, k);
      f = f.fma(m, k);
      g = g.fma(m, k);
      h = h.fma(m, k);
      i = i.fma(m, k);
      j = j.fma(m, k);
      l = l.fma(m, k);
      n = n.fma(m, k);
    }
    sink = a.add(b).add(c.add(d)).add(e.add(f).add(g.add(h))).add(i.add(j).add(l.add(n))).lane(0);
  }

  private static double bandwidth() {
    float[] a = new float[ELEMENTS], b = new float[ELEMENTS], c = new float[ELEMENTS];
    double best = 0;
    for (long until = System.nanoTime() + NANOS; System.nanoTime() < until || best == 0; ) {
      long start = System.nanoTime();
      Parallel.rows(ELEMENTS, ELEMENTS / 16, (from, to) ->
          { for (int i = from; i < to; i++) a[i] = Math.fma(0.5f, c[i], b[i]); });
      best = Math.max(best, 12.0 * ELEMENTS / (System.nanoTime() - start));
    }
    return best;
  }
}
