package jacquard.kernels.cpu.convolution;

import static jacquard.kernels.cpu.Simd.F;
import static jacquard.kernels.cpu.Simd.LANES;
import static jacquard.kernels.cpu.convolution.DepthwiseTaps.BLOCK;
import static jacquard.kernels.cpu.convolution.DepthwiseTaps.row;
import static jdk.incubator.vector.FloatVector.fromArray;

import jdk.incubator.vector.FloatVector;

/// The loops of weight gradients of depthwise convolutions over a row of outputs of one block of channels: some taps at
/// a time, whose sums stay in registers. Tap t reads `p[base + at[t] …]`, as in [DepthwiseTaps], and is summed in
/// `dw[wo + weight[t] …]`.
final class DepthwiseProducts {
  /// Outputs at a time where seven taps read neighbours: of four C2 put one sum on the stack.
  private static final int THREE = 3;

  private DepthwiseProducts() {}

  static void products(float[] p, int base, int[] at, float[] dy, int from, int count, float[] dw, int wo,
      int[] weight) {
    int t = 0, n = at.length;
    for (; n - t >= 7; t += 7) {
      int done = row(at, t, 7) ? sevenProductsInARow(p, base + at[t], dy, from, dw, wo, weight, t, count) : 0;
      if (done < count) sevenProducts(p, base, at, t, dy, from, done, count, dw, wo, weight);
    }
    for (; n - t >= 3; t += 3) threeProducts(p, base, at, t, dy, from, count, dw, wo, weight);
    for (; t < n; t++) oneProduct(p, base + at[t], dy, from, count, dw, wo + weight[t]);
  }

  /// The same of taps that read neighbours, THREE outputs at a time. Returns how far it got.
  private static int sevenProductsInARow(float[] p, int from, float[] dy, int at, float[] dw, int wo, int[] weight,
      int t, int count) {
    int end = count - count % (THREE * BLOCK);
    for (int v = 0; v < BLOCK; v += LANES) {
      int t0 = wo + weight[t] + v, t1 = wo + weight[t + 1] + v, t2 = wo + weight[t + 2] + v, t3 =
          wo + weight[t + 3] + v, t4 = wo + weight[t + 4] + v, t5 = wo + weight[t + 5] + v, t6 = wo + weight[t + 6] + v;
      FloatVector s0 = fromArray(F, dw, t0), s1 = fromArray(F, dw, t1), s2 = fromArray(F, dw, t2), s3 =
          fromArray(F, dw, t3), s4 = fromArray(F, dw, t4), s5 = fromArray(F, dw, t5), s6 = fromArray(F, dw, t6);
      int d = at + v, a = from + v;
      for (int i = 0; i < end; i += THREE * BLOCK) {
        FloatVector d0 = fromArray(F, dy, d + i), d1 = fromArray(F, dy, d + BLOCK + i), d2 =
            fromArray(F, dy, d + 2 * BLOCK + i);
        var x0 = fromArray(F, p, a + i);
        s0 = x0.fma(d0, s0);
        var x1 = fromArray(F, p, a + BLOCK + i);
        s1 = x1.fma(d0, s1); s0 = x1.fma(d1, s0);
        var x2 = fromArray(F, p, a + 2 * BLOCK + i);
        s2 = x2.fma(d0, s2); s1 = x2.fma(d1, s1); s0 = x2.fma(d2, s0);
        var x3 = fromArray(F, p, a + 3 * BLOCK + i);
        s3 = x3.fma(d0, s3); s2 = x3.fma(d1, s2); s1 = x3.fma(d2, s1);
        var x4 = fromArray(F, p, a + 4 * BLOCK + i);
        s4 = x4.fma(d0, s4); s3 = x4.fma(d1, s3); s2 = x4.fma(d2, s2);
        var x5 = fromArray(F, p, a + 5 * BLOCK + i);
        s5 = x5.fma(d0, s5); s4 = x5.fma(d1, s4); s3 = x5.fma(d2, s3);
        var x6 = fromArray(F, p, a + 6 * BLOCK + i);
        s6 = x6.fma(d0, s6); s5 = x6.fma(d1, s5); s4 = x6.fma(d2, s4);
        var x7 = fromArray(F, p, a + 7 * BLOCK + i);
        s6 = x7.fma(d1, s6); s5 = x7.fma(d2, s5);
        var x8 = fromArray(F, p, a + 8 * BLOCK + i);
        s6 = x8.fma(d2, s6);
      }
      s0.intoArray(dw, t0);
      s1.intoArray(dw, t1);
      s2.intoArray(dw, t2);
      s3.intoArray(dw, t3);
      s4.intoArray(dw, t4);
      s5.intoArray(dw, t5);
      s6.intoArray(dw, t6);
    }
    return end;
  }

  private static void sevenProducts(float[] p, int base, int[] at, int t, float[] dy, int from, int first, int count,
      float[] dw, int wo, int[] weight) {
    for (int v = 0; v < BLOCK; v += LANES) {
      int t0 = wo + weight[t] + v, t1 = wo + weight[t + 1] + v, t2 = wo + weight[t + 2] + v, t3 =
          wo + weight[t + 3] + v, t4 = wo + weight[t + 4] + v, t5 = wo + weight[t + 5] + v, t6 = wo + weight[t + 6] + v;
      FloatVector s0 = fromArray(F, dw, t0), s1 = fromArray(F, dw, t1), s2 = fromArray(F, dw, t2), s3 =
          fromArray(F, dw, t3), s4 = fromArray(F, dw, t4), s5 = fromArray(F, dw, t5), s6 = fromArray(F, dw, t6);
      int b = base + v, d0 = from + v, a0 = b + at[t], a1 = b + at[t + 1], a2 = b + at[t + 2], a3 = b + at[t + 3], a4 =
          b + at[t + 4], a5 = b + at[t + 5], a6 = b + at[t + 6];
      for (int i = first; i < count; i += BLOCK) {
        var d = fromArray(F, dy, d0 + i);
        s0 = fromArray(F, p, a0 + i).fma(d, s0);
        s1 = fromArray(F, p, a1 + i).fma(d, s1);
        s2 = fromArray(F, p, a2 + i).fma(d, s2);
        s3 = fromArray(F, p, a3 + i).fma(d, s3);
        s4 = fromArray(F, p, a4 + i).fma(d, s4);
        s5 = fromArray(F, p, a5 + i).fma(d, s5);
        s6 = fromArray(F, p, a6 + i).fma(d, s6);
      }
      s0.intoArray(dw, t0);
      s1.intoArray(dw, t1);
      s2.intoArray(dw, t2);
      s3.intoArray(dw, t3);
      s4.intoArray(dw, t4);
      s5.intoArray(dw, t5);
      s6.intoArray(dw, t6);
    }
  }

  private static void threeProducts(float[] p, int base, int[] at, int t, float[] dy, int from, int count, float[] dw,
      int wo, int[] weight) {
    for (int v = 0; v < BLOCK; v += LANES) {
      int t0 = wo + weight[t] + v, t1 = wo + weight[t + 1] + v, t2 = wo + weight[t + 2] + v, b = base + v, d0 =
          from + v, a0 = b + at[t], a1 = b + at[t + 1], a2 = b + at[t + 2];
      FloatVector s0 = fromArray(F, dw, t0), s1 = fromArray(F, dw, t1), s2 = fromArray(F, dw, t2);
      for (int i = 0; i < count; i += BLOCK) {
        var d = fromArray(F, dy, d0 + i);
        s0 = fromArray(F, p, a0 + i).fma(d, s0);
        s1 = fromArray(F, p, a1 + i).fma(d, s1);
        s2 = fromArray(F, p, a2 + i).fma(d, s2);
      }
      s0.intoArray(dw, t0);
      s1.intoArray(dw, t1);
      s2.intoArray(dw, t2);
    }
  }

  private static void oneProduct(float[] p, int at, float[] dy, int from, int count, float[] dw, int to) {
    for (int v = 0; v < BLOCK; v += LANES) {
      var s = fromArray(F, dw, to + v);
      for (int i = 0; i < count; i += BLOCK) s = fromArray(F, p, at + v + i).fma(fromArray(F, dy, from + v + i), s);
      s.intoArray(dw, to + v);
    }
  }
}
