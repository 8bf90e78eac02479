package jacquard.kernels.cpu.attention;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jacquard.kernels.cpu.matmul.CpuLinear;
import jacquard.kernels.cpu.matmul.CpuMatMul;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// How the heads of attention lie in memory and go to the cores, and what forward and backward do to rows alike.
final class Heads {
  static final int MR = CpuMatMul.MR, NR = CpuMatMul.NR;
  /// In backward a tile is 128 keys × up to 512 queries.
  static final int BACK_KEYS = 128, BACK_QUERIES = 512;
  private static final VectorSpecies<Float> F = Simd.F;
  private static final int L = Simd.LANES;
  /// Floats of a cache line.
  private static final int LINE = 16;
  /// Floats of a group of heads, 2.5 MiB: what is read ahead for them is still in L2 or L3 when its turn comes. Larger
  /// groups are read in longer pieces, and all at once for most sequences.
  private static final int AHEAD = 5 << 17;
  /// Groups that each core gets at least, so that none waits for the others long.
  private static final int GROUPS = 4;
  /// Floats of a thread's buffer at least: so large an array begins where panels can be aligned.
  private static final int BUFFER = 1 << 18;

  /// A thread's buffer, which grows and keeps anybody's contents.
  static final class Scratch {
    final int[] firsts = new int[BACK_QUERIES / MR], ends = new int[BACK_QUERIES / MR];
    int[] rows = new int[BACK_QUERIES + CpuMatMul.MR];
    float[] all = {};
    int seen;
    int[] rows(int n) { return rows.length >= n + CpuMatMul.MR ? rows : (rows = new int[n + CpuMatMul.MR]); }
    float[] all(int size) { return all.length >= size ? all : (all = new float[Math.max(size, BUFFER)]); }
  }
  static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private Heads() {}

  /// Where the rows of a tensor lie; their elements are adjacent.
  record Rows(float[] a, int at, int row) {
    static Rows of(Tensor t) {
      int[] s = t.layout().strides();
      if (s[1] == 1) return new Rows(CpuLinear.array(t), t.layout().offset(), s[0]);
      var d = Dense.of(t);
      return new Rows(d.a(), d.at(), d.dim(1));
    }
    int at(int r, int c) { return at + r * row + c; }
    Rows right(int columns) { return new Rows(a, at + columns, row); }

    /// Reads a word of each cache line of some columns of some rows: in memory's order, which the CPU's prefetchers
    /// follow as they cannot follow the short rows of one head.
    int touch(int from, int to, int column, int n) {
      int s = 0, t = 0;
      for (int r = from; r < to; r++) {
        int i = at(r, column), last = i + n - 1;
        for (; i < last - LINE; i += 2 * LINE) {
          s ^= Float.floatToRawIntBits(a[i]);
          t ^= Float.floatToRawIntBits(a[i + LINE]);
        }
        if (i < last) s ^= Float.floatToRawIntBits(a[i]);
        t ^= Float.floatToRawIntBits(a[last]);
      }
      return s ^ t;
    }
  }

  /// What a head reads of each sequence of `where`: `width` columns.
  record Input(Rows rows, Sequences where, int width) {}

  interface Head { void run(int sequence, int head); }

  /// All heads of all sequences, in groups.
  static void run(int sequences, int heads, List<Input> inputs, Head body) {
    long floats = 0;
    for (var in : inputs) floats += (long) in.where.rows() * in.width / Math.max(1, sequences);
    int most = Math.clamp(Math.min(AHEAD / Math.max(1, floats),
        (long) sequences * heads / (GROUPS * Parallel.threads())), 1, heads);
    int groups = (heads + most - 1) / most;
    int size = (heads + groups - 1) / groups;
    Parallel.run(sequences * groups, piece -> {
      int s = piece / groups, from = piece % groups * size, to = Math.min(heads, from + size);
      if (size > 1) {
        int seen = 0;
        for (var in : inputs)
          seen ^= in.rows.touch(in.where.from(s), in.where.to(s), from * in.width, (to - from) * in.width);
        // or the compiler would see that nobody asks
        SCRATCH.get().seen = seen;
      }
      for (int h = from; h < to; h++) body.run(s, h);
    });
  }

  /// Rows of a matrix times `factor`, one after the other; the last vector of a row overlaps the one before. (All
  /// vectors of it are fetched at once; the products read a line here and a line there.)
  static void scaled(float[] x, int xt, int row, int rows, int columns, float factor, float[] y, int yt) {
    var k = FloatVector.broadcast(F, factor);
    int whole = columns / L * L;
    for (int r = 0; r < rows; r++, xt += row, yt += columns) {
      for (int c = 0; c < whole; c += L) FloatVector.fromArray(F, x, xt + c).mul(k).intoArray(y, yt + c);
      if (whole == columns) continue;
      if (whole > 0) FloatVector.fromArray(F, x, xt + columns - L).mul(k).intoArray(y, yt + columns - L);
      else for (int c = 0; c < columns; c++) y[yt + c] = x[xt + c] * factor;
    }
  }

  /// One more than the last, or 0.
  static int end(int q0, int count, int k0, int all, int[] from, int[] to) {
    int n = 0;
    for (int r = q0; r < q0 + count; r++) if (from[r] < to[r]) n = Math.max(n, Math.min(all, to[r] - k0));
    return n;
  }

  static void zero(Rows t, int from, int to, int column, int width) {
    for (int r = from; r < to; r++) Arrays.fill(t.a, t.at(r, column), t.at(r, column) + width, 0);
  }

  /// −∞ where a query does not see a key: of `count` queries from row q0 on and `keys` keys from row k0 on.
  static void hide(float[] x, int p, int pitch, int keys, int q0, int count, int k0, int[] from, int[] to) {
    for (int r = 0; r < count; r++) {
      int y = Math.clamp(from[q0 + r] - k0, 0, keys), z = Math.clamp(to[q0 + r] - k0, y, keys);
      for (int j = 0; j < y; j++) x[p + j * pitch + r] = Float.NEGATIVE_INFINITY;
      for (int j = z; j < keys; j++) x[p + j * pitch + r] = Float.NEGATIVE_INFINITY;
    }
  }
}
