package jacquard.kernels.cpu.matmul;

import static jacquard.kernels.cpu.matmul.CpuMatMul.MR;
import static jacquard.kernels.cpu.matmul.CpuMatMul.NR;
import static jacquard.kernels.cpu.matmul.CpuMatMul.WIDE;

import jacquard.kernels.cpu.Simd;
import jdk.incubator.vector.FloatVector;

/// C [m,n] = f∘(Aᵀ·B), a factor a row, where A [k,m] lies as a product left it: MR neighbours of a row of A are
/// broadcast at each depth, so that nothing is turned. B is packed in panels of NR columns, as for [CpuMatMul]; every
/// element sums k in one order. ([MicroKernel#packed] is this with neighbouring rows of A side by side: a step that is
/// known to the compiler makes it 3 % faster.)
public final class TransposedTiles {
  private TransposedTiles() {}

  /// `high` ≤ MR rows of C from co on, n columns, = f∘(Aᵀ·B) or += of it: A(p, i) = a[ao + p·ar + i], i < MR (the
  /// columns from `high` on of any content), and of panels that are `packed` rows deep the first `depth`.
  public static void run(boolean accumulate, int high, int n, int depth, float[] a, int ao, int ar,
                  float[] bp, int bpo, int packed, float[] f, int ft, float[] c, int co, int cr, float[] tile) {
    for (int j = 0; j < n; j += NR) {
      int wide = Math.min(NR, n - j), b = bpo + j * packed;
      boolean half = WIDE && wide <= Simd.LANES;
      boolean direct = !accumulate && high == MR && (wide == NR || half && wide == Simd.LANES);
      float[] t = direct ? c : tile;
      int at = direct ? co + j : 0, row = direct ? cr : NR;
      if (half) kernel8x1(depth, a, ao, ar, bp, b, f, ft, t, at, row);
      else if (WIDE) kernel8x2(depth, a, ao, ar, bp, b, f, ft, t, at, row);
      else kernel4x2(depth, a, ao, ar, bp, b, f, ft, t, at, row);
      if (!direct) Edges.addEdge(accumulate, high, wide, tile, c, co + j, cr);
    }
  }

  /// The left half of a panel, for few columns.
  private static void kernel8x1(int k, float[] a, int at, int ar, float[] b, int bo,
                                float[] f, int ft, float[] c, int co, int cr) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F), c0 = z, c1 = z, c2 = z, c3 = z, c4 = z, c5 = z, c6 = z, c7 = z;
    for (int p = 0; p < k; p++, at += ar, bo += 2 * L) {
      var b0 = FloatVector.fromArray(Simd.F, b, bo);
      c0 = FloatVector.broadcast(Simd.F, a[at]).fma(b0, c0);
      c1 = FloatVector.broadcast(Simd.F, a[at + 1]).fma(b0, c1);
      c2 = FloatVector.broadcast(Simd.F, a[at + 2]).fma(b0, c2);
      c3 = FloatVector.broadcast(Simd.F, a[at + 3]).fma(b0, c3);
      c4 = FloatVector.broadcast(Simd.F, a[at + 4]).fma(b0, c4);
      c5 = FloatVector.broadcast(Simd.F, a[at + 5]).fma(b0, c5);
      c6 = FloatVector.broadcast(Simd.F, a[at + 6]).fma(b0, c6);
      c7 = FloatVector.broadcast(Simd.F, a[at + 7]).fma(b0, c7);
    }
    c0.mul(f[ft]).intoArray(c, co);
    c1.mul(f[ft + 1]).intoArray(c, co + cr);
    c2.mul(f[ft + 2]).intoArray(c, co + 2 * cr);
    c3.mul(f[ft + 3]).intoArray(c, co + 3 * cr);
    c4.mul(f[ft + 4]).intoArray(c, co + 4 * cr);
    c5.mul(f[ft + 5]).intoArray(c, co + 5 * cr);
    c6.mul(f[ft + 6]).intoArray(c, co + 6 * cr);
    c7.mul(f[ft + 7]).intoArray(c, co + 7 * cr);
  }

  /// 4 rows of C × 2 vectors.
  private static void kernel4x2(int k, float[] a, int at, int ar, float[] b, int bo,
                                float[] f, int ft, float[] c, int co, int cr) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F);
    FloatVector c00 = z, c01 = z, c10 = z, c11 = z, c20 = z, c21 = z, c30 = z, c31 = z;
    for (int p = 0; p < k; p++, at += ar, bo += 2 * L) {
      var b0 = FloatVector.fromArray(Simd.F, b, bo);
      var b1 = FloatVector.fromArray(Simd.F, b, bo + L);
      var a0 = FloatVector.broadcast(Simd.F, a[at]);
      c00 = a0.fma(b0, c00); c01 = a0.fma(b1, c01);
      var a1 = FloatVector.broadcast(Simd.F, a[at + 1]);
      c10 = a1.fma(b0, c10); c11 = a1.fma(b1, c11);
      var a2 = FloatVector.broadcast(Simd.F, a[at + 2]);
      c20 = a2.fma(b0, c20); c21 = a2.fma(b1, c21);
      var a3 = FloatVector.broadcast(Simd.F, a[at + 3]);
      c30 = a3.fma(b0, c30); c31 = a3.fma(b1, c31);
    }
    var f0 = FloatVector.broadcast(Simd.F, f[ft]);
    c00.mul(f0).intoArray(c, co); c01.mul(f0).intoArray(c, co + L);
    var f1 = FloatVector.broadcast(Simd.F, f[ft + 1]);
    c10.mul(f1).intoArray(c, co + cr); c11.mul(f1).intoArray(c, co + cr + L);
    var f2 = FloatVector.broadcast(Simd.F, f[ft + 2]);
    c20.mul(f2).intoArray(c, co + 2 * cr); c21.mul(f2).intoArray(c, co + 2 * cr + L);
    var f3 = FloatVector.broadcast(Simd.F, f[ft + 3]);
    c30.mul(f3).intoArray(c, co + 3 * cr); c31.mul(f3).intoArray(c, co + 3 * cr + L);
  }

  /// 8 rows of C × 2 vectors.
  private static void kernel8x2(int k, float[] a, int at, int ar, float[] b, int bo,
                                float[] f, int ft, float[] c, int co, int cr) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F);
    FloatVector c00 = z, c01 = z, c10 = z, c11 = z, c20 = z, c21 = z, c30 = z, c31 = z;
    FloatVector c40 = z, c41 = z, c50 = z, c51 = z, c60 = z, c61 = z, c70 = z, c71 = z;
    for (int p = 0; p < k; p++, at += ar, bo += 2 * L) {
      var b0 = FloatVector.fromArray(Simd.F, b, bo);
      var b1 = FloatVector.fromArray(Simd.F, b, bo + L);
      var a0 = FloatVector.broadcast(Simd.F, a[at]);
      c00 = a0.fma(b0, c00); c01 = a0.fma(b1, c01);
      var a1 = FloatVector.broadcast(Simd.F, a[at + 1]);
      c10 = a1.fma(b0, c10); c11 = a1.fma(b1, c11);
      var a2 = FloatVector.broadcast(Simd.F, a[at + 2]);
      c20 = a2.fma(b0, c20); c21 = a2.fma(b1, c21);
      var a3 = FloatVector.broadcast(Simd.F, a[at + 3]);
      c30 = a3.fma(b0, c30); c31 = a3.fma(b1, c31);
      var a4 = FloatVector.broadcast(Simd.F, a[at + 4]);
      c40 = a4.fma(b0, c40); c41 = a4.fma(b1, c41);
      var a5 = FloatVector.broadcast(Simd.F, a[at + 5]);
      c50 = a5.fma(b0, c50); c51 = a5.fma(b1, c51);
      var a6 = FloatVector.broadcast(Simd.F, a[at + 6]);
      c60 = a6.fma(b0, c60); c61 = a6.fma(b1, c61);
      var a7 = FloatVector.broadcast(Simd.F, a[at + 7]);
      c70 = a7.fma(b0, c70); c71 = a7.fma(b1, c71);
    }
    var f0 = FloatVector.broadcast(Simd.F, f[ft]);
    c00.mul(f0).intoArray(c, co); c01.mul(f0).intoArray(c, co + L);
    var f1 = FloatVector.broadcast(Simd.F, f[ft + 1]);
    c10.mul(f1).intoArray(c, co + cr); c11.mul(f1).intoArray(c, co + cr + L);
    var f2 = FloatVector.broadcast(Simd.F, f[ft + 2]);
    c20.mul(f2).intoArray(c, co + 2 * cr); c21.mul(f2).intoArray(c, co + 2 * cr + L);
    var f3 = FloatVector.broadcast(Simd.F, f[ft + 3]);
    c30.mul(f3).intoArray(c, co + 3 * cr); c31.mul(f3).intoArray(c, co + 3 * cr + L);
    var f4 = FloatVector.broadcast(Simd.F, f[ft + 4]);
    c40.mul(f4).intoArray(c, co + 4 * cr); c41.mul(f4).intoArray(c, co + 4 * cr + L);
    var f5 = FloatVector.broadcast(Simd.F, f[ft + 5]);
    c50.mul(f5).intoArray(c, co + 5 * cr); c51.mul(f5).intoArray(c, co + 5 * cr + L);
    var f6 = FloatVector.broadcast(Simd.F, f[ft + 6]);
    c60.mul(f6).intoArray(c, co + 6 * cr); c61.mul(f6).intoArray(c, co + 6 * cr + L);
    var f7 = FloatVector.broadcast(Simd.F, f[ft + 7]);
    c70.mul(f7).intoArray(c, co + 7 * cr); c71.mul(f7).intoArray(c, co + 7 * cr + L);
  }
}
