package jacquard.kernels.cpu.matmul;

import jacquard.kernels.cpu.Simd;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// t(j, i) = a(i, j), in blocks of LANES × LANES: lane l of row i changes places with lane l ^ h of row i ^ h, for h =
/// 1, 2, 4, … Rows are read and written as whole vectors; element by element a transposition takes seven times as long.
public final class Transpose {
  private static final VectorSpecies<Float> F = Simd.F;
  private static final int L = Simd.LANES, B = CpuMatMul.ALIGNED;
  private static final VectorShuffle<Float> BY1 = by(1);
  private static final VectorShuffle<Float> BY2 = by(2);
  private static final VectorShuffle<Float> BY4 = by(4);
  private static final VectorShuffle<Float> BY8 = by(8);
  private static final VectorMask<Float> ODD1 = odd(1);
  private static final VectorMask<Float> ODD2 = odd(2);
  private static final VectorMask<Float> ODD4 = odd(4);
  private static final VectorMask<Float> ODD8 = odd(8);
  private static final ThreadLocal<float[]> BLOCK = ThreadLocal.withInitial(() -> new float[B + L * L]);

  private Transpose() {}

  private static VectorShuffle<Float> by(int h) { return VectorShuffle.fromOp(Simd.F, l -> (l ^ h) % L); }

  private static VectorMask<Float> odd(int h) {
    long bits = 0;
    for (int l = 0; l < L; l++) if ((l & h) != 0) bits |= 1L << l;
    return VectorMask.fromLong(Simd.F, bits);
  }

  /// t [columns, rows] ← aᵀ, a [rows, columns] elsewhere; `ar` and `tr` are the distances of rows. The last block of a
  /// row or column overlaps the one before. Two rounds of two exchanges each need few registers; between them a block
  /// lies in `b`. In one piece, so that C2 does not inline it into kernels, which would then be too large to be
  /// compiled well.
  public static void run(int rows, int columns, float[] a, int ao, int ar, float[] t, int to, int tr) {
    float[] b = BLOCK.get();
    if (rows < L || columns < L) {
      for (int i = 0; i < rows; i++) for (int j = 0; j < columns; j++) t[to + j * tr + i] = a[ao + i * ar + j];
      return;
    }
    for (int y = 0; y < rows; y += L)
      for (int x = 0; x < columns; x += L) {
        int i = Math.min(y, rows - L), j = Math.min(x, columns - L);
        for (int r = 0, at = ao + i * ar + j; r < L; r += 4, at += 4 * ar) four(a, at, ar, b, B + r * L);
        for (int r = 0, at = to + j * tr + i; r < 4; r++, at += tr) {
          if (L == 4) { FloatVector.fromArray(F, b, B + r * L).intoArray(t, at); continue; }
          FloatVector x0 = FloatVector.fromArray(F, b, B + r * L);
          FloatVector x1 = FloatVector.fromArray(F, b, B + (r + 4) * L);
          FloatVector y0 = x0.blend(x1.rearrange(BY4), ODD4);
          FloatVector y1 = x0.rearrange(BY4).blend(x1, ODD4);
          if (L == 8) {
            y0.intoArray(t, at);
            y1.intoArray(t, at + 4 * tr);
            continue;
          }
          FloatVector x2 = FloatVector.fromArray(F, b, B + (r + 8) * L);
          FloatVector x3 = FloatVector.fromArray(F, b, B + (r + 12) * L);
          FloatVector y2 = x2.blend(x3.rearrange(BY4), ODD4);
          FloatVector y3 = x2.rearrange(BY4).blend(x3, ODD4);
          y0.blend(y2.rearrange(BY8), ODD8).intoArray(t, at);
          y1.blend(y3.rearrange(BY8), ODD8).intoArray(t, at + 4 * tr);
          y0.rearrange(BY8).blend(y2, ODD8).intoArray(t, at + 8 * tr);
          y1.rearrange(BY8).blend(y3, ODD8).intoArray(t, at + 12 * tr);
        }
      }
  }

  /// The first two exchanges of four rows.
  private static void four(float[] a, int at, int ar, float[] b, int to) {
    FloatVector x0 = FloatVector.fromArray(F, a, at);
    FloatVector x1 = FloatVector.fromArray(F, a, at + ar);
    FloatVector x2 = FloatVector.fromArray(F, a, at + 2 * ar);
    FloatVector x3 = FloatVector.fromArray(F, a, at + 3 * ar);
    FloatVector y0 = x0.blend(x1.rearrange(BY1), ODD1);
    FloatVector y1 = x0.rearrange(BY1).blend(x1, ODD1);
    FloatVector y2 = x2.blend(x3.rearrange(BY1), ODD1);
    FloatVector y3 = x2.rearrange(BY1).blend(x3, ODD1);
    y0.blend(y2.rearrange(BY2), ODD2).intoArray(b, to);
    y1.blend(y3.rearrange(BY2), ODD2).intoArray(b, to + L);
    y0.rearrange(BY2).blend(y2, ODD2).intoArray(b, to + 2 * L);
    y1.rearrange(BY2).blend(y3, ODD2).intoArray(b, to + 3 * L);
  }

  /// t [depth, MR] ← aᵀ for MR rows of `a`: as above, but that in the last exchange, by half a vector, neighbours
  /// change halves, and each holds what follows.
  static void tile(int depth, float[] a, int ao, int ar, float[] t, int to) {
    final int R = CpuMatMul.MR;
    float[] b = BLOCK.get();
    int q = 0;
    for (; q <= depth - L; q += L, to += L * R) {
      for (int r = 0, at = ao + q; r < R; r += 4, at += 4 * ar) four(a, at, ar, b, B + r * L);
      for (int r = 0; r < 4; r += 2) {
        FloatVector x0 = FloatVector.fromArray(F, b, B + r * L);
        FloatVector x1 = FloatVector.fromArray(F, b, B + (r + 1) * L);
        if (L == 4) {
          x0.intoArray(t, to + r * R);
          x1.intoArray(t, to + (r + 1) * R);
        } else if (L == 8) {
          x0.blend(x1.rearrange(BY4), ODD4).intoArray(t, to + r * R);
          x0.rearrange(BY4).blend(x1, ODD4).intoArray(t, to + (r + 4) * R);
        } else {
          FloatVector x4 = FloatVector.fromArray(F, b, B + (r + 4) * L);
          FloatVector x5 = FloatVector.fromArray(F, b, B + (r + 5) * L);
          FloatVector y0 = x0.blend(x4.rearrange(BY4), ODD4);
          FloatVector y4 = x0.rearrange(BY4).blend(x4, ODD4);
          FloatVector y1 = x1.blend(x5.rearrange(BY4), ODD4);
          FloatVector y5 = x1.rearrange(BY4).blend(x5, ODD4);
          y0.blend(y1.rearrange(BY8), ODD8).intoArray(t, to + r * R);
          y0.rearrange(BY8).blend(y1, ODD8).intoArray(t, to + (r + 8) * R);
          y4.blend(y5.rearrange(BY8), ODD8).intoArray(t, to + (r + 4) * R);
          y4.rearrange(BY8).blend(y5, ODD8).intoArray(t, to + (r + 12) * R);
        }
      }
    }
    for (; q < depth; q++, to += R) for (int r = 0; r < R; r++) t[to + r] = a[ao + r * ar + q];
  }
}
