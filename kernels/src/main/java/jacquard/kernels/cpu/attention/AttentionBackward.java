package jacquard.kernels.cpu.attention;

import static jacquard.kernels.cpu.attention.Heads.BACK_KEYS;
import static jacquard.kernels.cpu.attention.Heads.BACK_QUERIES;
import static jacquard.kernels.cpu.attention.Heads.MR;
import static jacquard.kernels.cpu.attention.Heads.NR;
import static jacquard.kernels.cpu.matmul.CpuMatMul.columns;
import static jacquard.kernels.cpu.matmul.CpuMatMul.lanes;
import static jacquard.kernels.cpu.matmul.CpuMatMul.rows;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jacquard.kernels.cpu.attention.Heads.Head;
import jacquard.kernels.cpu.attention.Heads.Input;
import jacquard.kernels.cpu.attention.Heads.Rows;
import jacquard.kernels.cpu.attention.Heads.Scratch;
import jacquard.kernels.cpu.matmul.CpuMatMul;
import jacquard.kernels.cpu.matmul.Packing;
import jacquard.kernels.cpu.matmul.Transpose;
import jacquard.kernels.cpu.matmul.TransposedTiles;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The backward pass: probabilities are made again from the log-sum-exp. P and dS lie transposed, [keys, queries]; only
/// Q and dO are turned.
final class AttentionBackward {
  private static final VectorSpecies<Float> F = Simd.F;
  private static final int L = Simd.LANES;
  private static final ThreadLocal<float[]> BLOCK = ThreadLocal.withInitial(() -> new float[2 * L * L]);

  private AttentionBackward() {}

  /// in: q, k, v, [bias], o, log-sum-exp, do; out: dq, dk, dv, or those side by side in one matrix, then [dbias]. With
  /// P the probabilities and D = Σ do·o of a row: dV = Pᵀ·dO, dS = P∘(dO·Vᵀ − D), dQ = scale·dS·K, dK = scale·dSᵀ·Q,
  /// dbias = Σ over sequences of dS. P and dS lie transposed, [keys, queries]. Only Q and dO are turned.
  static void run(Attention op, boolean sideBySide, List<Tensor> in, List<Tensor> out) {
    int more = op.biased() ? 4 : 3;
    int heads = op.heads();
    int dw = in.get(0).dim(1);
    int ew = in.get(2).dim(1);
    int d = dw / heads;
    int e = ew / heads;
    Rows q = Rows.of(in.get(0));
    Rows k = Rows.of(in.get(1));
    Rows v = Rows.of(in.get(2));
    Rows o = Rows.of(in.get(more));
    Rows g = Rows.of(in.get(more + 2));
    Rows dq = Rows.of(out.get(0));
    Rows dk = sideBySide ? dq.right(dw) : Rows.of(out.get(1));
    Rows dv = sideBySide ? dk.right(dw) : Rows.of(out.get(2));
    Dense lse = Dense.of(in.get(more + 1));
    Dense bias = op.biased() ? Dense.of(in.get(3)) : null;
    Dense dbias = op.biased() ? Dense.of(out.getLast()) : null;
    int[] from = op.ranges().from(), to = op.ranges().to();
    if (dbias != null) Arrays.fill(dbias.a(), dbias.at(), dbias.at() + dbias.size(), 0);
    int sequences = op.queries().count();
    Head body = (s, h) -> {
      var scratch = Heads.SCRATCH.get();
      int[] firsts = scratch.firsts, ends = scratch.ends;
      float[] edge = CpuMatMul.edge();
      int k0 = op.keys().from(s);
      int all = op.keys().to(s) - k0;
      int begin = op.queries().from(s);
      int end = op.queries().to(s);
      if (begin == end) {
        Heads.zero(dk, k0, k0 + all, h * d, d);
        Heads.zero(dv, k0, k0 + all, h * e, e);
      }
      for (int q0 = begin; q0 < end; q0 += BACK_QUERIES) {
        int count = Math.min(BACK_QUERIES, end - q0);
        int pitch = columns(count);
        int wide = lanes(count);
        int low = all;
        int high = 0;
        int groups = 0;
        // which keys MR queries see
        for (int r = 0; r < count; r += MR, groups++) {
          firsts[groups] = first(q0 + r, Math.min(MR, count - r), k0, all, from, to);
          ends[groups] = Heads.end(q0 + r, Math.min(MR, count - r), k0, all, from, to);
          low = Math.min(low, firsts[groups]);
          high = Math.max(high, ends[groups]);
        }
        // what the tiles below do not write, and later ones add to
        if (q0 == begin) {
          Heads.zero(dk, k0, k0 + low, h * d, d);
          Heads.zero(dk, k0 + Math.max(low, high), k0 + all, h * d, d);
          Heads.zero(dv, k0, k0 + low, h * e, e);
          Heads.zero(dv, k0 + Math.max(low, high), k0 + all, h * e, e);
        }
        if (low >= high) {
          Heads.zero(dq, q0, q0 + count, h * d, d);
          continue;
        }
        // buffers: Qᵀ [d, pitch] and dOᵀ [e, pitch] in panels, Q, dO and a tile of K in panels of their columns, that
        // tile as rows, scaled, and of V, P and dS [keys, pitch], log-sum-exp and D, ones
        int qt = CpuMatMul.ALIGNED, gt = qt + pitch * d, qp = gt + pitch * e, gp = qp + count * columns(d),
            kp = gp + count * columns(e), p = kp + BACK_KEYS * columns(d), ds = p + BACK_KEYS * pitch,
            shift = ds + BACK_KEYS * pitch, dot = shift + pitch, ones = dot + pitch, kr = ones + MR,
                vr = kr + BACK_KEYS * d;
        float[] x = scratch.all(vr + BACK_KEYS * e);
        Packing.packB(x, qp, count, 0, d, q.a(), q.at(q0, h * d), q.row(), 1);
        Packing.packB(x, gp, count, 0, e, g.a(), g.at(q0, h * e), g.row(), 1);
        turned(x, qp, count, d, qt);
        turned(x, gp, count, e, gt);
        // a row without keys, or none: all its probabilities are 0
        Arrays.fill(x, shift, shift + pitch, Float.POSITIVE_INFINITY);
        for (int r = 0; r < count; r++) {
          float l = lse.a()[lse.at() + (q0 + r) * heads + h];
          if (l != Float.NEGATIVE_INFINITY) x[shift + r] = l;
        }
        dots(count, e, g, q0, h * e, o, x, dot);
        Arrays.fill(x, ones, ones + MR, 1);
        for (int t = low; t < high; t += BACK_KEYS) {
          int keys = Math.min(BACK_KEYS, high - t);
          Heads.scaled(k.a(), k.at(k0 + t, h * d), k.row(), keys, d, op.scale(), x, kr);
          Heads.scaled(v.a(), v.at(k0 + t, h * e), v.row(), keys, e, 1, x, vr);
          Packing.packB(x, kp, keys, 0, d, k.a(), k.at(k0 + t, h * d), k.row(), 1);
          for (int j = 0; j < wide; j += NR) {
            int some = Math.min(NR, count - j);
            int columns = Math.min(NR, wide - j);
            int above = rows(keys);
            int below = 0;
            for (int i = j / MR; i < Math.min(groups, (j + NR) / MR); i++) {
              above = Math.min(above, Math.max(0, firsts[i] - t));
              below = Math.max(below, Math.min(keys, ends[i] - t));
            }
            above = Math.min(above / MR * MR, keys);
            int tall = Math.max(0, rows(below) - above);
            for (int i = 0; i < above; i++) clear(x, p + i * pitch + j, ds + i * pitch + j, columns);
            for (int i = above + tall; i < rows(keys); i++) clear(x, p + i * pitch + j, ds + i * pitch + j, columns);
            if (tall == 0) continue;
            rows(scratch.rows, Math.min(tall, keys - above), kr + above * d, d);
            CpuMatMul.tiles(false, tall, columns, d, x, scratch.rows, x, qt + j * d, x, p + above * pitch + j, pitch,
                edge);
            rows(scratch.rows, Math.min(tall, keys - above), vr + above * e, e);
            CpuMatMul.tiles(false, tall, columns, e, x, scratch.rows, x, gt + j * e, x, ds + above * pitch + j, pitch,
                edge);
            if (bias != null)
              for (int r = j; r < j + some; r++)
                for (int i = 0; i < keys; i++)
                  x[p + i * pitch + r] += bias.a()[bias.at() + (h * bias.dim(1) + q0 + r - begin) * bias.dim(2) + t
                      + i];
            Heads.hide(x, p + above * pitch + j, pitch, tall, q0 + j, some, k0 + t + above, from, to);
            probabilities(x, p + above * pitch + j, ds + above * pitch + j, tall, columns, pitch,
                dbias == null ? op.scale() : 1, shift + j, dot + j);
          }
          for (int i = 0; i < keys; i += MR)
            products(q0 > begin, Math.min(MR, keys - i), e, t + i, count, scratch, x, p + i * pitch, pitch, gp, dv,
                k0 + t + i, h * e, edge);
          if (dbias != null) {
            for (int r = 0; r < count; r++)
              for (int j = 0; j < keys; j++)
                dbias.a()[dbias.at() + (h * dbias.dim(1) + q0 + r - begin) * dbias.dim(2) + t + j] += x[ds + j * pitch
                    + r];
            for (int i = 0; i < keys * pitch; i++) x[ds + i] *= op.scale();
          }
          for (int i = 0; i < keys; i += MR)
            products(q0 > begin, Math.min(MR, keys - i), d, t + i, count, scratch, x, ds + i * pitch, pitch, qp, dk,
                k0 + t + i, h * d, edge);
          for (int i = 0; i < count; i += MR) {
            int r = t > low ? i : Math.max(0, Math.min(i, count - MR));
            int tall = Math.min(MR, count - r);
            int above = Math.min(keys, Math.max(0, first(q0 + r, tall, k0, all, from, to) - t));
            int below = Math.max(above, Math.min(keys, Heads.end(q0 + r, tall, k0, all, from, to) - t));
            TransposedTiles.run(t > low, tall, d, below - above, x, ds + above * pitch + r, pitch, x, kp + above * NR,
                keys, x, ones, dq.a(), dq.at(q0 + r, h * d), dq.row(), edge);
          }
        }
      }
    };
    // With a bias gradient a head's sequences add into one matrix: they go in order on one thread.
    if (dbias != null) Parallel.run(heads, h -> { for (int s = 0; s < sequences; s++) body.run(s, h); });
    else Heads.run(sequences, heads, List.of(new Input(q, op.queries(), d), new Input(k, op.keys(), d),
        new Input(v, op.keys(), e), new Input(o, op.queries(), e), new Input(g, op.queries(), e)), body);
  }

  /// Rows of dV or dK: `tall` ≤ MR keys, of which the first is number `key`, times panels of dO or Q, over the queries
  /// that may see them.
  private static void products(boolean accumulate, int tall, int n, int key, int count, Scratch scratch, float[] x,
      int a, int pitch, int panels, Rows c, int row, int column, float[] edge) {
    int groups = (count + MR - 1) / MR, g0 = 0, g1 = groups;
    while (g0 < g1 && (scratch.firsts[g0] >= key + tall || scratch.ends[g0] <= key)) g0++;
    while (g1 > g0 && (scratch.firsts[g1 - 1] >= key + tall || scratch.ends[g1 - 1] <= key)) g1--;
    int q0 = g0 * MR, q1 = Math.min(count, g1 * MR);
    rows(scratch.rows, tall, a + q0, pitch);
    CpuMatMul.tiles(accumulate, tall, n, Math.max(0, q1 - q0), x, scratch.rows, x, panels + q0 * NR, count, c.a(),
        c.at(row, column), c.row(), edge);
  }

  /// Of `all` keys from row k0 on the first that any of `count` queries sees, or `all`.
  private static int first(int q0, int count, int k0, int all, int[] from, int[] to) {
    int n = all;
    for (int r = q0; r < q0 + count; r++) if (from[r] < to[r]) n = Math.min(n, Math.max(0, from[r] - k0));
    return n;
  }

  private static void clear(float[] x, int p, int ds, int n) {
    Arrays.fill(x, p, p + n, 0);
    Arrays.fill(x, ds, ds + n, 0);
  }

  /// A [rows, columns], in panels of its columns, turned: [columns, rows] in panels of its rows.
  private static void turned(float[] x, int panels, int rows, int columns, int into) {
    for (int r = 0; r < rows; r += NR) {
      int count = Math.min(NR, rows - r);
      for (int c = 0; c < columns; c += NR)
        Transpose.run(count, Math.min(NR, columns - c), x, panels + c * rows + r * NR, NR, x,
            into + (r * columns + c * NR), NR);
      if (count < NR)
        for (int c = 0; c < columns; c++)
          Arrays.fill(x, into + r * columns + c * NR + count, into + r * columns + c * NR + NR, 0);
    }
  }

  /// D of `count` rows: L rows' products side by side, turned, so that their sums are lanes.
  private static void dots(int count, int e, Rows g, int row, int column, Rows o, float[] x, int dot) {
    float[] part = BLOCK.get();
    int whole = e / L * L;
    for (int r = 0; r < count; r += L) {
      int n = Math.min(L, count - r);
      for (int i = 0; i < n; i++) {
        int gt = g.at(row + r + i, column), ot = o.at(row + r + i, column);
        var s = FloatVector.zero(F);
        for (int c = 0; c < whole; c += L)
          s = FloatVector.fromArray(F, g.a(), gt + c).fma(FloatVector.fromArray(F, o.a(), ot + c), s);
        s.intoArray(part, i * L);
        for (int c = whole; c < e; c++) part[i * L] = Math.fma(g.a()[gt + c], o.a()[ot + c], part[i * L]);
      }
      Transpose.run(L, L, part, 0, L, part, L * L, L);
      var s = FloatVector.zero(F);
      for (int i = 0; i < L; i++) s = s.add(FloatVector.fromArray(F, part, L * L + i * L));
      s.intoArray(x, dot + r);
    }
  }

  /// A tile [keys, pitch]: p ← e^(p − shift), ds ← factor·p·(ds − dot)
  private static void probabilities(float[] a, int p, int ds, int keys, int wide, int pitch, float factor, int shift,
      int dot) {
    FloatVector g = FloatVector.broadcast(F, factor);
    FloatVector log2e = FloatVector.broadcast(F, Simd.LOG2E);
    FloatVector magic = FloatVector.broadcast(F, Simd.MAGIC);
    FloatVector one = FloatVector.broadcast(F, 1f);
    for (int c = 0; c < wide; c += L) {
      FloatVector m = FloatVector.fromArray(F, a, shift + c);
      FloatVector d = FloatVector.fromArray(F, a, dot + c);
      for (int j = 0, at = p + c, dt = ds + c; j < keys; j++, at += pitch, dt += pitch) {
        var x = FloatVector.fromArray(F, a, at).sub(m);
        var z = x.fma(log2e, magic);
        var n = z.sub(magic);
        var r = n.fma(FloatVector.broadcast(F, -Simd.LN2_LOW), n.fma(FloatVector.broadcast(F, -Simd.LN2_HIGH), x));
        var y = r.fma(FloatVector.broadcast(F, Simd.E6), FloatVector.broadcast(F, Simd.E5))
            .fma(r, FloatVector.broadcast(F, Simd.E4)).fma(r, FloatVector.broadcast(F, Simd.E3))
            .fma(r, FloatVector.broadcast(F, Simd.E2)).fma(r, one).fma(r, one);
        y = y.reinterpretAsInts().add(z.reinterpretAsInts().lanewise(LSHL, 23)).reinterpretAsFloats()
            .blend(0f, x.compare(LT, Simd.EXP_LOW));
        y.intoArray(a, at);
        y.mul(g).mul(FloatVector.fromArray(F, a, dt).sub(d)).intoArray(a, dt);
      }
    }
  }
}
