package jacquard.kernels.cpu.convolution;

import static jacquard.kernels.cpu.Simd.F;
import static jacquard.kernels.cpu.Simd.LANES;
import static jacquard.kernels.cpu.matmul.CpuMatMul.ALIGNED;
import static jdk.incubator.vector.FloatVector.fromArray;

import jacquard.kernels.cpu.Dense;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// The loops of depthwise convolutions over a row of outputs of one block of channels: some taps at a time, whose
/// weights stay in registers; those of weight gradients are [DepthwiseProducts]. Tap t reads `p[base + at[t] …]`, a
/// block an output, and has the weights `w[wo + weight[t] …]`. In what order taps are added does not depend on how many
/// go together.
final class DepthwiseTaps {
  /// Channels that lie together: a cache line.
  static final int BLOCK = 16;
  /// Outputs at a time where their taps read neighbours: with seven weights they fit 16 registers.
  private static final int FEW = 4;
  /// The same of three taps.
  static final int SEVEN = 7;

  private DepthwiseTaps() {}

  /// W [channels·planes, taps] as [block][plane][tap][BLOCK].
  static float[] panels(Dense w, int planes) {
    int channels = w.dim(0) / planes, taps = w.dim(1) * w.dim(2);
    float[] p = new float[Math.ceilDiv(channels, BLOCK) * planes * taps * BLOCK];
    for (int c = 0; c < channels; c++)
      for (int plane = 0; plane < planes; plane++)
        for (int t = 0; t < taps; t++)
          p[((c / BLOCK * planes + plane) * taps + t) * BLOCK + c % BLOCK] =
              w.a()[w.at() + (c * planes + plane) * taps + t];
    return p;
  }

  /// What sums begin with.
  static void begin(float[] sums, int count, Dense bias, int c, int n) {
    if (bias == null) Arrays.fill(sums, ALIGNED, ALIGNED + count, 0);
    else for (int i = 0; i < count; i += BLOCK) System.arraycopy(bias.a(), bias.at() + c, sums, ALIGNED + i, n);
  }

  /// sums[i] += Σ over the taps of p[base + at + i]·w, as many taps at a time as registers hold weights.
  static void sum(float[] p, int base, int[] at, float[] w, int wo, int[] weight, float[] sums, int count) {
    int t = 0, n = at.length;
    for (; n - t >= 9 && (n - t) % 7 != 0; t += 9) nine(p, base, at, t, w, wo, weight, sums, count);
    for (; n - t >= 7; t += 7) {
      int done = row(at, t, 7) ? sevenInARow(p, base + at[t], w, wo, weight, t, sums, count) : 0;
      if (done < count) seven(p, base, at, t, w, wo, weight, sums, done, count);
    }
    for (; n - t >= 3; t += 3) three(p, base, at, t, w, wo, weight, sums, count);
    for (; t < n; t++) one(p, base + at[t], w, wo + weight[t], sums, count);
  }

  /// Whether `n` taps from `t` on read neighbours.
  static boolean row(int[] at, int t, int n) {
    for (int i = 1; i < n; i++) if (at[t + i] != at[t] + i * BLOCK) return false;
    return true;
  }

  private static void nine(float[] p, int base, int[] at, int t, float[] w, int wo, int[] weight, float[] sums,
      int count) {
    for (int v = 0; v < BLOCK; v += LANES) {
      FloatVector w0 = fromArray(F, w, wo + weight[t] + v), w1 = fromArray(F, w, wo + weight[t + 1] + v), w2 =
          fromArray(F, w, wo + weight[t + 2] + v), w3 = fromArray(F, w, wo + weight[t + 3] + v),
          w4 = fromArray(F, w, wo + weight[t + 4] + v), w5 = fromArray(F, w, wo + weight[t + 5] + v), w6 =
          fromArray(F, w, wo + weight[t + 6] + v), w7 = fromArray(F, w, wo + weight[t + 7] + v),
          w8 = fromArray(F, w, wo + weight[t + 8] + v);
      int d = ALIGNED + v, b = base + v, a0 = b + at[t], a1 = b + at[t + 1], a2 = b + at[t + 2], a3 = b + at[t + 3],
          a4 = b + at[t + 4], a5 = b + at[t + 5], a6 = b + at[t + 6], a7 = b + at[t + 7], a8 = b + at[t + 8];
      for (int i = 0; i < count; i += BLOCK) {
        var s = fromArray(F, sums, d + i);
        s = fromArray(F, p, a0 + i).fma(w0, s);
        s = fromArray(F, p, a1 + i).fma(w1, s);
        s = fromArray(F, p, a2 + i).fma(w2, s);
        s = fromArray(F, p, a3 + i).fma(w3, s);
        s = fromArray(F, p, a4 + i).fma(w4, s);
        s = fromArray(F, p, a5 + i).fma(w5, s);
        s = fromArray(F, p, a6 + i).fma(w6, s);
        s = fromArray(F, p, a7 + i).fma(w7, s);
        fromArray(F, p, a8 + i).fma(w8, s).intoArray(sums, d + i);
      }
    }
  }

  /// The same of taps that read neighbours, FEW outputs at a time: each source is loaded once for all that read it.
  /// Returns how far it got.
  private static int sevenInARow(float[] p, int from, float[] w, int wo, int[] weight, int t, float[] sums, int count) {
    int end = count - count % (FEW * BLOCK);
    for (int v = 0; v < BLOCK; v += LANES) {
      FloatVector w0 = fromArray(F, w, wo + weight[t] + v), w1 = fromArray(F, w, wo + weight[t + 1] + v), w2 =
          fromArray(F, w, wo + weight[t + 2] + v), w3 = fromArray(F, w, wo + weight[t + 3] + v),
          w4 = fromArray(F, w, wo + weight[t + 4] + v), w5 = fromArray(F, w, wo + weight[t + 5] + v), w6 =
          fromArray(F, w, wo + weight[t + 6] + v);
      int d = ALIGNED + v, a = from + v;
      for (int i = 0; i < end; i += FEW * BLOCK) {
        FloatVector s0 = fromArray(F, sums, d + i), s1 = fromArray(F, sums, d + BLOCK + i), s2 =
            fromArray(F, sums, d + 2 * BLOCK + i), s3 = fromArray(F, sums, d + 3 * BLOCK + i);
        var x0 = fromArray(F, p, a + i);
        s0 = x0.fma(w0, s0);
        var x1 = fromArray(F, p, a + BLOCK + i);
        s0 = x1.fma(w1, s0); s1 = x1.fma(w0, s1);
        var x2 = fromArray(F, p, a + 2 * BLOCK + i);
        s0 = x2.fma(w2, s0); s1 = x2.fma(w1, s1); s2 = x2.fma(w0, s2);
        var x3 = fromArray(F, p, a + 3 * BLOCK + i);
        s0 = x3.fma(w3, s0); s1 = x3.fma(w2, s1); s2 = x3.fma(w1, s2); s3 = x3.fma(w0, s3);
        var x4 = fromArray(F, p, a + 4 * BLOCK + i);
        s0 = x4.fma(w4, s0); s1 = x4.fma(w3, s1); s2 = x4.fma(w2, s2); s3 = x4.fma(w1, s3);
        var x5 = fromArray(F, p, a + 5 * BLOCK + i);
        s0 = x5.fma(w5, s0); s1 = x5.fma(w4, s1); s2 = x5.fma(w3, s2); s3 = x5.fma(w2, s3);
        var x6 = fromArray(F, p, a + 6 * BLOCK + i);
        s0 = x6.fma(w6, s0); s1 = x6.fma(w5, s1); s2 = x6.fma(w4, s2); s3 = x6.fma(w3, s3);
        var x7 = fromArray(F, p, a + 7 * BLOCK + i);
        s1 = x7.fma(w6, s1); s2 = x7.fma(w5, s2); s3 = x7.fma(w4, s3);
        var x8 = fromArray(F, p, a + 8 * BLOCK + i);
        s2 = x8.fma(w6, s2); s3 = x8.fma(w5, s3);
        var x9 = fromArray(F, p, a + 9 * BLOCK + i);
        s3 = x9.fma(w6, s3);
        s0.intoArray(sums, d + i);
        s1.intoArray(sums, d + BLOCK + i);
        s2.intoArray(sums, d + 2 * BLOCK + i);
        s3.intoArray(sums, d + 3 * BLOCK + i);
      }
    }
    return end;
  }

  private static void seven(float[] p, int base, int[] at, int t, float[] w, int wo, int[] weight, float[] sums,
      int first, int count) {
    for (int v = 0; v < BLOCK; v += LANES) {
      FloatVector w0 = fromArray(F, w, wo + weight[t] + v), w1 = fromArray(F, w, wo + weight[t + 1] + v), w2 =
          fromArray(F, w, wo + weight[t + 2] + v), w3 = fromArray(F, w, wo + weight[t + 3] + v),
          w4 = fromArray(F, w, wo + weight[t + 4] + v), w5 = fromArray(F, w, wo + weight[t + 5] + v), w6 =
          fromArray(F, w, wo + weight[t + 6] + v);
      int d = ALIGNED + v, b = base + v, a0 = b + at[t], a1 = b + at[t + 1], a2 = b + at[t + 2], a3 =
          b + at[t + 3], a4 = b + at[t + 4], a5 = b + at[t + 5], a6 = b + at[t + 6];
      for (int i = first; i < count; i += BLOCK) {
        var s = fromArray(F, sums, d + i);
        s = fromArray(F, p, a0 + i).fma(w0, s);
        s = fromArray(F, p, a1 + i).fma(w1, s);
        s = fromArray(F, p, a2 + i).fma(w2, s);
        s = fromArray(F, p, a3 + i).fma(w3, s);
        s = fromArray(F, p, a4 + i).fma(w4, s);
        s = fromArray(F, p, a5 + i).fma(w5, s);
        fromArray(F, p, a6 + i).fma(w6, s).intoArray(sums, d + i);
      }
    }
  }

  private static void three(float[] p, int base, int[] at, int t, float[] w, int wo, int[] weight, float[] sums,
      int count) {
    for (int v = 0; v < BLOCK; v += LANES) {
      FloatVector w0 = fromArray(F, w, wo + weight[t] + v), w1 = fromArray(F, w, wo + weight[t + 1] + v), w2 =
          fromArray(F, w, wo + weight[t + 2] + v);
      int d = ALIGNED + v, b = base + v, a0 = b + at[t], a1 = b + at[t + 1], a2 = b + at[t + 2];
      for (int i = 0; i < count; i += BLOCK) {
        var s = fromArray(F, sums, d + i);
        s = fromArray(F, p, a0 + i).fma(w0, s);
        s = fromArray(F, p, a1 + i).fma(w1, s);
        fromArray(F, p, a2 + i).fma(w2, s).intoArray(sums, d + i);
      }
    }
  }

  private static void one(float[] p, int at, float[] w, int weight, float[] sums, int count) {
    for (int v = 0; v < BLOCK; v += LANES) {
      var w0 = fromArray(F, w, weight + v);
      int d = ALIGNED + v;
      for (int i = 0; i < count; i += BLOCK)
        fromArray(F, p, at + v + i).fma(w0, fromArray(F, sums, d + i)).intoArray(sums, d + i);
    }
  }

  /// Whether all taps come in threes that read neighbours.
  static boolean inThrees(int[] at) {
    boolean r = at.length % 3 == 0;
    for (int t = 0; r && t < at.length; t += 3) r = at[t + 1] == at[t] + BLOCK && at[t + 2] == at[t] + 2 * BLOCK;
    return r;
  }

  /// y[to + i·step …] = bias + Σ over the taps, for i < count, of `channels` that lie together: taps in threes, of
  /// which the first reads x[from + at + i·step …]. SEVEN outputs at a time, the last of which overlap, the same made
  /// twice.
  static void threes(float[] x, int from, int[] at, float[] w, int wo, int[] weight, int block, float[] bias, int bo,
      float[] y, int to, int count, int step, int channels) {
    for (int i = 0; i < count; i += SEVEN)
      for (int v = 0; v < channels; v += LANES) {
        int o = Math.min(i, count - SEVEN) * step + v, q = wo + v / BLOCK * block + v % BLOCK, d = to + o;
        FloatVector s0 = fromArray(F, bias, bo + v), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0;
        for (int k = 0; k < at.length; k += 3) {
          int a = from + at[k] + o;
          var w0 = fromArray(F, w, q + weight[k]);
          var w1 = fromArray(F, w, q + weight[k + 1]);
          var w2 = fromArray(F, w, q + weight[k + 2]);
          var u = fromArray(F, x, a);
          s0 = u.fma(w0, s0);
          u = fromArray(F, x, a + step);
          s0 = u.fma(w1, s0); s1 = u.fma(w0, s1);
          u = fromArray(F, x, a + 2 * step);
          s0 = u.fma(w2, s0); s1 = u.fma(w1, s1); s2 = u.fma(w0, s2);
          u = fromArray(F, x, a + 3 * step);
          s1 = u.fma(w2, s1); s2 = u.fma(w1, s2); s3 = u.fma(w0, s3);
          u = fromArray(F, x, a + 4 * step);
          s2 = u.fma(w2, s2); s3 = u.fma(w1, s3); s4 = u.fma(w0, s4);
          u = fromArray(F, x, a + 5 * step);
          s3 = u.fma(w2, s3); s4 = u.fma(w1, s4); s5 = u.fma(w0, s5);
          u = fromArray(F, x, a + 6 * step);
          s4 = u.fma(w2, s4); s5 = u.fma(w1, s5); s6 = u.fma(w0, s6);
          u = fromArray(F, x, a + 7 * step);
          s5 = u.fma(w2, s5); s6 = u.fma(w1, s6);
          u = fromArray(F, x, a + 8 * step);
          s6 = u.fma(w2, s6);
        }
        s0.intoArray(y, d);
        s1.intoArray(y, d + step);
        s2.intoArray(y, d + 2 * step);
        s3.intoArray(y, d + 3 * step);
        s4.intoArray(y, d + 4 * step);
        s5.intoArray(y, d + 5 * step);
        s6.intoArray(y, d + 6 * step);
      }
  }

  /// One such output, by those of its taps that `column` + columns of theirs find inside 0 … width−1.
  static void edge(float[] x, int from, int[] at, int[] columns, int column, int width, float[] w, int wo,
      int[] weight, int block, float[] bias, int bo, float[] y, int to, int channels) {
    for (int v = 0; v < channels; v += LANES) {
      int q = wo + v / BLOCK * block + v % BLOCK;
      var s = fromArray(F, bias, bo + v);
      for (int t = 0; t < at.length; t++)
        if (column + columns[t] >= 0 && column + columns[t] < width)
          s = fromArray(F, x, from + at[t] + v).fma(fromArray(F, w, q + weight[t]), s);
      s.intoArray(y, to + v);
    }
  }
}
