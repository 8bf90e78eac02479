package jacquard.kernels.cpu.matmul;

import jacquard.kernels.cpu.Simd;
import jdk.incubator.vector.FloatVector;

/// The loops in which products spend their time: a tile of C, MR rows × NR columns, is summed in registers over k. Rows
/// of B come as vectors from a packed panel [k][NR], elements of A as broadcasts, from rows where they lie or from a
/// packed tile [k][MR].
final class MicroKernel {
  private MicroKernel() {}

  /// C [MR, NR] = rows of A that begin at `rows[i …]` · a panel.
  static void rows(int k, float[] a, int[] rows, int i, float[] b, int bo, float[] c, int co, int cr) {
    if (CpuMatMul.WIDE)
      kernel8x2(k, a, rows[i], rows[i + 1], rows[i + 2], rows[i + 3], rows[i + 4], rows[i + 5], rows[i + 6],
          rows[i + 7],
          b, bo, c, co, cr);
    else kernel4x2(k, a, rows[i], rows[i + 1], rows[i + 2], rows[i + 3], b, bo, c, co, cr);
  }

  /// The left half of a panel, for few columns. (Of 4 rows it would be no faster than the whole: four chains of sums
  /// wait for each other.)
  static void half(int k, float[] a, int[] rows, int i, float[] b, int bo, float[] c, int co, int cr) {
    kernel8x1(k, a, rows[i], rows[i + 1], rows[i + 2], rows[i + 3], rows[i + 4], rows[i + 5], rows[i + 6], rows[i + 7],
        b, bo, c, co, cr);
  }

  /// C [MR, NR] = a packed tile of A · a panel.
  static void packed(int k, float[] a, int ao, float[] b, int bo, float[] c, int co, int cr) {
    if (CpuMatMul.WIDE) packed8x2(k, a, ao, b, bo, c, co, cr);
    else packed4x2(k, a, ao, b, bo, c, co, cr);
  }

  /// C [1, 3·NR] = a row of A · three panels: what a token at a time meets, bound by the reading of the weights.
  static void row(int k, float[] a, int ao, float[] b, int b0, int b1, int b2, float[] c, int co) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F), c0 = z, c1 = z, c2 = z, c3 = z, c4 = z, c5 = z;
    for (int p = 0, at = 0; p < k; p++, at += 2 * L) {
      var x = FloatVector.broadcast(Simd.F, a[ao + p]);
      c0 = x.fma(FloatVector.fromArray(Simd.F, b, b0 + at), c0);
      c1 = x.fma(FloatVector.fromArray(Simd.F, b, b0 + at + L), c1);
      c2 = x.fma(FloatVector.fromArray(Simd.F, b, b1 + at), c2);
      c3 = x.fma(FloatVector.fromArray(Simd.F, b, b1 + at + L), c3);
      c4 = x.fma(FloatVector.fromArray(Simd.F, b, b2 + at), c4);
      c5 = x.fma(FloatVector.fromArray(Simd.F, b, b2 + at + L), c5);
    }
    c0.intoArray(c, co); c1.intoArray(c, co + L);
    c2.intoArray(c, co + 2 * L); c3.intoArray(c, co + 3 * L);
    c4.intoArray(c, co + 4 * L); c5.intoArray(c, co + 5 * L);
  }

  /// 8 rows × 1 vector, of panels two vectors wide.
  private static void kernel8x1(int k, float[] a, int r0, int r1, int r2, int r3, int r4, int r5, int r6, int r7,
                                float[] b, int bo, float[] c, int co, int cr) {
    FloatVector z = FloatVector.zero(Simd.F), c0 = z, c1 = z, c2 = z, c3 = z, c4 = z, c5 = z, c6 = z, c7 = z;
    for (int p = 0; p < k; p++) {
      var b0 = FloatVector.fromArray(Simd.F, b, bo);
      c0 = FloatVector.broadcast(Simd.F, a[r0 + p]).fma(b0, c0);
      c1 = FloatVector.broadcast(Simd.F, a[r1 + p]).fma(b0, c1);
      c2 = FloatVector.broadcast(Simd.F, a[r2 + p]).fma(b0, c2);
      c3 = FloatVector.broadcast(Simd.F, a[r3 + p]).fma(b0, c3);
      c4 = FloatVector.broadcast(Simd.F, a[r4 + p]).fma(b0, c4);
      c5 = FloatVector.broadcast(Simd.F, a[r5 + p]).fma(b0, c5);
      c6 = FloatVector.broadcast(Simd.F, a[r6 + p]).fma(b0, c6);
      c7 = FloatVector.broadcast(Simd.F, a[r7 + p]).fma(b0, c7);
      bo += 2 * Simd.LANES;
    }
    c0.intoArray(c, co); c1.intoArray(c, co + cr);
    c2.intoArray(c, co + 2 * cr); c3.intoArray(c, co + 3 * cr);
    c4.intoArray(c, co + 4 * cr); c5.intoArray(c, co + 5 * cr);
    c6.intoArray(c, co + 6 * cr); c7.intoArray(c, co + 7 * cr);
  }

  /// 4 rows × 2 vectors.
  private static void kernel4x2(int k, float[] a, int r0, int r1, int r2, int r3,
                                float[] b, int bo, float[] c, int co, int cr) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F);
    FloatVector c00 = z, c01 = z, c10 = z, c11 = z, c20 = z, c21 = z, c30 = z, c31 = z;
    for (int p = 0; p < k; p++) {
      var b0 = FloatVector.fromArray(Simd.F, b, bo);
      var b1 = FloatVector.fromArray(Simd.F, b, bo + L);
      var a0 = FloatVector.broadcast(Simd.F, a[r0 + p]);
      c00 = a0.fma(b0, c00); c01 = a0.fma(b1, c01);
      var a1 = FloatVector.broadcast(Simd.F, a[r1 + p]);
      c10 = a1.fma(b0, c10); c11 = a1.fma(b1, c11);
      var a2 = FloatVector.broadcast(Simd.F, a[r2 + p]);
      c20 = a2.fma(b0, c20); c21 = a2.fma(b1, c21);
      var a3 = FloatVector.broadcast(Simd.F, a[r3 + p]);
      c30 = a3.fma(b0, c30); c31 = a3.fma(b1, c31);
      bo += 2 * L;
    }
    c00.intoArray(c, co); c01.intoArray(c, co + L);
    c10.intoArray(c, co + cr); c11.intoArray(c, co + cr + L);
    c20.intoArray(c, co + 2 * cr); c21.intoArray(c, co + 2 * cr + L);
    c30.intoArray(c, co + 3 * cr); c31.intoArray(c, co + 3 * cr + L);
  }

  /// 8 rows × 2 vectors.
  private static void kernel8x2(int k, float[] a, int r0, int r1, int r2, int r3, int r4, int r5, int r6, int r7,
                                float[] b, int bo, float[] c, int co, int cr) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F);
    FloatVector c00 = z, c01 = z, c10 = z, c11 = z, c20 = z, c21 = z, c30 = z, c31 = z;
    FloatVector c40 = z, c41 = z, c50 = z, c51 = z, c60 = z, c61 = z, c70 = z, c71 = z;
    for (int p = 0; p < k; p++) {
      var b0 = FloatVector.fromArray(Simd.F, b, bo);
      var b1 = FloatVector.fromArray(Simd.F, b, bo + L);
      var a0 = FloatVector.broadcast(Simd.F, a[r0 + p]);
      c00 = a0.fma(b0, c00); c01 = a0.fma(b1, c01);
      var a1 = FloatVector.broadcast(Simd.F, a[r1 + p]);
      c10 = a1.fma(b0, c10); c11 = a1.fma(b1, c11);
      var a2 = FloatVector.broadcast(Simd.F, a[r2 + p]);
      c20 = a2.fma(b0, c20); c21 = a2.fma(b1, c21);
      var a3 = FloatVector.broadcast(Simd.F, a[r3 + p]);
      c30 = a3.fma(b0, c30); c31 = a3.fma(b1, c31);
      var a4 = FloatVector.broadcast(Simd.F, a[r4 + p]);
      c40 = a4.fma(b0, c40); c41 = a4.fma(b1, c41);
      var a5 = FloatVector.broadcast(Simd.F, a[r5 + p]);
      c50 = a5.fma(b0, c50); c51 = a5.fma(b1, c51);
      var a6 = FloatVector.broadcast(Simd.F, a[r6 + p]);
      c60 = a6.fma(b0, c60); c61 = a6.fma(b1, c61);
      var a7 = FloatVector.broadcast(Simd.F, a[r7 + p]);
      c70 = a7.fma(b0, c70); c71 = a7.fma(b1, c71);
      bo += 2 * L;
    }
    c00.intoArray(c, co); c01.intoArray(c, co + L);
    c10.intoArray(c, co + cr); c11.intoArray(c, co + cr + L);
    c20.intoArray(c, co + 2 * cr); c21.intoArray(c, co + 2 * cr + L);
    c30.intoArray(c, co + 3 * cr); c31.intoArray(c, co + 3 * cr + L);
    c40.intoArray(c, co + 4 * cr); c41.intoArray(c, co + 4 * cr + L);
    c50.intoArray(c, co + 5 * cr); c51.intoArray(c, co + 5 * cr + L);
    c60.intoArray(c, co + 6 * cr); c61.intoArray(c, co + 6 * cr + L);
    c70.intoArray(c, co + 7 * cr); c71.intoArray(c, co + 7 * cr + L);
  }

  /// 4 rows × 2 vectors, A packed: one address instead of 4, and one stream for the prefetcher.
  private static void packed4x2(int k, float[] a, int ao, float[] b, int bo, float[] c, int co, int cr) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F);
    FloatVector c00 = z, c01 = z, c10 = z, c11 = z, c20 = z, c21 = z, c30 = z, c31 = z;
    for (int p = 0; p < k; p++) {
      var b0 = FloatVector.fromArray(Simd.F, b, bo);
      var b1 = FloatVector.fromArray(Simd.F, b, bo + L);
      var a0 = FloatVector.broadcast(Simd.F, a[ao]);
      c00 = a0.fma(b0, c00); c01 = a0.fma(b1, c01);
      var a1 = FloatVector.broadcast(Simd.F, a[ao + 1]);
      c10 = a1.fma(b0, c10); c11 = a1.fma(b1, c11);
      var a2 = FloatVector.broadcast(Simd.F, a[ao + 2]);
      c20 = a2.fma(b0, c20); c21 = a2.fma(b1, c21);
      var a3 = FloatVector.broadcast(Simd.F, a[ao + 3]);
      c30 = a3.fma(b0, c30); c31 = a3.fma(b1, c31);
      ao += 4;
      bo += 2 * L;
    }
    c00.intoArray(c, co); c01.intoArray(c, co + L);
    c10.intoArray(c, co + cr); c11.intoArray(c, co + cr + L);
    c20.intoArray(c, co + 2 * cr); c21.intoArray(c, co + 2 * cr + L);
    c30.intoArray(c, co + 3 * cr); c31.intoArray(c, co + 3 * cr + L);
  }

  /// 8 rows × 2 vectors, A packed: one address instead of 8, and one stream for the prefetcher.
  private static void packed8x2(int k, float[] a, int ao, float[] b, int bo, float[] c, int co, int cr) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F);
    FloatVector c00 = z, c01 = z, c10 = z, c11 = z, c20 = z, c21 = z, c30 = z, c31 = z;
    FloatVector c40 = z, c41 = z, c50 = z, c51 = z, c60 = z, c61 = z, c70 = z, c71 = z;
    for (int p = 0; p < k; p++) {
      var b0 = FloatVector.fromArray(Simd.F, b, bo);
      var b1 = FloatVector.fromArray(Simd.F, b, bo + L);
      var a0 = FloatVector.broadcast(Simd.F, a[ao]);
      c00 = a0.fma(b0, c00); c01 = a0.fma(b1, c01);
      var a1 = FloatVector.broadcast(Simd.F, a[ao + 1]);
      c10 = a1.fma(b0, c10); c11 = a1.fma(b1, c11);
      var a2 = FloatVector.broadcast(Simd.F, a[ao + 2]);
      c20 = a2.fma(b0, c20); c21 = a2.fma(b1, c21);
      var a3 = FloatVector.broadcast(Simd.F, a[ao + 3]);
      c30 = a3.fma(b0, c30); c31 = a3.fma(b1, c31);
      var a4 = FloatVector.broadcast(Simd.F, a[ao + 4]);
      c40 = a4.fma(b0, c40); c41 = a4.fma(b1, c41);
      var a5 = FloatVector.broadcast(Simd.F, a[ao + 5]);
      c50 = a5.fma(b0, c50); c51 = a5.fma(b1, c51);
      var a6 = FloatVector.broadcast(Simd.F, a[ao + 6]);
      c60 = a6.fma(b0, c60); c61 = a6.fma(b1, c61);
      var a7 = FloatVector.broadcast(Simd.F, a[ao + 7]);
      c70 = a7.fma(b0, c70); c71 = a7.fma(b1, c71);
      ao += 8;
      bo += 2 * L;
    }
    c00.intoArray(c, co); c01.intoArray(c, co + L);
    c10.intoArray(c, co + cr); c11.intoArray(c, co + cr + L);
    c20.intoArray(c, co + 2 * cr); c21.intoArray(c, co + 2 * cr + L);
    c30.intoArray(c, co + 3 * cr); c31.intoArray(c, co + 3 * cr + L);
    c40.intoArray(c, co + 4 * cr); c41.intoArray(c, co + 4 * cr + L);
    c50.intoArray(c, co + 5 * cr); c51.intoArray(c, co + 5 * cr + L);
    c60.intoArray(c, co + 6 * cr); c61.intoArray(c, co + 6 * cr + L);
    c70.intoArray(c, co + 7 * cr); c71.intoArray(c, co + 7 * cr + L);
  }
}
