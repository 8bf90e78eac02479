package jacquard.kernels.cpu;

import jdk.incubator.vector.FloatVector;

/// C [m,n] (+)= A [m,k] · B [k,n] on arrays with strides. B is packed in panels of NR columns that stream as vectors; rows of A are read
/// where they lie and broadcast (after Goto and van de Geijn 2008). Every element sums k in one order: the same bits for any split.
public final class CpuMatMul {
  /// Accumulators + broadcasts + loads must fit the registers: 4·2 + 4 + 2 = 14 of 16, 8·2 + 8 + 2 = 26 of 32.
  private static final boolean WIDE = Simd.LANES == 16;
  static final int MR = WIDE ? 8 : 4, NR = 2 * Simd.LANES;
  /// Depth of a slab: up to so many products are summed in registers, and C is written once. A panel of B, KC·NR floats, streams from L2.
  static final int KC = 768;
  /// Columns whose slab of B, KC·NC floats, stays in L2 while rows of A stream by (of 1 MiB, of 512 KiB).
  private static final int NC = WIDE ? 192 : 128;
  /// Rows that one piece of work takes at most, and that it takes fewer columns for.
  private static final int MC = 2048, FEW = 96;
  /// Rows of A that are transposed at a time where there is no other thread to share them with.
  private static final int BLOCK = 96;
  /// Floats of packed operands at a time, 16 MiB: a deeper product is cut, and its panels stay in L3.
  private static final int PACKED = 1 << 22;

  /// Where packed panels begin: a large array of G1 starts at 16 mod 64 bytes, so that panels lie on cache lines.
  static final int ALIGNED = 12;

  /// What is done to finished elements while they are in the cache.
  public interface Epilogue { void finish(int fromRow, int toRow, int fromColumn, int toColumn); }

  private static final class Scratch {
    float[] a = {}, b = {}, c = new float[MR * NR];
    int[] rows = new int[MC + MR];
    float[] a(int n) { return a.length >= n ? a : (a = new float[n]); }
    float[] b(int n) { return b.length >= n ? b : (b = new float[n]); }
  }
  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);
  private static final ThreadLocal<float[][]> SHARED = ThreadLocal.withInitial(() -> new float[2][0]);

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
    int most = Math.max(1, PACKED / (ac == 1 ? n : m + n) / KC) * KC, times = (k + most - 1) / most, deep = ((k + times - 1) / times + 15) / 16 * 16;
    for (int k0 = 0; k0 < k; k0 += deep) {
      int depth = Math.min(deep, k - k0), from = bo + k0 * br;
      float[] bp = chunks(m, n) == 1 ? null : pack(n, depth, b, from, br, bc, shared(0, packed(n, depth), depth, n));
      pieces(accumulate || k0 > 0, m, n, depth, a, ao + k0 * ac, ar, ac, bp, b, from, br, bc, c, co, cr, k0 + depth < k ? null : epilogue);
    }
  }

  /// Floats of a packed operand.
  static long packed(int n, int k) { return ALIGNED + (long) panels(n) * NR * k; }

  /// All of B [k,n], slab by slab of KC: [slab][panel][depth][NR], from ALIGNED on. Returns `into`.
  static float[] pack(int n, int k, float[] b, int bo, int br, int bc, float[] into) {
    Parallel.rows(panels(n), Math.max(1, 65536 / (NR * k)), (from, to) ->
        packPanels(n, k, from, Math.min(n, to * NR) - from * NR, b, bo + from * NR * bc, br, bc, into));
    return into;
  }

  /// The panels from `panel` on of `columns` columns, which begin at `b[bo]`.
  static void packPanels(int n, int k, int panel, int columns, float[] b, int bo, int br, int bc, float[] into) {
    for (int k0 = 0; k0 < k; k0 += KC) {
      int depth = Math.min(KC, k - k0);
      packB(into, ALIGNED + (k0 * panels(n) + panel * depth) * NR, depth, 0, columns, b, bo + k0 * br, br, bc);
    }
  }

  /// A thread's buffer for columns on their way into panels.
  static float[] stripe(int size) { return SCRATCH.get().b(size); }

  /// C (+)= A · B with B packed.
  static void multiply(boolean accumulate, int m, int n, int k, float[] a, int ao, int ar, int ac, float[] bp, float[] c, int co, int cr, Epilogue epilogue) {
    pieces(accumulate, m, n, k, a, ao, ar, ac, bp, null, 0, 0, 0, c, co, cr, epilogue);
  }

  /// With `bp` null a piece packs its columns of B itself: where it takes all rows nobody else needs them.
  private static void pieces(boolean accumulate, int m, int n, int k, float[] a, int ao, int ar, int ac, float[] bp, float[] b, int bo, int br, int bc,
                             float[] c, int co, int cr, Epilogue epilogue) {
    float[] lines = ac == 1 ? a : rowsOfA(shared(1, ALIGNED + (long) m * k, m, k), m, k, a, ao, ar, ac);
    int first = ac == 1 ? ao : ALIGNED, step = ac == 1 ? ar : k;
    int panels = panels(n), wide = wide(m), columns = (n + wide - 1) / wide, rows = chunks(m, n), high = rows((m + rows - 1) / rows);
    Parallel.run(rows * columns, piece -> {
      int i0 = Math.min(m, piece / columns * high), i1 = Math.min(m, i0 + high), j0 = piece % columns * wide, j1 = Math.min(n, j0 + wide);
      var scratch = SCRATCH.get();
      for (int k0 = 0; k0 < k; k0 += KC) {
        int depth = Math.min(KC, k - k0);
        float[] p = bp != null ? bp : scratch.b(ALIGNED + columns(j1 - j0) * depth);
        if (bp == null) packB(p, ALIGNED, depth, j0, j1, b, bo + k0 * br, br, bc);
        rows(scratch.rows, i1 - i0, first + i0 * step + k0, step);
        tiles(accumulate || k0 > 0, i1 - i0, j1 - j0, depth, lines, scratch.rows, p, ALIGNED + (bp == null ? 0 : (k0 * panels + j0 / NR * depth) * NR), c, co + i0 * cr + j0, cr, scratch.c);
      }
      if (epilogue != null) epilogue.finish(i0, i1, j0, j1);
    });
  }

  private static int wide(int m) { return m <= FEW ? FEW / NR * NR : NC; }

  /// Into how many chunks of rows work is cut, so that no core waits for the others long.
  private static int chunks(int m, int n) {
    int columns = (n + wide(m) - 1) / wide(m);
    return Math.max((m + MC - 1) / MC, Math.min((m + FEW - 1) / FEW, 4 * Parallel.threads() / columns));
  }

  /// All of A [m,k] as rows of k in `into`, from ALIGNED on.
  private static float[] rowsOfA(float[] into, int m, int k, float[] a, int ao, int ar, int ac) {
    Parallel.rows(m, BLOCK, (from, to) -> transpose(into, ALIGNED + from * k, k, to - from, a, ao + from * ar, ar, ac));
    return into;
  }

  /// On this thread alone, for the tiles inside other kernels.
  static void serial(boolean accumulate, int m, int n, int k, float[] a, int ao, int ar, int ac, float[] b, int bo, int br, int bc, float[] c, int co, int cr) {
    var scratch = SCRATCH.get();
    float[] bp = scratch.b(ALIGNED + columns(n) * Math.min(k, KC));
    for (int k0 = 0; k0 < k; k0 += KC) {
      int depth = Math.min(KC, k - k0);
      packB(bp, ALIGNED, depth, 0, n, b, bo + k0 * br, br, bc);
      for (int i0 = 0; i0 < m; i0 += BLOCK) {
        int rows = Math.min(BLOCK, m - i0);
        float[] from = blockOfA(scratch, depth, rows, a, ao + i0 * ar + k0 * ac, ar, ac);
        tiles(accumulate || k0 > 0, rows, n, depth, from, scratch.rows, bp, ALIGNED, c, co + i0 * cr, cr, scratch.c);
      }
    }
  }

  /// C_t += A·B_t on this thread alone for t < times, where row q of B_t begins at `rows[q] + t·bt`, and C_t at co + t·ct.
  static void serialRows(int times, int m, int n, int k, float[] a, int ao, int ar, int ac, float[] b, int[] rows, int bt, float[] c, int co, int ct, int cr) {
    var scratch = SCRATCH.get();
    int wide = columns(n);
    float[] bp = scratch.b(ALIGNED + times * wide * Math.min(k, KC));
    for (int k0 = 0; k0 < k; k0 += KC) {
      int depth = Math.min(KC, k - k0);
      for (int t = 0; t < times; t++) packRows(bp, ALIGNED + t * wide * depth, k0, depth, n, b, rows, t * bt);
      for (int i0 = 0; i0 < m; i0 += BLOCK) {
        int count = Math.min(BLOCK, m - i0);
        float[] from = blockOfA(scratch, depth, count, a, ao + i0 * ar + k0 * ac, ar, ac);
        for (int t = 0; t < times; t++) tiles(true, count, n, depth, from, scratch.rows, bp, ALIGNED + t * wide * depth, c, co + i0 * cr + t * ct, cr, scratch.c);
      }
    }
  }

  /// Where rows begin: `first`, `first + step`, …, the last again and again up to a multiple of MR.
  static void rows(int[] rows, int m, int first, int step) { for (int i = 0; i < rows(m); i++) rows[i] = first + Math.min(i, m - 1) * step; }

  /// `m` rounded up to whole tiles.
  static int rows(int m) { return (m + MR - 1) / MR * MR; }

  /// `n` rounded up to whole panels.
  static int columns(int n) { return panels(n) * NR; }

  /// Columns that are computed for `n`: half of the last panel, where that will do and is faster.
  static int lanes(int n) { return WIDE ? (n + Simd.LANES - 1) / Simd.LANES * Simd.LANES : columns(n); }

  static int panels(int n) { return (n + NR - 1) / NR; }

  /// The calling thread's buffer for a packed operand that all cores read: B, or A.
  static float[] shared(long size, int k, int n) { return shared(0, size, k, n); }

  private static float[] shared(int operand, long size, int k, int n) {
    if (size > Integer.MAX_VALUE - 64) throw new IllegalArgumentException("a matrix of " + k + "×" + n + " is too large to pack");
    float[][] shared = SHARED.get();
    if (shared[operand].length < size) shared[operand] = new float[(int) size];
    return shared[operand];
  }

  /// Fills `scratch.rows` with where each row of a block of A begins, in A itself or in a transposed copy; returns that array.
  private static float[] blockOfA(Scratch scratch, int depth, int m, float[] a, int ao, int ar, int ac) {
    boolean there = ac == 1;
    rows(scratch.rows, m, there ? ao : ALIGNED, there ? ar : depth);
    if (there) return a;
    float[] p = scratch.a(ALIGNED + BLOCK * KC);
    transpose(p, ALIGNED, depth, m, a, ao, ar, ac);
    return p;
  }

  /// p [m, depth] from a(i, q) = a[ao + i·ar + q·ac].
  static void transpose(float[] p, int at, int depth, int m, float[] a, int ao, int ar, int ac) {
    if (ar == 1) Transpose.run(depth, m, a, ao, ac, p, at, depth);
    else for (int i = 0; i < m; i++) for (int q = 0; q < depth; q++) p[at + i * depth + q] = a[ao + i * ar + q * ac];
  }

  /// C [m,n] (+)= rows of `a` that begin at `rows[i]` · packed panels. `rows` holds MR − 1 more entries, valid offsets too.
  static void tiles(boolean accumulate, int m, int n, int depth, float[] a, int[] rows, float[] bp, int bpo, float[] c, int co, int cr, float[] tile) {
    tiles(accumulate, m, n, depth, a, rows, bp, bpo, depth, c, co, cr, tile);
  }

  /// The same with the first `depth` rows of panels that are `packed` rows deep. A few rows of A meet all panels of a block before the next rows do:
  /// what streams from further away than L2, rows and C, comes a little at a time.
  static void tiles(boolean accumulate, int m, int n, int depth, float[] a, int[] rows, float[] bp, int bpo, int packed, float[] c, int co, int cr, float[] tile) {
    for (int j0 = 0; j0 < n; j0 += NC)
      for (int i = 0; i < m; i += MR)
        for (int j = j0; j < Math.min(n, j0 + NC); j += NR) {
          int high = Math.min(MR, m - i), wide = Math.min(NR, n - j), at = co + i * cr + j;
          boolean whole = high == MR && wide == NR;
          if (WIDE && wide <= Simd.LANES) {
            boolean direct = high == MR && wide == Simd.LANES && !accumulate;
            half(depth, a, rows, i, bp, bpo + j * packed, direct ? c : tile, direct ? at : 0, direct ? cr : NR);
            if (!direct) addEdge(accumulate, high, wide, tile, c, at, cr);
          }
          else if (whole && !accumulate) kernel(depth, a, rows, i, bp, bpo + j * packed, c, at, cr);
          else {
            kernel(depth, a, rows, i, bp, bpo + j * packed, tile, 0, NR);
            if (whole) addTile(tile, c, at, cr);
            else addEdge(accumulate, high, wide, tile, c, at, cr);
          }
        }
  }

  static void addEdge(boolean accumulate, int high, int wide, float[] tile, float[] c, int at, int cr) {
    for (int r = 0; r < high; r++, at += cr) {
      if (accumulate) for (int s = 0; s < wide; s++) c[at + s] += tile[r * NR + s];
      else System.arraycopy(tile, r * NR, c, at, wide);
    }
  }

  /// C += tile. Not part of the kernels: with it C2 gives up inlining there, and boxes accumulators.
  private static void addTile(float[] tile, float[] c, int at, int cr) {
    for (int r = 0; r < MR; r++, at += cr) {
      FloatVector.fromArray(Simd.F, c, at).add(FloatVector.fromArray(Simd.F, tile, r * NR)).intoArray(c, at);
      FloatVector.fromArray(Simd.F, c, at + Simd.LANES).add(FloatVector.fromArray(Simd.F, tile, r * NR + Simd.LANES)).intoArray(c, at + Simd.LANES);
    }
  }

  static float[] edge() { return SCRATCH.get().c; }

  private static void kernel(int k, float[] a, int[] rows, int i, float[] b, int bo, float[] c, int co, int cr) {
    if (WIDE) kernel8x2(k, a, rows[i], rows[i + 1], rows[i + 2], rows[i + 3], rows[i + 4], rows[i + 5], rows[i + 6], rows[i + 7], b, bo, c, co, cr);
    else kernel4x2(k, a, rows[i], rows[i + 1], rows[i + 2], rows[i + 3], b, bo, c, co, cr);
  }

  /// The left half of a panel, for few columns. (Of 4 rows it would be no faster than the whole: four chains of sums wait for each other.)
  private static void half(int k, float[] a, int[] rows, int i, float[] b, int bo, float[] c, int co, int cr) {
    kernel8x1(k, a, rows[i], rows[i + 1], rows[i + 2], rows[i + 3], rows[i + 4], rows[i + 5], rows[i + 6], rows[i + 7], b, bo, c, co, cr);
  }

  /// 8 rows × 1 vector, of panels two vectors wide.
  private static void kernel8x1(int k, float[] a, int r0, int r1, int r2, int r3, int r4, int r5, int r6, int r7, float[] b, int bo, float[] c, int co, int cr) {
    FloatVector z = FloatVector.zero(Simd.F), c0 = z, c1 = z, c2 = z, c3 = z, c4 = z, c5 = z, c6 = z, c7 = z;
    for (int p = 0; p < k; p++) {
      var b0 = FloatVector.fromArray(Simd.F, b, bo);
      c0 = FloatVector.broadcast(Simd.F, a[r0 + p]).fma(b0, c0); c1 = FloatVector.broadcast(Simd.F, a[r1 + p]).fma(b0, c1);
      c2 = FloatVector.broadcast(Simd.F, a[r2 + p]).fma(b0, c2); c3 = FloatVector.broadcast(Simd.F, a[r3 + p]).fma(b0, c3);
      c4 = FloatVector.broadcast(Simd.F, a[r4 + p]).fma(b0, c4); c5 = FloatVector.broadcast(Simd.F, a[r5 + p]).fma(b0, c5);
      c6 = FloatVector.broadcast(Simd.F, a[r6 + p]).fma(b0, c6); c7 = FloatVector.broadcast(Simd.F, a[r7 + p]).fma(b0, c7);
      bo += 2 * Simd.LANES;
    }
    c0.intoArray(c, co); c1.intoArray(c, co + cr); c2.intoArray(c, co + 2 * cr); c3.intoArray(c, co + 3 * cr);
    c4.intoArray(c, co + 4 * cr); c5.intoArray(c, co + 5 * cr); c6.intoArray(c, co + 6 * cr); c7.intoArray(c, co + 7 * cr);
  }

  /// 4 rows × 2 vectors.
  private static void kernel4x2(int k, float[] a, int r0, int r1, int r2, int r3, float[] b, int bo, float[] c, int co, int cr) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F), c00 = z, c01 = z, c10 = z, c11 = z, c20 = z, c21 = z, c30 = z, c31 = z;
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
  private static void kernel8x2(int k, float[] a, int r0, int r1, int r2, int r3, int r4, int r5, int r6, int r7, float[] b, int bo, float[] c, int co, int cr) {
    final int L = Simd.LANES;
    FloatVector z = FloatVector.zero(Simd.F), c00 = z, c01 = z, c10 = z, c11 = z, c20 = z, c21 = z, c30 = z, c31 = z, c40 = z, c41 = z, c50 = z, c51 = z, c60 = z, c61 = z, c70 = z, c71 = z;
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

  /// Columns j0 … j1−1 of B in panels [depth][NR], zeros right of the last.
  static void packB(float[] p, int at, int depth, int j0, int j1, float[] b, int bo, int br, int bc) {
    for (int j = j0; j < j1; j += NR, at += NR * depth) {
      int columns = Math.min(NR, j1 - j);
      if (bc == 1) for (int q = 0; q < depth; q++) packRow(p, at + q * NR, columns, b, bo + q * br + j);
      else {
        if (br == 1) Transpose.run(columns, depth, b, bo + j * bc, bc, p, at, NR);
        else for (int q = 0; q < depth; q++) for (int s = 0; s < columns; s++) p[at + q * NR + s] = b[bo + q * br + (j + s) * bc];
        if (columns < NR) for (int q = 0; q < depth; q++) java.util.Arrays.fill(p, at + q * NR + columns, at + q * NR + NR, 0);
      }
    }
  }

  /// The same from rows that begin at `rows[q0 …]`, their columns adjacent.
  static void packRows(float[] p, int at, int q0, int depth, int n, float[] b, int[] rows, int bo) {
    for (int j = 0; j < n; j += NR, at += NR * depth)
      for (int q = 0; q < depth; q++) packRow(p, at + q * NR, Math.min(NR, n - j), b, rows[q0 + q] + bo + j);
  }

  private static void packRow(float[] p, int at, int columns, float[] b, int from) {
    if (columns == NR) {
      FloatVector.fromArray(Simd.F, b, from).intoArray(p, at);
      FloatVector.fromArray(Simd.F, b, from + Simd.LANES).intoArray(p, at + Simd.LANES);
    } else {
      System.arraycopy(b, from, p, at, columns);
      for (int s = columns; s < NR; s++) p[at + s] = 0;
    }
  }
}
