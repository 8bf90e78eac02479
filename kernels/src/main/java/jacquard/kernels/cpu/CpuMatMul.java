package jacquard.kernels.cpu;

import jdk.incubator.vector.FloatVector;

/// C [m,n] (+)= A [m,k] · B [k,n] on arrays with strides. Panels of A (MR rows) and B (NR columns) are packed so that the micro-kernel
/// streams B as vectors and broadcasts A (Goto and van de Geijn 2008). Every element sums k in one order: the same bits for any split.
public final class CpuMatMul {
  /// Accumulators + broadcasts + loads must fit the registers: 4·2 + 4 + 2 = 14 of 16, 8·2 + 8 + 2 = 26 of 32.
  private static final boolean WIDE = Simd.LANES == 16;
  static final int MR = WIDE ? 8 : 4, NR = 2 * Simd.LANES;
  /// A panel of B, KC·NR floats, stays in L1 beside one of A.
  private static final int KC = 256;
  /// A block of A, MC·KC floats = 96 KiB, stays in L2.
  private static final int MC = 96;
  /// Columns of B that one piece of work takes.
  private static final int NC = 768;

  /// What is done to finished elements while they are in the cache.
  public interface Epilogue { void finish(int fromRow, int toRow, int fromColumn, int toColumn); }

  private static final class Scratch {
    float[] a = {}, b = {}, c = new float[MR * NR];
    float[] a(int n) { return a.length >= n ? a : (a = new float[n]); }
    float[] b(int n) { return b.length >= n ? b : (b = new float[n]); }
  }
  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);
  private static final ThreadLocal<float[][]> SHARED = ThreadLocal.withInitial(() -> new float[1][0]);

  private CpuMatMul() {}

  /// On all cores. `ar, ac` are the row and column strides of A, and so on; C's columns are adjacent.
  public static void run(boolean accumulate, int m, int n, int k, float[] a, int ao, int ar, int ac, float[] b, int bo, int br, int bc,
                         float[] c, int co, int cr, Epilogue epilogue) {
    if (m == 0 || n == 0) return;
    if (k == 0) {
      if (!accumulate) for (int i = 0; i < m; i++) java.util.Arrays.fill(c, co + i * cr, co + i * cr + n, 0);
      if (epilogue != null) epilogue.finish(0, m, 0, n);
      return;
    }
    int panels = (n + NR - 1) / NR;
    long size = (long) panels * NR * k;
    if (size > Integer.MAX_VALUE - 64) throw new IllegalArgumentException("a matrix of " + k + "×" + n + " is too large to pack");
    float[][] shared = SHARED.get();
    if (shared[0].length < size) shared[0] = new float[(int) size];
    float[] bp = shared[0];
    // All of B, slab by slab of KC: [slab][panel][KC][NR]
    Parallel.rows(panels, Math.max(1, 65536 / (NR * k)), (from, to) -> {
      for (int k0 = 0; k0 < k; k0 += KC) packB(bp, k0 * panels * NR + from * Math.min(KC, k - k0) * NR, Math.min(KC, k - k0), from * NR, Math.min(n, to * NR), b, bo + k0 * br, br, bc);
    });
    int rows = (m + MC - 1) / MC, wide = m <= MC ? NR * Math.max(1, 128 / NR) : NC / NR * NR, columns = (n + wide - 1) / wide;
    Parallel.run(rows * columns, piece -> {
      int i0 = piece / columns * MC, i1 = Math.min(m, i0 + MC), j0 = piece % columns * wide, j1 = Math.min(n, j0 + wide);
      var scratch = SCRATCH.get();
      float[] ap = scratch.a((MC + MR) * KC);
      for (int k0 = 0; k0 < k; k0 += KC) {
        int depth = Math.min(KC, k - k0);
        packA(ap, depth, i1 - i0, a, ao + i0 * ar + k0 * ac, ar, ac);
        tiles(accumulate || k0 > 0, i1 - i0, j1 - j0, depth, ap, bp, (k0 * panels + j0 / NR * depth) * NR, c, co + i0 * cr + j0, cr, scratch.c);
      }
      if (epilogue != null) epilogue.finish(i0, i1, j0, j1);
    });
  }

  /// On this thread alone, for the tiles inside other kernels.
  static void serial(boolean accumulate, int m, int n, int k, float[] a, int ao, int ar, int ac, float[] b, int bo, int br, int bc, float[] c, int co, int cr) {
    var scratch = SCRATCH.get();
    int panels = (n + NR - 1) / NR;
    float[] bp = scratch.b(panels * NR * Math.min(k, KC)), ap = scratch.a((MC + MR) * KC);
    for (int k0 = 0; k0 < k; k0 += KC) {
      int depth = Math.min(KC, k - k0);
      packB(bp, 0, depth, 0, n, b, bo + k0 * br, br, bc);
      for (int i0 = 0; i0 < m; i0 += MC) {
        int rows = Math.min(MC, m - i0);
        packA(ap, depth, rows, a, ao + i0 * ar + k0 * ac, ar, ac);
        tiles(accumulate || k0 > 0, rows, n, depth, ap, bp, 0, c, co + i0 * cr, cr, scratch.c);
      }
    }
  }

  private static void tiles(boolean accumulate, int m, int n, int depth, float[] ap, float[] bp, int bpo, float[] c, int co, int cr, float[] edge) {
    for (int j = 0; j < n; j += NR) {
      for (int i = 0; i < m; i += MR) {
        if (i + MR <= m && j + NR <= n) kernel(depth, ap, i * depth, bp, bpo + j * depth, c, co + i * cr + j, cr, accumulate);
        else {
          kernel(depth, ap, i * depth, bp, bpo + j * depth, edge, 0, NR, false);
          for (int r = 0; r < Math.min(MR, m - i); r++)
            for (int s = 0; s < Math.min(NR, n - j); s++) {
              int at = co + (i + r) * cr + j + s;
              c[at] = accumulate ? c[at] + edge[r * NR + s] : edge[r * NR + s];
            }
        }
      }
    }
  }

  private static void kernel(int k, float[] a, int ao, float[] b, int bo, float[] c, int co, int cr, boolean accumulate) {
    if (WIDE) kernel8x2(k, a, ao, b, bo, c, co, cr, accumulate); else kernel4x2(k, a, ao, b, bo, c, co, cr, accumulate);
  }

  /// 4 rows × 2 vectors.
  private static void kernel4x2(int k, float[] a, int ao, float[] b, int bo, float[] c, int co, int cr, boolean accumulate) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F), c00 = z, c01 = z, c10 = z, c11 = z, c20 = z, c21 = z, c30 = z, c31 = z;
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
    store(c, co, c00, c01, accumulate);
    store(c, co + cr, c10, c11, accumulate);
    store(c, co + 2 * cr, c20, c21, accumulate);
    store(c, co + 3 * cr, c30, c31, accumulate);
  }

  /// 8 rows × 2 vectors.
  private static void kernel8x2(int k, float[] a, int ao, float[] b, int bo, float[] c, int co, int cr, boolean accumulate) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F), c00 = z, c01 = z, c10 = z, c11 = z, c20 = z, c21 = z, c30 = z, c31 = z, c40 = z, c41 = z, c50 = z, c51 = z, c60 = z, c61 = z, c70 = z, c71 = z;
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
    store(c, co, c00, c01, accumulate);
    store(c, co + cr, c10, c11, accumulate);
    store(c, co + 2 * cr, c20, c21, accumulate);
    store(c, co + 3 * cr, c30, c31, accumulate);
    store(c, co + 4 * cr, c40, c41, accumulate);
    store(c, co + 5 * cr, c50, c51, accumulate);
    store(c, co + 6 * cr, c60, c61, accumulate);
    store(c, co + 7 * cr, c70, c71, accumulate);
  }

  private static void store(float[] c, int at, FloatVector x, FloatVector y, boolean accumulate) {
    if (accumulate) {
      x = x.add(FloatVector.fromArray(Simd.F, c, at));
      y = y.add(FloatVector.fromArray(Simd.F, c, at + Simd.LANES));
    }
    x.intoArray(c, at);
    y.intoArray(c, at + Simd.LANES);
  }

  /// Rows of A in panels [depth][MR], zeros below the last row.
  private static void packA(float[] p, int depth, int m, float[] a, int ao, int ar, int ac) {
    for (int i = 0, at = 0; i < m; i += MR, at += MR * depth) {
      int rows = Math.min(MR, m - i);
      for (int r = 0; r < MR; r++) {
        if (r >= rows) { for (int q = 0; q < depth; q++) p[at + q * MR + r] = 0; continue; }
        int from = ao + (i + r) * ar;
        for (int q = 0; q < depth; q++) p[at + q * MR + r] = a[from + q * ac];
      }
    }
  }

  /// Columns j0 … j1−1 of B in panels [depth][NR], zeros right of the last.
  private static void packB(float[] p, int at, int depth, int j0, int j1, float[] b, int bo, int br, int bc) {
    for (int j = j0; j < j1; j += NR, at += NR * depth) {
      int columns = Math.min(NR, j1 - j);
      if (bc == 1) {
        for (int q = 0; q < depth; q++) {
          System.arraycopy(b, bo + q * br + j, p, at + q * NR, columns);
          for (int s = columns; s < NR; s++) p[at + q * NR + s] = 0;
        }
      } else {
        for (int s = 0; s < NR; s++) {
          if (s >= columns) { for (int q = 0; q < depth; q++) p[at + q * NR + s] = 0; continue; }
          int from = bo + (j + s) * bc;
          for (int q = 0; q < depth; q++) p[at + q * NR + s] = b[from + q * br];
        }
      }
    }
  }
}
