package jacquard.kernels.cpu;

import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import java.util.Arrays;
import java.util.List;

/// Tiled attention: a piece of work is one head of one sequence. Scores exist for QUERIES × KEYS at a time; the softmax is carried along
/// the key tiles by its running maximum and sum (Milakov and Gimelshein 2018; Dao et al. 2022).
final class CpuAttention {
  private static final int QUERIES = 32, KEYS = 256;

  /// A thread's score tiles, whose rows lie as far apart as the longest key tile of the op; their contents are anybody's.
  private static final class Scratch {
    final float[] max = new float[QUERIES], total = new float[QUERIES];
    float[] scores = {}, more = {};
    static float[] grown(float[] a, int n) { return a.length >= n ? a : new float[n]; }
  }
  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private CpuAttention() {}

  /// Keys a tile.
  private static int tile(Attention op) {
    int most = 1;
    for (int i = 0; i < op.ranges().from().length; i++) most = Math.max(most, op.ranges().to()[i] - op.ranges().from()[i]);
    return Math.min(KEYS, most);
  }

  /// Where a head of a tensor of rows lies.
  private record Rows(float[] a, int at, int row, int column) {
    static Rows of(Tensor t) {
      int[] s = t.layout().strides();
      return new Rows(CpuLinear.array(t), t.layout().offset(), s[0], s[1]);
    }
    int at(int r, int c) { return at + r * row + c * column; }
  }

  static void forward(Attention op, List<Tensor> in, List<Tensor> out) {
    Rows q = Rows.of(in.get(0)), k = Rows.of(in.get(1)), v = Rows.of(in.get(2)), o = Rows.of(out.get(0));
    Dense bias = op.biased() ? Dense.of(in.get(3)) : null;
    Dense lse = op.isRecorded() ? Dense.of(out.get(1)) : null;
    int heads = op.heads(), d = in.get(0).dim(1) / heads, e = in.get(2).dim(1) / heads;
    int[] from = op.ranges().from(), to = op.ranges().to();
    int tile = tile(op);
    Parallel.run(op.queries().count() * heads, piece -> {
      int s = piece / heads, h = piece % heads, k0 = op.keys().from(s);
      var scratch = SCRATCH.get();
      float[] scores = scratch.scores = Scratch.grown(scratch.scores, QUERIES * tile), sum = scratch.more = Scratch.grown(scratch.more, QUERIES * e);
      float[] max = scratch.max, total = scratch.total;
      for (int q0 = op.queries().from(s); q0 < op.queries().to(s); q0 += QUERIES) {
        int rows = Math.min(QUERIES, op.queries().to(s) - q0), low = Integer.MAX_VALUE, high = 0;
        for (int r = q0; r < q0 + rows; r++) { low = Math.min(low, from[r]); high = Math.max(high, to[r]); }
        Arrays.fill(max, Float.NEGATIVE_INFINITY);
        Arrays.fill(total, 0);
        Arrays.fill(sum, 0, rows * e, 0);
        for (int t0 = low; t0 < high; t0 += tile) {
          int keys = Math.min(tile, high - t0);
          CpuMatMul.serial(false, rows, keys, d, q.a, q.at(q0, h * d), q.row, q.column, k.a, k.at(t0, h * d), k.column, k.row, scores, 0, tile);
          for (int r = 0; r < rows; r++) {
            int a = Math.max(0, from[q0 + r] - t0), b = Math.min(keys, to[q0 + r] - t0), at = r * tile;
            if (a >= b) { Arrays.fill(scores, at, at + keys, 0); continue; }
            scale(op, scores, at, a, b, bias, h, q0 + r - op.queries().from(s), t0 - k0);
            float m = Math.max(max[r], Simd.max(scores, at + a, b - a)), shrink = Simd.exp(max[r] - m);
            Arrays.fill(scores, at, at + a, 0);
            total[r] = total[r] * shrink + Simd.expShifted(scores, at + a, m, scores, at + a, b - a);
            Arrays.fill(scores, at + b, at + keys, 0);
            if (shrink != 1) for (int i = 0; i < e; i++) sum[r * e + i] *= shrink;
            max[r] = m;
          }
          CpuMatMul.serial(true, rows, e, keys, scores, 0, tile, 1, v.a, v.at(t0, h * e), v.row, v.column, sum, 0, e);
        }
        for (int r = 0; r < rows; r++) {
          float inverse = total[r] > 0 ? 1 / total[r] : 0;
          for (int i = 0; i < e; i++) o.a[o.at(q0 + r, h * e + i)] = sum[r * e + i] * inverse;
          if (lse != null) lse.a()[lse.at() + (q0 + r) * heads + h] = max[r] + (float) StrictMath.log(total[r]);
        }
      }
    });
  }

  /// scores[a … b−1] ← scale·score + bias
  private static void scale(Attention op, float[] scores, int at, int a, int b, Dense bias, int h, int query, int key) {
    float k = op.scale();
    if (bias == null) { for (int j = a; j < b; j++) scores[at + j] *= k; return; }
    int row = bias.at() + (h * bias.dim(1) + query) * bias.dim(2) + key;
    for (int j = a; j < b; j++) scores[at + j] = Math.fma(scores[at + j], k, bias.a()[row + j]);
  }

  /// in: q, k, v, [bias], o, log-sum-exp, do; out: dq, dk, dv, [dbias]. With P the probabilities and D = Σ do·o of a row:
  /// dV = Pᵀ·dO, dS = P∘(dO·Vᵀ − D), dQ = scale·dS·K, dK = scale·dSᵀ·Q, dbias = Σ over sequences of dS.
  static void backward(Attention op, List<Tensor> in, List<Tensor> out) {
    int more = op.biased() ? 4 : 3;
    Rows q = Rows.of(in.get(0)), k = Rows.of(in.get(1)), v = Rows.of(in.get(2)), o = Rows.of(in.get(more)), g = Rows.of(in.get(more + 2));
    Rows dq = Rows.of(out.get(0)), dk = Rows.of(out.get(1)), dv = Rows.of(out.get(2));
    Dense lse = Dense.of(in.get(more + 1)), bias = op.biased() ? Dense.of(in.get(3)) : null, dbias = op.biased() ? Dense.of(out.get(3)) : null;
    int heads = op.heads(), d = in.get(0).dim(1) / heads, e = in.get(2).dim(1) / heads;
    int[] from = op.ranges().from(), to = op.ranges().to();
    for (int i = 0; i < 3; i++) Arrays.fill(CpuLinear.array(out.get(i)), 0, (int) out.get(i).shape().size(), 0);
    if (dbias != null) Arrays.fill(dbias.a(), dbias.at(), dbias.at() + dbias.size(), 0);
    // With a bias gradient a head's sequences add into one matrix: they go in order on one thread.
    int count = op.queries().count(), tile = tile(op);
    Parallel.run(dbias == null ? count * heads : heads, piece -> {
      int h = piece % heads;
      for (int s = dbias == null ? piece / heads : 0; s < (dbias == null ? piece / heads + 1 : count); s++) {
        var scratch = SCRATCH.get();
        float[] p = scratch.scores = Scratch.grown(scratch.scores, QUERIES * tile), dp = scratch.more = Scratch.grown(scratch.more, QUERIES * tile);
        int k0 = op.keys().from(s);
        for (int q0 = op.queries().from(s); q0 < op.queries().to(s); q0 += QUERIES) {
          int rows = Math.min(QUERIES, op.queries().to(s) - q0), low = Integer.MAX_VALUE, high = 0;
          for (int r = q0; r < q0 + rows; r++) { low = Math.min(low, from[r]); high = Math.max(high, to[r]); }
          for (int t0 = low; t0 < high; t0 += tile) {
            int keys = Math.min(tile, high - t0);
            CpuMatMul.serial(false, rows, keys, d, q.a, q.at(q0, h * d), q.row, q.column, k.a, k.at(t0, h * d), k.column, k.row, p, 0, tile);
            CpuMatMul.serial(false, rows, keys, e, g.a, g.at(q0, h * e), g.row, g.column, v.a, v.at(t0, h * e), v.column, v.row, dp, 0, tile);
            for (int r = 0; r < rows; r++) {
              int a = Math.min(keys, Math.max(0, from[q0 + r] - t0)), b = Math.max(a, Math.min(keys, to[q0 + r] - t0)), at = r * tile;
              scale(op, p, at, a, b, bias, h, q0 + r - op.queries().from(s), t0 - k0);
              Simd.expShifted(p, at + a, lse.a()[lse.at() + (q0 + r) * heads + h], p, at + a, b - a);
              float dot = 0;
              for (int i = 0; i < e; i++) dot = Math.fma(g.a[g.at(q0 + r, h * e + i)], o.a[o.at(q0 + r, h * e + i)], dot);
              Arrays.fill(p, at, at + a, 0);
              Arrays.fill(p, at + b, at + keys, 0);
              for (int j = 0; j < keys; j++) dp[at + j] = p[at + j] * (dp[at + j] - dot);
              if (dbias != null) {
                int row = dbias.at() + (h * dbias.dim(1) + q0 + r - op.queries().from(s)) * dbias.dim(2) + t0 - k0;
                for (int j = a; j < b; j++) dbias.a()[row + j] += dp[at + j];
              }
            }
            CpuMatMul.serial(true, keys, e, rows, p, 0, 1, tile, g.a, g.at(q0, h * e), g.row, g.column, dv.a, dv.at(t0, h * e), dv.row);
            for (int r = 0; r < rows; r++) for (int j = 0; j < keys; j++) dp[r * tile + j] *= op.scale();
            CpuMatMul.serial(true, rows, d, keys, dp, 0, tile, 1, k.a, k.at(t0, h * d), k.row, k.column, dq.a, dq.at(q0, h * d), dq.row);
            CpuMatMul.serial(true, keys, d, rows, dp, 0, 1, tile, q.a, q.at(q0, h * d), q.row, q.column, dk.a, dk.at(t0, h * d), dk.row);
          }
        }
      }
    });
  }
}
