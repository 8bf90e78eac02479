package jacquard.kernels.cpu.matmul;

import static jacquard.kernels.cpu.matmul.CpuMatMul.ALIGNED;
import static jacquard.kernels.cpu.matmul.CpuMatMul.BLOCK;
import static jacquard.kernels.cpu.matmul.CpuMatMul.MR;
import static jacquard.kernels.cpu.matmul.CpuMatMul.NR;
import static jacquard.kernels.cpu.matmul.CpuMatMul.rows;

import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jdk.incubator.vector.FloatVector;

/// How the operands of a product are laid out for [MicroKernel]: A in tiles of MR rows, B in panels of NR columns.
public final class Packing {
  /// Columns of A that are packed together where they lie side by side in memory.
  private static final int SIDE_BY_SIDE = 128;

  private Packing() {}

  /// All of A [m,k], slab by slab: [slab][tile][depth][MR], from ALIGNED on. Rows of the last tile that are not there
  /// are the last one's copies. Returns `into`.
  static float[] packA(float[] into, int m, int k, int slab, float[] a, int ao, int ar, int ac) {
    boolean columns = ar == 1 && ac >= MR;
    Parallel.rows(rows(m) / MR, (ac == 1 ? BLOCK : SIDE_BY_SIDE) / MR, (from, to) -> {
      for (int k0 = 0; k0 < k; k0 += slab) {
        int depth = Math.min(slab, k - k0);
        int at = ALIGNED + k0 * rows(m);
        int first = ao + k0 * ac;
        int whole = Math.min(to, m / MR);
        if (columns) packColumns(into, at, depth, from, whole, a, first, ac);
        else if (ac == 1)
          for (int t = from; t < whole; t++)
            Transpose.tile(depth, a, first + t * MR * ar, ar, into, at + t * MR * depth);
        for (int t = columns || ac == 1 ? Math.max(from, whole) : from; t < to; t++)
          for (int q = 0; q < depth; q++)
            for (int r = 0; r < MR; r++)
              into[at + (t * depth + q) * MR + r] = a[first + Math.min(t * MR + r, m - 1) * ar + q * ac];
      }
    });
    return into;
  }

  /// Tiles `from` … `to`−1 where the elements of a column are adjacent: a few columns at a time, whose lines stay in L1
  /// until all of them is read. A vector holds two tiles' elements; the second tile's are written over by the next
  /// column. (Vectors half as long would go into boxes: C2 takes the length that FloatVector's methods have seen
  /// before.)
  private static void packColumns(float[] into, int at, int depth, int from, int to, float[] a, int ao, int ac) {
    for (int q0 = 0; q0 < depth; q0 += 8)
      for (int t = from; t < to; t++) {
        int last = Math.min(depth - 1, q0 + 8), x = ao + t * MR, y = at + t * depth * MR;
        for (int q = q0; q < last; q++) FloatVector.fromArray(Simd.F, a, x + q * ac).intoArray(into, y + q * MR);
        if (last < q0 + 8) for (int r = 0; r < MR; r++) into[y + last * MR + r] = a[x + last * ac + r];
      }
  }

  /// Columns j0 … j1−1 of B in panels [depth][NR], zeros right of the last.
  public static void packB(float[] p, int at, int depth, int j0, int j1, float[] b, int bo, int br, int bc) {
    for (int j = j0; j < j1; j += NR, at += NR * depth) {
      int columns = Math.min(NR, j1 - j);
      if (bc == 1) for (int q = 0; q < depth; q++) packRow(p, at + q * NR, columns, b, bo + q * br + j);
      else {
        if (br == 1) Transpose.run(columns, depth, b, bo + j * bc, bc, p, at, NR);
        else for (int q = 0; q < depth; q++)
          for (int s = 0; s < columns; s++) p[at + q * NR + s] = b[bo + q * br + (j + s) * bc];
        if (columns < NR)
          for (int q = 0; q < depth; q++) java.util.Arrays.fill(p, at + q * NR + columns, at + q * NR + NR, 0);
      }
    }
  }

  /// The same from rows that begin at `rows[q0 …]`, their columns adjacent.
  public static void packRows(float[] p, int at, int q0, int depth, int n, float[] b, int[] rows, int bo) {
    for (int j = 0; j < n; j += NR, at += NR * depth)
      for (int q = 0; q < depth; q++) packRow(p, at + q * NR, Math.min(NR, n - j), b, rows[q0 + q] + bo + j);
  }

  private static void packRow(float[] p, int at, int columns, float[] b, int from) {
    if (columns == NR) {
      FloatVector.fromArray(Simd.F, b, from).intoArray(p, at);
      FloatVector.fromArray(Simd.F, b, from + Simd.LANES).intoArray(p, at + Simd.LANES);
    } else {
      FloatVector.zero(Simd.F).intoArray(p, at);
      FloatVector.zero(Simd.F).intoArray(p, at + Simd.LANES);
      System.arraycopy(b, from, p, at, columns);
    }
  }

  /// p [m, depth] from a(i, q) = a[ao + i·ar + q·ac].
  static void transpose(float[] p, int at, int depth, int m, float[] a, int ao, int ar, int ac) {
    if (ar == 1) Transpose.run(depth, m, a, ao, ac, p, at, depth);
    else for (int i = 0; i < m; i++) for (int q = 0; q < depth; q++) p[at + i * depth + q] = a[ao + i * ar + q * ac];
  }
}
