package jacquard.kernels.cpu.matmul;

import static jacquard.kernels.cpu.matmul.Edges.addEdge;
import static jacquard.kernels.cpu.matmul.Edges.addTile;
import static jacquard.kernels.cpu.matmul.Slabs.pack;
import static jacquard.kernels.cpu.matmul.Slabs.slab;

import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;

/// C [m,n] (+)= A [m,k] · B [k,n] on arrays with strides. B is packed in panels of NR columns that stream as vectors, A
/// in tiles of MR rows that are broadcast (after Goto and van de Geijn 2008). Every element sums k in one order: the
/// same bits for any split.
public final class CpuMatMul {
  /// Accumulators + broadcasts + loads must fit the registers: 4·2 + 4 + 2 = 14 of 16, 8·2 + 8 + 2 = 26 of 32.
  static final boolean WIDE = Simd.LANES == 16;
  public static final int MR = WIDE ? 8 : 4, NR = 2 * Simd.LANES;
  /// Depth of a slab: up to so many products are summed in registers, and C is written once. A panel of B, KC·NR
  /// floats, streams from L2.
  public static final int KC = 768;
  /// Columns whose slab of B, KC·NC floats, stays in L2, 384 KiB, while tiles of A stream by. (576 KiB of 1 MiB were
  /// faster in some JVMs and a tenth slower in others.)
  private static final int NC = 128;
  /// Rows whose A is packed at a time, and few rows, for which a piece of work takes fewer columns.
  private static final int MC = 1024, FEW = 96;
  /// Rows that meet a slab of B before the epilogue does, so that it finds them in the cache.
  static final int BLOCK = 96;
  /// Floats of packed operands at a time, 4 MiB: a deeper product is cut, so that what is written here and soon read
  /// again never leaves L3.
  private static final int PACKED = 1 << 20;
  /// Floats of B, 16 MiB, that are packed once where several chunks of rows need them.
  private static final int KEPT = 1 << 22;
  /// Up to so many columns, or FEW rows, packing A costs more than it saves: its rows are read where they lie.
  private static final int NARROW = 256;

  /// Pieces of work a thread: FINE where B is packed beforehand, so that no core waits long for the others; COARSE
  /// where pieces of all rows may pack B themselves.
  private static final int COARSE = 4, FINE = 8;

  /// Where packed panels begin: a large array of G1 starts at 16 mod 64 bytes, so that panels lie on cache lines.
  public static final int ALIGNED = 12;

  /// What is done to finished elements while they are in the cache.
  public interface Epilogue { void finish(int fromRow, int toRow, int fromColumn, int toColumn); }

  private static final class Scratch {
    float[] a = {}, b = {}, c = new float[MR * NR];
    int[] rows = new int[BLOCK + MR];
    float[] a(int n) { return a.length >= n ? a : (a = new float[n]); }
    float[] b(int n) { return b.length >= n ? b : (b = new float[n]); }
  }
  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);
  private static final ThreadLocal<float[][]> SHARED = ThreadLocal.withInitial(() -> new float[2][0]);

  private CpuMatMul() {}

  /// On all cores. `ar, ac` are the row and column strides of A, and so on; C's columns are adjacent.
  public static void run(boolean accumulate, int m, int n, int k, float[] a, int ao, int ar, int ac, float[] b, int bo,
      int br, int bc,
                         float[] c, int co, int cr, Epilogue epilogue) {
    if (m == 0 || n == 0) return;
    if (k == 0) {
      if (!accumulate) for (int i = 0; i < m; i++) java.util.Arrays.fill(c, co + i * cr, co + i * cr + n, 0);
      if (epilogue != null) epilogue.finish(0, m, 0, n);
      return;
    }
    int slab = slab(k);
    int times = (m + MC - 1) / MC;
    int tall = rows((m + times - 1) / times);
    int deep = Math.max(1, PACKED / (tall + n) / slab) * slab;
    float[] kept = times > 1 && (long) n * k <= KEPT ? pack(n, k, slab, b, bo, br, bc, shared(0, packed(n, k), k, n))
        : null;
    for (int i0 = 0; i0 < m; i0 += tall) {
      int high = Math.min(tall, m - i0), at = i0;
      Epilogue finish = epilogue == null ? null : (i, to, j0, j1) -> epilogue.finish(at + i, at + to, j0, j1);
      for (int k0 = 0; k0 < k; k0 += deep) {
        int depth = Math.min(deep, k - k0), from = bo + k0 * br;
        float[] bp = kept != null || chunks(COARSE, high, n) == 1 ? kept
            : pack(n, depth, slab, b, from, br, bc, shared(0, packed(n, depth), depth, n));
        pieces(accumulate || k0 > 0, high, n, depth, slab, a, ao + i0 * ar + k0 * ac, ar, ac, bp,
            kept == null ? 0 : k0 * columns(n), b, from, br, bc,
            c, co + i0 * cr, cr, k0 + depth < k ? null : finish);
      }
    }
  }

  /// Floats of a packed operand.
  public static long packed(int n, int k) { return ALIGNED + (long) panels(n) * NR * k; }

  /// A thread's buffer for columns on their way into panels.
  static float[] stripe(int size) { return SCRATCH.get().b(size); }

  /// C (+)= A · B with B packed.
  static void multiply(boolean accumulate, int m, int n, int k, float[] a, int ao, int ar, int ac, float[] bp,
      float[] c, int co, int cr, Epilogue epilogue) {
    pieces(accumulate, m, n, k, slab(k), a, ao, ar, ac, bp, 0, null, 0, 0, 0, c, co, cr, epilogue);
  }

  /// With `bp` null a piece packs its columns of B itself: where it takes all rows nobody else needs them.
  private static void pieces(boolean accumulate, int m, int n, int k, int slab, float[] a, int ao, int ar, int ac,
      float[] bp, int bpo,
                             float[] b, int bo, int br, int bc, float[] c, int co, int cr, Epilogue epilogue) {
    float[] ap = ac == 1 && (m <= FEW || n <= NARROW) ? null
        : Packing.packA(shared(1, ALIGNED + (long) rows(m) * k, m, k), m, k, slab, a, ao, ar, ac);
    int panels = panels(n);
    int wide = m <= FEW ? FEW / NR * NR : NC;
    int columns = (n + wide - 1) / wide;
    int rows = bp == null ? 1 : chunks(FINE, m, n);
    int high = rows((m + rows - 1) / rows);
    Parallel.run(rows * columns, piece -> {
      int i0 = Math.min(m, piece / columns * high);
      int i1 = Math.min(m, i0 + high);
      int j0 = piece % columns * wide;
      int j1 = Math.min(n, j0 + wide);
      var scratch = SCRATCH.get();
      for (int k0 = 0; k0 < k; k0 += slab) {
        int depth = Math.min(slab, k - k0);
        int panel = ALIGNED + (bp == null ? 0 : bpo + (k0 * panels + j0 / NR * depth) * NR);
        float[] p = bp != null ? bp : scratch.b(ALIGNED + columns(j1 - j0) * depth);
        if (bp == null) Packing.packB(p, ALIGNED, depth, j0, j1, b, bo + k0 * br, br, bc);
        for (int i = i0; i < i1; i += BLOCK) {
          int count = Math.min(BLOCK, i1 - i), at = co + i * cr + j0;
          if (ap != null)
            packedTiles(accumulate || k0 > 0, count, j1 - j0, depth, ap, ALIGNED + k0 * rows(m) + i * depth, p, panel,
                c, at, cr, scratch.c);
          else if (m == 1) row(accumulate || k0 > 0, j1 - j0, depth, a, ao + k0, p, panel, c, at, scratch.c);
          else {
            rows(scratch.rows, count, ao + i * ar + k0, ar);
            tiles(accumulate || k0 > 0, count, j1 - j0, depth, a, scratch.rows, p, panel, c, at, cr, scratch.c);
          }
          if (epilogue != null && k0 + depth == k) epilogue.finish(i, i + count, j0, j1);
        }
      }
    });
  }

  /// Into how many chunks of rows work is cut for so many pieces a thread.
  private static int chunks(int pieces, int m, int n) {
    int columns = (n + NC - 1) / NC;
    return m <= FEW ? 1 : Math.max(1, Math.min((m + FEW - 1) / FEW, pieces * Parallel.threads() / columns));
  }

  /// On this thread alone, for the tiles inside other kernels.
  public static void serial(boolean accumulate, int m, int n, int k, float[] a, int ao, int ar, int ac, float[] b,
      int bo,
      int br, int bc, float[] c, int co, int cr) {
    var scratch = SCRATCH.get();
    float[] bp = scratch.b(ALIGNED + columns(n) * Math.min(k, KC));
    for (int k0 = 0; k0 < k; k0 += KC) {
      int depth = Math.min(KC, k - k0);
      Packing.packB(bp, ALIGNED, depth, 0, n, b, bo + k0 * br, br, bc);
      for (int i0 = 0; i0 < m; i0 += BLOCK) {
        int rows = Math.min(BLOCK, m - i0);
        float[] from = blockOfA(scratch, depth, rows, a, ao + i0 * ar + k0 * ac, ar, ac);
        tiles(accumulate || k0 > 0, rows, n, depth, from, scratch.rows, bp, ALIGNED, c, co + i0 * cr, cr, scratch.c);
      }
    }
  }

  /// C_t += A·B_t on this thread alone for t < times, where row q of B_t begins at `rows[q] + t·bt`, and C_t at co +
  /// t·ct.
  public static void serialRows(int times, int m, int n, int k, float[] a, int ao, int ar, int ac, float[] b,
      int[] rows,
      int bt, float[] c, int co, int ct, int cr) {
    var scratch = SCRATCH.get();
    int wide = columns(n);
    float[] bp = scratch.b(ALIGNED + times * wide * Math.min(k, KC));
    for (int k0 = 0; k0 < k; k0 += KC) {
      int depth = Math.min(KC, k - k0);
      for (int t = 0; t < times; t++) Packing.packRows(bp, ALIGNED + t * wide * depth, k0, depth, n, b, rows, t * bt);
      for (int i0 = 0; i0 < m; i0 += BLOCK) {
        int count = Math.min(BLOCK, m - i0);
        float[] from = blockOfA(scratch, depth, count, a, ao + i0 * ar + k0 * ac, ar, ac);
        for (int t = 0; t < times; t++)
          tiles(true, count, n, depth, from, scratch.rows, bp, ALIGNED + t * wide * depth, c, co + i0 * cr + t * ct,
              cr, scratch.c);
      }
    }
  }

  /// Where rows begin: `first`, `first + step`, …, the last again and again up to a multiple of MR.
  public static void rows(int[] rows, int m, int first, int step) {
    for (int i = 0; i < rows(m); i++) rows[i] = first + Math.min(i, m - 1) * step;
  }

  /// `m` rounded up to whole tiles.
  public static int rows(int m) { return (m + MR - 1) / MR * MR; }

  /// `n` rounded up to whole panels.
  public static int columns(int n) { return panels(n) * NR; }

  /// Columns that are computed for `n`: half of the last panel, where that will do and is faster.
  public static int lanes(int n) { return WIDE ? (n + Simd.LANES - 1) / Simd.LANES * Simd.LANES : columns(n); }

  public static int panels(int n) { return (n + NR - 1) / NR; }

  /// The calling thread's buffer for a packed operand that all cores read: B, or A.
  public static float[] shared(long size, int k, int n) { return shared(0, size, k, n); }

  private static float[] shared(int operand, long size, int k, int n) {
    if (size > Integer.MAX_VALUE - 64)
      throw new IllegalArgumentException("a matrix of " + k + "×" + n + " is too large to pack");
    float[][] shared = SHARED.get();
    if (shared[operand].length < size) shared[operand] = new float[(int) size];
    return shared[operand];
  }

  /// Fills `scratch.rows` with where each row of a block of A begins, in A itself or in a transposed copy; returns that
  /// array.
  private static float[] blockOfA(Scratch scratch, int depth, int m, float[] a, int ao, int ar, int ac) {
    boolean there = ac == 1;
    rows(scratch.rows, m, there ? ao : ALIGNED, there ? ar : depth);
    if (there) return a;
    float[] p = scratch.a(ALIGNED + BLOCK * KC);
    Packing.transpose(p, ALIGNED, depth, m, a, ao, ar, ac);
    return p;
  }

  /// C [m,n] (+)= rows of `a` that begin at `rows[i]` · packed panels. `rows` holds MR − 1 more entries, valid offsets
  /// too.
  public static void tiles(boolean accumulate, int m, int n, int depth, float[] a, int[] rows, float[] bp, int bpo,
      float[] c,
      int co, int cr, float[] tile) {
    tiles(accumulate, m, n, depth, a, rows, bp, bpo, depth, c, co, cr, tile);
  }

  /// The same with the first `depth` rows of panels that are `packed` rows deep. A few rows of A meet all panels of a
  /// block before the next rows do: what streams from further away than L2, rows and C, comes a little at a time.
  public static void tiles(boolean accumulate, int m, int n, int depth, float[] a, int[] rows, float[] bp, int bpo,
      int packed, float[] c, int co, int cr, float[] tile) {
    for (int j0 = 0; j0 < n; j0 += NC)
      for (int i = 0; i < m; i += MR)
        for (int j = j0; j < Math.min(n, j0 + NC); j += NR) {
          int high = Math.min(MR, m - i), wide = Math.min(NR, n - j), at = co + i * cr + j;
          boolean whole = high == MR && wide == NR;
          if (WIDE && wide <= Simd.LANES) {
            boolean direct = high == MR && wide == Simd.LANES && !accumulate;
            MicroKernel.half(depth, a, rows, i, bp, bpo + j * packed, direct ? c : tile, direct ? at : 0,
                direct ? cr : NR);
            if (!direct) addEdge(accumulate, high, wide, tile, c, at, cr);
          }
          else if (whole && !accumulate) MicroKernel.rows(depth, a, rows, i, bp, bpo + j * packed, c, at, cr);
          else {
            MicroKernel.rows(depth, a, rows, i, bp, bpo + j * packed, tile, 0, NR);
            if (whole) addTile(tile, c, at, cr);
            else addEdge(accumulate, high, wide, tile, c, at, cr);
          }
        }
  }

  /// C [1,n] (+)= a row · packed panels, three at a time; the last again where there are fewer.
  private static void row(boolean accumulate, int n, int depth, float[] a, int ao, float[] b, int bo, float[] c,
      int co, float[] tile) {
    for (int j = 0; j < n; j += 3 * NR) {
      int wide = Math.min(3 * NR, n - j), last = panels(wide) - 1, at = bo + j * depth, step = NR * depth;
      boolean direct = wide == 3 * NR && !accumulate;
      MicroKernel.row(depth, a, ao, b, at, at + Math.min(1, last) * step, at + last * step, direct ? c : tile, direct
          ? co + j : 0);
      if (!direct) addEdge(accumulate, 1, wide, tile, c, co + j, 0);
    }
  }

  /// The same with A in packed tiles.
  private static void packedTiles(boolean accumulate, int m, int n, int depth, float[] a, int ao, float[] b, int bo,
      float[] c, int co, int cr, float[] tile) {
    for (int i = 0; i < m; i += MR)
      for (int j = 0; j < n; j += NR) {
        int high = Math.min(MR, m - i), wide = Math.min(NR, n - j), at = co + i * cr + j;
        boolean whole = high == MR && wide == NR, direct = whole && !accumulate;
        MicroKernel.packed(depth, a, ao + i * depth, b, bo + j * depth, direct ? c : tile, direct ? at : 0,
            direct ? cr : NR);
        if (direct) continue;
        if (whole) addTile(tile, c, at, cr);
        else addEdge(accumulate, high, wide, tile, c, at, cr);
      }
  }

  public static float[] edge() { return SCRATCH.get().c; }
}
