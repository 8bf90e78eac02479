package jacquard.kernels.cpu.rows;

import static jacquard.kernels.cpu.Simd.F;
import static jacquard.kernels.cpu.Simd.LANES;
import static jacquard.kernels.cpu.rows.ContrastiveLoops.addExp;
import static jacquard.kernels.cpu.rows.ContrastiveLoops.expMinus;
import static jacquard.kernels.cpu.rows.ContrastiveLoops.raise;
import static jacquard.kernels.cpu.rows.ContrastiveLoops.rowSlopes;
import static jacquard.kernels.cpu.rows.ContrastiveLoops.sigmoidSlopes;
import static jacquard.kernels.cpu.rows.ContrastiveLoops.softplusSum;
import static jdk.incubator.vector.FloatVector.fromArray;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jacquard.kernels.cpu.matmul.CpuMatMul;
import jacquard.tensor.op.Contrastive;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.function.IntConsumer;

/// The losses over all pairs, tile by tile: rows i of a tile in turn, and for each the columns in PARTS pieces of work.
/// Pieces are a matter of shape; what they sum is added in order.
public final class CpuContrastive {
  private static final int PARTS = 16, COLUMNS = 512;

  private CpuContrastive() {}

  /// For each row the columns that are positive.
  private static int[][] positives(int n, int[] rows, int[] columns) {
    int[][] p = new int[n][];
    if (rows == null) {
      for (int i = 0; i < n; i++) p[i] = new int[] {i};
      return p;
    }
    var of = new HashMap<Integer, int[]>();
    for (int j = 0; j < n; j++) {
      int[] known = of.getOrDefault(columns[j], new int[0]);
      known = Arrays.copyOf(known, known.length + 1);
      known[known.length - 1] = j;
      of.put(columns[j], known);
    }
    for (int i = 0; i < n; i++) p[i] = of.getOrDefault(rows[i], new int[0]);
    return p;
  }

  /// Rows i0 … i1−1 and columns j0 … j1−1 of a part, their rows COLUMNS apart: products in z, in backward slopes in g.
  private record Tile(int part, int i0, int i1, int j0, int j1, float[] z, float[] g) {
    int width() { return j1 - j0; }
    int row(int i) { return (i - i0) * COLUMNS; }
  }

  /// Some loops over a tile. The steps of a tile are called in turn from one place. There are three or more, so C2
  /// leaves them as calls there and compiles each by itself: two exponentials in one body pass its limit of nodes, and
  /// behind the limit it leaves calls with vectors in boxes.
  private interface Body { void on(Tile tile); }

  private static final ThreadLocal<float[][]> SCRATCH = ThreadLocal.withInitial(() -> new float[2][0]);

  private static float[] scratch(int use, int size) {
    float[][] own = SCRATCH.get();
    return own[use].length >= size ? own[use] : (own[use] = new float[size]);
  }

  /// Visits all tiles of x·tᵀ; those of one part and row tile on one thread, row tiles in order. `after` follows each
  /// row tile.
  private static void tiles(int tile, Dense x, Dense t, IntConsumer after, Body... steps) {
    int n = x.dim(0);
    int d = x.dim(1);
    int part = (n + PARTS - 1) / PARTS;
    int size = Math.min(n, tile) * COLUMNS;
    for (int i0 = 0; i0 < n; i0 += tile) {
      int from = i0, to = Math.min(n, i0 + tile);
      Parallel.run(PARTS, p -> {
        float[] z = scratch(0, size), g = scratch(1, size);
        int end = Math.min(n, p * part + part);
        for (int j0 = p * part; j0 < end; j0 += COLUMNS) {
          var one = new Tile(p, from, to, j0, Math.min(end, j0 + COLUMNS), z, g);
          for (var s : steps) s.on(one);
        }
      });
      after.accept(i0);
    }
  }

  /// z ← x·tᵀ
  private static Body product(Dense x, Dense t) {
    int d = x.dim(1);
    return u -> CpuMatMul.serial(false, u.i1 - u.i0, u.width(), d, x.a(), x.at() + u.i0 * d, d, 1, t.a(),
        t.at() + u.j0 * d, 1, d, u.z, 0, COLUMNS);
  }

  private static void scale(float[] z, int at, float k, float shift, int n) {
    for (int i = 0; i < n; i++) z[at + i] = Math.fma(z[at + i], k, shift);
  }

  private static void scale(Tile u, float[] z, float k, float shift) {
    for (int i = u.i0; i < u.i1; i++) scale(z, u.row(i), k, shift, u.width());
  }

  public static void softmax(Contrastive.Softmax op, Dense[] in, int[][] groups, Dense[] out) {
    Dense x = in[0], t = in[1];
    int n = x.dim(0), d = x.dim(1), tile = op.tile();
    float scale = in[2].scalar();
    float[] rowMax = filled(n);
    float[] rowSum = new float[n];
    float[] columnMax = filled(n);
    float[] columnSum = new float[n];
    float[] partMax = filled(PARTS * tile), partSum = new float[PARTS * tile];
    tiles(tile, x, t, i0 -> {
      for (int i = i0; i < Math.min(n, i0 + tile); i++)
        for (int p = 0; p < PARTS; p++) {
          int r = p * tile + i - i0;
          if (partMax[r] == Float.NEGATIVE_INFINITY) continue;
          float best = Math.max(rowMax[i], partMax[r]);
          rowSum[i] = rowSum[i] * Simd.exp(rowMax[i] - best) + partSum[r] * Simd.exp(partMax[r] - best);
          rowMax[i] = best;
        }
      Arrays.fill(partMax, Float.NEGATIVE_INFINITY);
      Arrays.fill(partSum, 0);
    }, product(x, t), u -> scale(u, u.z, scale, 0), u -> sumRows(u, u.part * tile, partMax, partSum),
        u -> sumColumns(u, columnMax, columnSum));
    double loss = 0;
    int[][] byRow = positives(n, groups == null ? null : groups[0], groups == null ? null : groups[1]);
    int[] texts = texts(n, byRow);
    for (int i = 0; i < n; i++) {
      loss += rowMax[i] + StrictMath.log(rowSum[i]) + columnMax[i] + StrictMath.log(columnSum[i]);
      for (int j : byRow[i]) {
        double z = scale * (double) Simd.dot(x.a(), x.at() + i * d, t.a(), t.at() + j * d, d);
        loss -= z / byRow[i].length + z / texts[j];
      }
      if (out.length > 1) {
        peak(out[1], i, n, rowMax[i], rowSum[i]);
        peak(out[2], i, n, columnMax[i], columnSum[i]);
      }
    }
    out[0].a()[out[0].at()] = (float) (loss / (2.0 * n));
  }

  private static void peak(Dense peaks, int i, int n, float max, float sum) {
    peaks.a()[peaks.at() + i] = max;
    peaks.a()[peaks.at() + n + i] = 1 / sum;
  }

  /// For each column how many rows are positive.
  private static int[] texts(int n, int[][] byRow) {
    int[] c = new int[n];
    for (int[] p : byRow) for (int j : p) c[j]++;
    return c;
  }

  private static float[] filled(int n) {
    float[] a = new float[n];
    Arrays.fill(a, Float.NEGATIVE_INFINITY);
    return a;
  }

  /// Maximum and Σ e^(z − maximum) of each row, the first at `r`, with what they were before.
  private static void sumRows(Tile u, int r, float[] max, float[] sum) {
    for (int i = u.i0; i < u.i1; i++, r++) {
      float best = Math.max(max[r], Simd.max(u.z, u.row(i), u.width()));
      sum[r] = sum[r] * Simd.exp(max[r] - best) + Simd.expShifted(u.z, u.row(i), best, u.g, u.row(i), u.width());
      max[r] = best;
    }
  }

  /// The same of each column.
  private static void sumColumns(Tile u, float[] max, float[] sum) {
    int w = u.width();
    float[] m = u.g;
    Arrays.fill(m, 0, w, Float.NEGATIVE_INFINITY);
    for (int i = u.i0; i < u.i1; i++) raise(m, u.z, u.row(i), w);
    for (int j = 0; j < w; j++) {
      float best = Math.max(max[u.j0 + j], m[j]);
      sum[u.j0 + j] *= Simd.exp(max[u.j0 + j] - best);
      max[u.j0 + j] = m[j] = best;
    }
    for (int i = u.i0; i < u.i1; i++) addExp(u.z, u.row(i), m, sum, u.j0, w);
  }

  /// in: x, t, scale; statistics: peaks of rows and columns, dloss; out: dx, dt, dscale.
  /// dz = dloss/(2n)·(softmax of row + softmax of column − both targets)
  public static void softmaxGradient(Contrastive.Softmax op, Dense[] in, int[][] groups, Dense[] statistics,
      Dense[] out) {
    Dense rows = statistics[0], columns = statistics[1];
    int n = in[0].dim(0);
    float scale = in[2].scalar(), k = statistics[2].scalar() / (2f * n);
    float[] factors = new float[n];                                              // k·softmax of the largest of a column
    for (int j = 0; j < n; j++) factors[j] = k * columns.a()[columns.at() + n + j];
    int[][] byRow = positives(n, groups == null ? null : groups[0], groups == null ? null : groups[1]);
    int[] texts = texts(n, byRow);
    var sums = gradients(op.tile(), in[0], in[1], scale, out[0], out[1],
        u -> {
          for (int i = u.i0; i < u.i1; i++)
            rowSlopes(u.z, u.g, u.row(i), scale, rows.a()[rows.at() + i], k * rows.a()[rows.at() + n + i], u.width());
        },
        u -> {
          for (int i = u.i0; i < u.i1; i++)
            columnSlopes(u, i, scale, columns.a(), columns.at() + u.j0, factors);
        },
        u -> {
          for (int i = u.i0; i < u.i1; i++)
            for (int c : byRow[i])
              if (c >= u.j0 && c < u.j1) u.g[u.row(i) + c - u.j0] -= k * (1f / byRow[i].length + 1f / texts[c]);
        });
    out[2].a()[out[2].at()] = (float) sums[0];
  }

  /// g ← g + k·e^(scale·z − shift), of one row, with a shift and a k for each column
  private static void columnSlopes(Tile u, int i, float scale, float[] shift, int from, float[] k) {
    float[] z = u.z, g = u.g;
    int at = u.row(i), j = 0, j0 = u.j0, n = u.width();
    for (; j <= n - LANES; j += LANES)
      Simd.exp(fromArray(F, z, at + j).mul(scale).sub(fromArray(F, shift, from + j)))
          .fma(fromArray(F, k, j0 + j), fromArray(F, g, at + j)).intoArray(g, at + j);
    for (; j < n; j++) g[at + j] = Math.fma(Simd.exp(z[at + j] * scale - shift[from + j]), k[j0 + j], g[at + j]);
  }

  public static void sigmoid(Contrastive.Sigmoid op, Dense[] in, int[][] groups, Dense[] out) {
    Dense x = in[0], t = in[1];
    int n = x.dim(0), d = x.dim(1);
    float scale = in[2].scalar(), bias = in[3].scalar();
    double[] partial = new double[PARTS];
    int[][] byRow = positives(n, groups == null ? null : groups[0], groups == null ? null : groups[1]);
    Body exponentials = u -> {
      for (int i = u.i0; i < u.i1; i++) expMinus(u.z, u.g, u.row(i), scale, bias, u.width());
    };
    Body sums = u -> {
      for (int i = u.i0; i < u.i1; i++) partial[u.part] += softplusSum(u.z, u.g, u.row(i), scale, bias, u.width());
    };
    if (op.isRecorded()) {
      float k = 1f / n;                                                          // dz = (σ(z) − [positive])/n
      double[] totals = gradients(op.tile(), x, t, scale, out[1], out[2], exponentials, sums,
          u -> { for (int i = u.i0; i < u.i1; i++) sigmoidSlopes(u.z, u.g, u.row(i), scale, bias, k, u.width()); },
          u -> {
            for (int i = u.i0; i < u.i1; i++)
              for (int c : byRow[i]) if (c >= u.j0 && c < u.j1) u.g[u.row(i) + c - u.j0] -= k;
          });
      out[3].a()[out[3].at()] = (float) totals[0];
      out[4].a()[out[4].at()] = (float) totals[1];
    } else tiles(op.tile(), x, t, _ -> {}, product(x, t), exponentials, sums);
    double loss = 0;
    for (double s : partial) loss += s;
    for (int i = 0; i < n; i++)                                                  // softplus(−z) = softplus(z) − z
      for (int j : byRow[i]) loss -= Math.fma(Simd.dot(x.a(), x.at() + i * d, t.a(), t.at() + j * d, d), scale, bias);
    out[0].a()[out[0].at()] = (float) (loss / n);
  }

  /// dx = scale·G·t, dt = scale·Gᵀ·x, where `slopes` make G; returns Σ G∘(x·tᵀ) and Σ G.
  private static double[] gradients(int tile, Dense x, Dense t, float scale, Dense dx, Dense dt, Body... slopes) {
    int n = x.dim(0), d = x.dim(1);
    Arrays.fill(dx.a(), dx.at(), dx.at() + n * d, 0);
    Arrays.fill(dt.a(), dt.at(), dt.at() + n * d, 0);
    float[][] partial = new float[PARTS][Math.min(n, tile) * d];
    double[] dots = new double[PARTS], totals = new double[PARTS];
    var steps = new ArrayList<Body>();
    steps.add(product(x, t));
    steps.addAll(List.of(slopes));
    steps.add(u -> {
      for (int i = u.i0; i < u.i1; i++) {
        dots[u.part] += Simd.dot(u.g, u.row(i), u.z, u.row(i), u.width());
        totals[u.part] += Simd.sum(u.g, u.row(i), u.width());
      }
    });
    steps.add(u -> scale(u, u.g, scale, 0));
    steps.add(u -> CpuMatMul.serial(true, u.i1 - u.i0, d, u.width(), u.g, 0, COLUMNS, 1, t.a(), t.at() + u.j0 * d, d,
        1, partial[u.part], 0, d));
    steps.add(u -> CpuMatMul.serial(true, u.width(), d, u.i1 - u.i0, u.g, 0, 1, COLUMNS, x.a(), x.at() + u.i0 * d, d,
        1, dt.a(), dt.at() + u.j0 * d, d));
    tiles(tile, x, t, i0 -> {
      int count = (Math.min(n, i0 + tile) - i0) * d, at = dx.at() + i0 * d;
      for (float[] p : partial) {
        Simd.add(p, 0, dx.a(), at, count);
        Arrays.fill(p, 0, count, 0);
      }
    }, steps.toArray(Body[]::new));
    double a = 0, b = 0;
    for (int p = 0; p < PARTS; p++) { a += dots[p]; b += totals[p]; }
    return new double[] {a, b};
  }
}
