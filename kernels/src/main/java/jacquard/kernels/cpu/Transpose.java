package jacquard.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/// t(j, i) = a(i, j), in blocks of LANES × LANES: lane l of row i changes places with lane l ^ h of row i ^ h, for h = 1, 2, 4, … Rows are read and
/// written as whole vectors; element by element a transposition takes seven times as long.
final class Transpose {
  private static final int L = Simd.LANES;
  private static final VectorShuffle<Float> BY1 = by(1), BY2 = by(2), BY4 = by(4), BY8 = by(8);
  private static final VectorMask<Float> ODD1 = odd(1), ODD2 = odd(2), ODD4 = odd(4), ODD8 = odd(8);
  private static final ThreadLocal<float[]> BLOCK = ThreadLocal.withInitial(() -> new float[CpuMatMul.ALIGNED + L * L]);

  private Transpose() {}

  private static VectorShuffle<Float> by(int h) { return VectorShuffle.fromOp(Simd.F, l -> (l ^ h) % L); }

  private static VectorMask<Float> odd(int h) {
    long bits = 0;
    for (int l = 0; l < L; l++) if ((l & h) != 0) bits |= 1L << l;
    return VectorMask.fromLong(Simd.F, bits);
  }

  /// t [columns, rows] ← aᵀ, a [rows, columns]; `ar` and `tr` are the distances of rows.
  static void run(int rows, int columns, float[] a, int ao, int ar, float[] t, int to, int tr) {
    float[] block = BLOCK.get();
    int whole = rows / L * L, wide = columns / L * L;
    for (int i = 0; i < whole; i += L)
      for (int j = 0; j < wide; j += L) block(a, ao + i * ar + j, ar, block, t, to + j * tr + i, tr);
    for (int j = wide; j < columns; j++) for (int i = 0; i < whole; i++) t[to + j * tr + i] = a[ao + i * ar + j];
    for (int i = whole; i < rows; i++) for (int j = 0; j < columns; j++) t[to + j * tr + i] = a[ao + i * ar + j];
  }

  /// One block. Two rounds of two exchanges each need few registers; between them it lies in `b`.
  private static void block(float[] a, int ao, int ar, float[] b, float[] t, int to, int tr) {
    final int B = CpuMatMul.ALIGNED;
    for (int i = 0, from = ao; i < L; i += 4, from += 4 * ar) quad(a, from, ar, b, B + i * L, L, BY1, ODD1, BY2, ODD2);
    if (L == 16) for (int i = 0; i < 4; i++) quad(b, B + i * L, 4 * L, t, to + i * tr, 4 * tr, BY4, ODD4, BY8, ODD8);
    else if (L == 8) for (int i = 0; i < 4; i++) pair(b, B + i * L, 4 * L, t, to + i * tr, 4 * tr, BY4, ODD4);
    else for (int i = 0; i < L; i++) Simd.load(b, B + i * L).intoArray(t, to + i * tr);
  }

  private static void quad(float[] a, int at, int step, float[] t, int to, int by, VectorShuffle<Float> near, VectorMask<Float> odd, VectorShuffle<Float> far, VectorMask<Float> high) {
    FloatVector x0 = Simd.load(a, at), x1 = Simd.load(a, at + step), x2 = Simd.load(a, at + 2 * step), x3 = Simd.load(a, at + 3 * step);
    FloatVector y0 = x0.blend(x1.rearrange(near), odd), y1 = x0.rearrange(near).blend(x1, odd), y2 = x2.blend(x3.rearrange(near), odd), y3 = x2.rearrange(near).blend(x3, odd);
    y0.blend(y2.rearrange(far), high).intoArray(t, to);
    y1.blend(y3.rearrange(far), high).intoArray(t, to + by);
    y0.rearrange(far).blend(y2, high).intoArray(t, to + 2 * by);
    y1.rearrange(far).blend(y3, high).intoArray(t, to + 3 * by);
  }

  private static void pair(float[] a, int at, int step, float[] t, int to, int by, VectorShuffle<Float> near, VectorMask<Float> odd) {
    FloatVector x = Simd.load(a, at), y = Simd.load(a, at + step);
    x.blend(y.rearrange(near), odd).intoArray(t, to);
    x.rearrange(near).blend(y, odd).intoArray(t, to + by);
  }
}
