package jacquard.kernels.cpu;

import static jacquard.kernels.cpu.Simd.LANES;
import static jacquard.kernels.cpu.Simd.load;

import jacquard.tensor.op.Contrastive;
import java.util.Arrays;
import java.util.HashMap;
import java.util.function.IntConsumer;
import jdk.incubator.vector.FloatVector;

/// The losses over all pairs, tile by tile: rows i of a tile in turn, and for each the columns in PARTS pieces of work. Pieces are a
/// matter of shape; what they sum is added in order.
final class CpuContrastive {
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

  private interface Tile { void visit(int part, int i0, int i1, int j0, int j1, float[] dots); }

  /// Visits all tiles of x·tᵀ; those of one part and row tile on one thread, row tiles in order. `after` follows each row tile.
  private static void tiles(int tile, Dense x, Dense t, Tile body, IntConsumer after) {
    int n = x.dim(0), d = x.dim(1), part = (n + PARTS - 1) / PARTS;
    for (int i0 = 0; i0 < n; i0 += tile) {
      int from = i0, to = Math.min(n, i0 + tile);
      Parallel.run(PARTS, p -> {
        float[] dots = new float[(to - from) * COLUMNS];
        for (int j0 = p * part; j0 < Math.min(n, p * part + part); j0 += COLUMNS) {
          int j1 = Math.min(Math.min(n, p * part + part), j0 + COLUMNS);
          CpuMatMul.serial(false, to - from, j1 - j0, d, x.a(), x.at() + from * d, d, 1, t.a(), t.at() + j0 * d, 1, d, dots, 0, COLUMNS);
          body.visit(p, from, to, j0, j1, dots);
        }
      });
      after.accept(i0);
    }
  }

  private static void scale(float[] z, int at, float k, float shift, int n) { for (int i = 0; i < n; i++) z[at + i] = Math.fma(z[at + i], k, shift); }

  static void softmax(Contrastive.Softmax op, Dense[] in, int[][] groups, Dense[] out) {
    Dense x = in[0], t = in[1];
    int n = x.dim(0), d = x.dim(1);
    float scale = in[2].scalar();
    float[] rowMax = filled(n), rowSum = new float[n], columnMax = filled(n), columnSum = new float[n];
    float[] partMax = new float[PARTS * op.tile()], partSum = new float[PARTS * op.tile()];
    int tile = op.tile();
    Arrays.fill(partMax, Float.NEGATIVE_INFINITY);
    tiles(tile, x, t, (p, i0, i1, j0, j1, z) -> {
      int w = j1 - j0;
      float[] m = new float[w];
      Arrays.fill(m, Float.NEGATIVE_INFINITY);
      for (int i = i0; i < i1; i++) {
        int at = (i - i0) * COLUMNS, r = p * tile + i - i0;
        scale(z, at, scale, 0, w);
        float best = Math.max(partMax[r], Simd.max(z, at, w));
        partSum[r] = partSum[r] * Simd.exp(partMax[r] - best) + expSum(z, at, best, w);
        partMax[r] = best;
        for (int j = 0; j < w; j++) m[j] = Math.max(m[j], z[at + j]);
      }
      for (int j = 0; j < w; j++) {
        float best = Math.max(columnMax[j0 + j], m[j]);
        columnSum[j0 + j] *= Simd.exp(columnMax[j0 + j] - best);
        columnMax[j0 + j] = m[j] = best;
      }
      for (int i = i0; i < i1; i++) addExp(z, (i - i0) * COLUMNS, m, columnSum, j0, w);
    }, i0 -> {
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
    });
    double loss = 0;
    int[][] byRow = positives(n, groups == null ? null : groups[0], groups == null ? null : groups[1]);
    int[] texts = texts(n, byRow);
    for (int i = 0; i < n; i++) {
      double row = rowMax[i] + StrictMath.log(rowSum[i]), column = columnMax[i] + StrictMath.log(columnSum[i]);
      loss += row + column;
      for (int j : byRow[i]) {
        double z = scale * (double) Simd.dot(x.a(), x.at() + i * d, t.a(), t.at() + j * d, d);
        loss -= z / byRow[i].length + z / texts[j];
      }
      if (out.length > 1) {
        out[1].a()[out[1].at() + i] = (float) row;
        out[2].a()[out[2].at() + i] = (float) column;
      }
    }
    out[0].a()[out[0].at()] = (float) (loss / (2.0 * n));
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

  private static float expSum(float[] z, int at, float shift, int n) {
    var s = FloatVector.zero(Simd.F);
    int i = 0;
    for (; i <= n - LANES; i += LANES) s = s.add(Simd.exp(load(z, at + i).sub(shift)));
    float r = Simd.sum(s);
    for (; i < n; i++) r += Simd.exp(z[at + i] - shift);
    return r;
  }

  /// sum[j] += e^(z[j] − m[j])
  private static void addExp(float[] z, int at, float[] m, float[] sum, int j0, int n) {
    int j = 0;
    for (; j <= n - LANES; j += LANES) load(sum, j0 + j).add(Simd.exp(load(z, at + j).sub(load(m, j)))).intoArray(sum, j0 + j);
    for (; j < n; j++) sum[j0 + j] += Simd.exp(z[at + j] - m[j]);
  }

  /// in: x, t, scale; statistics: row and column log-sum-exp, dloss; out: dx, dt, dscale.
  /// dz = dloss/(2n)·(softmax of row + softmax of column − both targets)
  static void softmaxGradient(Contrastive.Softmax op, Dense[] in, int[][] groups, Dense[] statistics, Dense[] out) {
    Dense rows = statistics[0], columns = statistics[1];
    int n = in[0].dim(0);
    float scale = in[2].scalar(), k = statistics[2].scalar() / (2f * n);
    int[][] byRow = positives(n, groups == null ? null : groups[0], groups == null ? null : groups[1]);
    int[] texts = texts(n, byRow);
    var sums = gradients(op.tile(), in[0], in[1], scale, out, (i, j0, j1, dots, at, g) -> {
      int w = j1 - j0;
      float row = rows.a()[rows.at() + i];
      int j = 0;
      for (; j <= w - LANES; j += LANES) {
        var z = load(dots, at + j).mul(scale);
        Simd.exp(z.sub(row)).add(Simd.exp(z.sub(load(columns.a(), columns.at() + j0 + j)))).mul(k).intoArray(g, at + j);
      }
      for (; j < w; j++) {
        float z = dots[at + j] * scale;
        g[at + j] = (Simd.exp(z - row) + Simd.exp(z - columns.a()[columns.at() + j0 + j])) * k;
      }
      for (int c : byRow[i]) if (c >= j0 && c < j1) g[at + c - j0] -= k * (1f / byRow[i].length + 1f / texts[c]);
    });
    out[2].a()[out[2].at()] = (float) sums[0];
  }

  static void sigmoid(Contrastive.Sigmoid op, Dense[] in, int[][] groups, Dense[] out) {
    Dense x = in[0], t = in[1];
    int n = x.dim(0), d = x.dim(1);
    float scale = in[2].scalar(), bias = in[3].scalar();
    double[] partial = new double[PARTS];
    tiles(op.tile(), x, t, (p, i0, i1, j0, j1, z) -> {
      for (int i = i0; i < i1; i++) {
        int at = (i - i0) * COLUMNS;
        scale(z, at, scale, bias, j1 - j0);
        partial[p] += softplusSum(z, at, j1 - j0);
      }
    }, _ -> {});
    double loss = 0;
    for (double s : partial) loss += s;
    int[][] byRow = positives(n, groups == null ? null : groups[0], groups == null ? null : groups[1]);
    for (int i = 0; i < n; i++)                                                  // softplus(−z) = softplus(z) − z
      for (int j : byRow[i]) loss -= Math.fma(Simd.dot(x.a(), x.at() + i * d, t.a(), t.at() + j * d, d), scale, bias);
    out[0].a()[out[0].at()] = (float) (loss / n);
  }

  private static double softplusSum(float[] z, int at, int n) {
    var s = FloatVector.zero(Simd.F);
    int i = 0;
    for (; i <= n - LANES; i += LANES) s = s.add(Simd.softplus(load(z, at + i)));
    double r = Simd.sum(s);
    for (; i < n; i++) r += Simd.softplus(z[at + i]);
    return r;
  }

  /// dz = dloss/n·(σ(z) − [positive])
  static void sigmoidGradient(Contrastive.Sigmoid op, Dense[] in, int[][] groups, Dense dloss, Dense[] out) {
    int n = in[0].dim(0);
    float scale = in[2].scalar(), bias = in[3].scalar(), k = dloss.scalar() / n;
    int[][] byRow = positives(n, groups == null ? null : groups[0], groups == null ? null : groups[1]);
    var sums = gradients(op.tile(), in[0], in[1], scale, out, (i, j0, j1, dots, at, g) -> {
      int w = j1 - j0, j = 0;
      for (; j <= w - LANES; j += LANES) Simd.sigmoid(load(dots, at + j).fma(Simd.all(scale), Simd.all(bias))).mul(k).intoArray(g, at + j);
      for (; j < w; j++) g[at + j] = Simd.sigmoid(Math.fma(dots[at + j], scale, bias)) * k;
      for (int c : byRow[i]) if (c >= j0 && c < j1) g[at + c - j0] -= k;
    });
    out[2].a()[out[2].at()] = (float) sums[0];
    out[3].a()[out[3].at()] = (float) sums[1];
  }

  private interface Slope { void of(int i, int j0, int j1, float[] dots, int at, float[] g); }

  /// dx = scale·G·t, dt = scale·Gᵀ·x; returns Σ G∘(x·tᵀ) and Σ G.
  private static double[] gradients(int tile, Dense x, Dense t, float scale, Dense[] out, Slope slope) {
    int n = x.dim(0), d = x.dim(1);
    Dense dx = out[0], dt = out[1];
    Arrays.fill(dx.a(), dx.at(), dx.at() + n * d, 0);
    Arrays.fill(dt.a(), dt.at(), dt.at() + n * d, 0);
    float[][] partial = new float[PARTS][tile * d];
    double[] dots = new double[PARTS], totals = new double[PARTS];
    tiles(tile, x, t, (p, i0, i1, j0, j1, z) -> {
      float[] g = new float[(i1 - i0) * COLUMNS];
      for (int i = i0; i < i1; i++) {
        int at = (i - i0) * COLUMNS;
        slope.of(i, j0, j1, z, at, g);
        dots[p] += Simd.dot(g, at, z, at, j1 - j0);
        totals[p] += Simd.sum(g, at, j1 - j0);
        scale(g, at, scale, 0, j1 - j0);
      }
      CpuMatMul.serial(true, i1 - i0, d, j1 - j0, g, 0, COLUMNS, 1, t.a(), t.at() + j0 * d, d, 1, partial[p], 0, d);
      CpuMatMul.serial(true, j1 - j0, d, i1 - i0, g, 0, 1, COLUMNS, x.a(), x.at() + i0 * d, d, 1, dt.a(), dt.at() + j0 * d, d);
    }, i0 -> {
      int count = (Math.min(n, i0 + tile) - i0) * d, at = dx.at() + i0 * d;
      for (float[] p : partial) {
        for (int i = 0; i < count; i++) dx.a()[at + i] += p[i];
        Arrays.fill(p, 0, count, 0);
      }
    });
    double a = 0, b = 0;
    for (int p = 0; p < PARTS; p++) { a += dots[p]; b += totals[p]; }
    return new double[] {a, b};
  }
}
