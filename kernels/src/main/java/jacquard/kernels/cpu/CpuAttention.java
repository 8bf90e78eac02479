package jacquard.kernels.cpu;

import static jacquard.kernels.cpu.CpuMatMul.columns;
import static jacquard.kernels.cpu.CpuMatMul.rows;

import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import java.util.Arrays;
import java.util.List;

/// Tiled attention: a piece of work is one head of one sequence, whose keys and values are packed once. Scores exist for QUERIES × KEYS at
/// a time; the softmax is carried along the key tiles by its running maximum and sum (Milakov and Gimelshein 2018; Dao et al. 2022).
/// Tiles are as wide as whole panels, so that products need no edges: what lies beyond the keys is zero or never read.
final class CpuAttention {
  /// 64 × 512 scores = 128 KiB stay in L2; most sequences of CLIP are one tile of keys.
  private static final int QUERIES = 64, KEYS = 512;
  /// In backward scores lie transposed, 64 keys × up to 512 queries.
  private static final int BACK_KEYS = 64, BACK_QUERIES = 512;

  /// A thread's buffers by use; they grow and keep anybody's contents.
  private static final class Scratch {
    final float[][] buffers = new float[9][0];
    final int[] rows = new int[BACK_QUERIES + CpuMatMul.MR];
    float[] at(int use, int size) { return buffers[use].length >= size ? buffers[use] : (buffers[use] = new float[size]); }
  }
  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

  private CpuAttention() {}

  /// Where the rows of a tensor lie; their elements are adjacent.
  private record Rows(float[] a, int at, int row) {
    static Rows of(Tensor t) {
      int[] s = t.layout().strides();
      if (s[1] == 1) return new Rows(CpuLinear.array(t), t.layout().offset(), s[0]);
      var d = Dense.of(t);
      return new Rows(d.a(), d.at(), d.dim(1));
    }
    int at(int r, int c) { return at + r * row + c; }
  }

  static void forward(Attention op, List<Tensor> in, List<Tensor> out) {
    Rows q = Rows.of(in.get(0)), k = Rows.of(in.get(1)), v = Rows.of(in.get(2)), o = Rows.of(out.get(0));
    Dense bias = op.biased() ? Dense.of(in.get(3)) : null;
    Dense lse = op.isRecorded() ? Dense.of(out.get(1)) : null;
    int heads = op.heads(), d = in.get(0).dim(1) / heads, e = in.get(2).dim(1) / heads, wide = columns(e);
    int[] from = op.ranges().from(), to = op.ranges().to();
    Parallel.run(op.queries().count() * heads, piece -> {
      int s = piece / heads, h = piece % heads, k0 = op.keys().from(s), all = op.keys().to(s) - k0, pitch = columns(Math.min(KEYS, all));
      if (op.queries().from(s) == op.queries().to(s)) return;
      var scratch = SCRATCH.get();
      float[] kp = scratch.at(0, columns(all) * d), vp = scratch.at(1, all * wide), scores = scratch.at(2, QUERIES * pitch), sum = scratch.at(3, QUERIES * wide);
      float[] max = scratch.at(4, QUERIES), total = scratch.at(5, QUERIES), edge = CpuMatMul.edge();
      CpuMatMul.packB(kp, 0, d, 0, all, k.a, k.at(k0, h * d), 1, k.row);
      for (int t = 0; t < all; t += KEYS) CpuMatMul.packB(vp, t * wide, Math.min(KEYS, all - t), 0, e, v.a, v.at(k0 + t, h * e), v.row, 1);
      for (int q0 = op.queries().from(s); q0 < op.queries().to(s); q0 += QUERIES) {
        int count = Math.min(QUERIES, op.queries().to(s) - q0), low = all, high = 0;
        for (int r = q0; r < q0 + count; r++) { low = Math.min(low, from[r] - k0); high = Math.max(high, to[r] - k0); }
        Arrays.fill(max, 0, count, Float.NEGATIVE_INFINITY);
        Arrays.fill(total, 0, count, 0);
        int first = Math.max(0, low) / KEYS * KEYS;
        if (first >= high) Arrays.fill(sum, 0, rows(count) * wide, 0);
        for (int t = first; t < high; t += KEYS) {
          int keys = Math.min(KEYS, high - t);
          rows(scratch.rows, count, q.at(q0, h * d), q.row);
          CpuMatMul.tiles(false, rows(count), columns(keys), d, q.a, scratch.rows, kp, t * d, scores, 0, pitch, edge);
          for (int r = 0; r < count; r++) {
            int at = r * pitch, a = Math.clamp(from[q0 + r] - k0 - t, 0, keys), b = Math.clamp(to[q0 + r] - k0 - t, a, keys);
            Arrays.fill(scores, at, at + a, 0);
            Arrays.fill(scores, at + b, at + keys, 0);
            if (a == b) continue;
            scale(op, scores, at, a, b, bias, h, q0 + r - op.queries().from(s), t);
            int n = Math.min((b - a + Simd.LANES - 1) / Simd.LANES * Simd.LANES, pitch - a);       // whole vectors: e^−∞ adds nothing
            Arrays.fill(scores, at + b, at + a + n, Float.NEGATIVE_INFINITY);
            float m = Math.max(max[r], Simd.max(scores, at + a, n)), shrink = Simd.exp(max[r] - m);
            total[r] = total[r] * shrink + Simd.expShifted(scores, at + a, m, scores, at + a, n);
            if (t > first && shrink != 1) for (int i = r * wide; i < r * wide + e; i++) sum[i] *= shrink;
            max[r] = m;
          }
          rows(scratch.rows, count, 0, pitch);
          CpuMatMul.tiles(t > first, rows(count), wide, keys, scores, scratch.rows, vp, t * wide, Math.min(KEYS, all - t), sum, 0, wide, edge);
        }
        for (int r = 0; r < count; r++) {
          float inverse = total[r] > 0 ? 1 / total[r] : 0;
          int at = o.at(q0 + r, h * e), source = r * wide;
          for (int i = 0; i < e; i++) o.a[at + i] = sum[source + i] * inverse;
          if (lse != null) lse.a()[lse.at() + (q0 + r) * heads + h] = max[r] + (float) StrictMath.log(total[r]);
        }
      }
    });
  }

  /// scores[a … b−1] ← scale·score + bias
  private static void scale(Attention op, float[] scores, int at, int a, int b, Dense bias, int h, int query, int key) {
    float k = op.scale();
    if (bias == null) { for (int j = at + a; j < at + b; j++) scores[j] *= k; return; }
    int row = bias.at() + (h * bias.dim(1) + query) * bias.dim(2) + key;
    for (int j = a; j < b; j++) scores[at + j] = Math.fma(scores[at + j], k, bias.a()[row + j]);
  }

  /// in: q, k, v, [bias], o, log-sum-exp, do; out: dq, dk, dv, [dbias]. With P the probabilities and D = Σ do·o of a row:
  /// dV = Pᵀ·dO, dS = P∘(dO·Vᵀ − D), dQ = scale·dS·K, dK = scale·dSᵀ·Q, dbias = Σ over sequences of dS.
  /// Everything is computed transposed, [keys, queries]: then all operands but dSᵀ lie as the products want them.
  static void backward(Attention op, List<Tensor> in, List<Tensor> out) {
    int more = op.biased() ? 4 : 3;
    Rows q = Rows.of(in.get(0)), k = Rows.of(in.get(1)), v = Rows.of(in.get(2)), o = Rows.of(in.get(more)), g = Rows.of(in.get(more + 2));
    Rows dq = Rows.of(out.get(0)), dk = Rows.of(out.get(1)), dv = Rows.of(out.get(2));
    Dense lse = Dense.of(in.get(more + 1)), bias = op.biased() ? Dense.of(in.get(3)) : null, dbias = op.biased() ? Dense.of(out.get(3)) : null;
    int heads = op.heads(), d = in.get(0).dim(1) / heads, e = in.get(2).dim(1) / heads, dWide = columns(d), eWide = columns(e);
    int[] from = op.ranges().from(), to = op.ranges().to();
    for (int i = 0; i < 3; i++) Arrays.fill(CpuLinear.array(out.get(i)), 0, (int) out.get(i).shape().size(), 0);
    if (dbias != null) Arrays.fill(dbias.a(), dbias.at(), dbias.at() + dbias.size(), 0);
    // With a bias gradient a head's sequences add into one matrix: they go in order on one thread.
    int sequences = op.queries().count();
    Parallel.run(dbias == null ? sequences * heads : heads, piece -> {
      int h = piece % heads;
      var scratch = SCRATCH.get();
      float[] edge = CpuMatMul.edge();
      for (int s = dbias == null ? piece / heads : 0; s < (dbias == null ? piece / heads + 1 : sequences); s++) {
        int k0 = op.keys().from(s), all = op.keys().to(s) - k0, begin = op.queries().from(s);
        for (int q0 = begin; q0 < op.queries().to(s); q0 += BACK_QUERIES) {
          int count = Math.min(BACK_QUERIES, op.queries().to(s) - q0), pitch = columns(count), low = all, high = 0;
          boolean full = true;
          for (int r = q0; r < q0 + count; r++) {
            low = Math.min(low, from[r] - k0);
            high = Math.max(high, to[r] - k0);
            full &= from[r] == from[q0] && to[r] == to[q0];
          }
          float[] qt = scratch.at(0, pitch * d), gt = scratch.at(1, pitch * e), qp = scratch.at(2, count * dWide), gp = scratch.at(3, count * eWide), kp = scratch.at(4, BACK_KEYS * dWide);
          float[] p = scratch.at(5, BACK_KEYS * pitch), ds = scratch.at(6, BACK_KEYS * pitch), shift = scratch.at(7, pitch), dot = scratch.at(8, pitch);
          CpuMatMul.packB(qt, 0, d, 0, count, q.a, q.at(q0, h * d), 1, q.row);
          CpuMatMul.packB(gt, 0, e, 0, count, g.a, g.at(q0, h * e), 1, g.row);
          CpuMatMul.packB(qp, 0, count, 0, d, q.a, q.at(q0, h * d), q.row, 1);
          CpuMatMul.packB(gp, 0, count, 0, e, g.a, g.at(q0, h * e), g.row, 1);
          for (int r = 0; r < count; r++) {
            float l = lse.a()[lse.at() + (q0 + r) * heads + h];
            shift[r] = l == Float.NEGATIVE_INFINITY ? Float.POSITIVE_INFINITY : l;           // a row without keys: all its probabilities are 0
            dot[r] = Simd.dot(g.a, g.at(q0 + r, h * e), o.a, o.at(q0 + r, h * e), e);
          }
          for (int t = Math.max(0, low); t < high; t += BACK_KEYS) {
            int keys = Math.min(BACK_KEYS, high - t);
            rows(scratch.rows, keys, k.at(k0 + t, h * d), k.row);
            CpuMatMul.tiles(false, rows(keys), pitch, d, k.a, scratch.rows, qt, 0, p, 0, pitch, edge);
            rows(scratch.rows, keys, v.at(k0 + t, h * e), v.row);
            CpuMatMul.tiles(false, rows(keys), pitch, e, v.a, scratch.rows, gt, 0, ds, 0, pitch, edge);
            if (bias != null)
              for (int r = 0; r < count; r++)
                for (int j = 0; j < keys; j++) p[j * pitch + r] += bias.a()[bias.at() + (h * bias.dim(1) + q0 + r - begin) * bias.dim(2) + t + j] / op.scale();
            if (!full) for (int r = 0; r < count; r++) {
              int a = Math.clamp(from[q0 + r] - k0 - t, 0, keys), b = Math.clamp(to[q0 + r] - k0 - t, a, keys);
              for (int j = 0; j < a; j++) p[j * pitch + r] = Float.NEGATIVE_INFINITY;
              for (int j = b; j < keys; j++) p[j * pitch + r] = Float.NEGATIVE_INFINITY;
            }
            for (int j = 0; j < keys; j++) probabilities(p, ds, j * pitch, count, op.scale(), shift, dot);
            rows(scratch.rows, keys, 0, pitch);
            CpuMatMul.tiles(true, keys, e, count, p, scratch.rows, gp, 0, dv.a, dv.at(k0 + t, h * e), dv.row, edge);
            if (dbias != null)
              for (int r = 0; r < count; r++)
                for (int j = 0; j < keys; j++) dbias.a()[dbias.at() + (h * dbias.dim(1) + q0 + r - begin) * dbias.dim(2) + t + j] += ds[j * pitch + r];
            for (int i = 0; i < keys * pitch; i++) ds[i] *= op.scale();
            CpuMatMul.tiles(true, keys, d, count, ds, scratch.rows, qp, 0, dk.a, dk.at(k0 + t, h * d), dk.row, edge);
            CpuMatMul.packB(kp, 0, keys, 0, d, k.a, k.at(k0 + t, h * d), k.row, 1);
            CpuMatMul.transpose(p, 0, keys, count, ds, 0, 1, pitch);                        // dS [queries, keys]
            rows(scratch.rows, count, 0, keys);
            CpuMatMul.tiles(true, count, d, keys, p, scratch.rows, kp, 0, dq.a, dq.at(q0, h * d), dq.row, edge);
          }
        }
      }
    });
  }

  /// One key's row: p ← e^(scale·p − shift), ds ← p·(ds − dot)
  private static void probabilities(float[] p, float[] ds, int at, int n, float scale, float[] shift, float[] dot) {
    int i = 0;
    for (; i <= n - Simd.LANES; i += Simd.LANES) {
      var y = Simd.exp(Simd.load(p, at + i).mul(scale).sub(Simd.load(shift, i)));
      y.intoArray(p, at + i);
      y.mul(Simd.load(ds, at + i).sub(Simd.load(dot, i))).intoArray(ds, at + i);
    }
    for (; i < n; i++) {
      float y = p[at + i] = Simd.exp(p[at + i] * scale - shift[i]);
      ds[at + i] = y * (ds[at + i] - dot[i]);
    }
  }
}
