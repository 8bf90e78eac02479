package jacquard.kernels.cpu;

import static jacquard.kernels.cpu.CpuMatMul.columns;
import static jacquard.kernels.cpu.CpuMatMul.lanes;
import static jacquard.kernels.cpu.CpuMatMul.rows;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Tiled attention, one head of one sequence at a time; heads that are neighbours in memory go to one core, which reads them ahead. Everything is computed transposed,
/// [keys, queries], for a panel of NR queries at a time: scores are K·Qᵀ with rows of K where they lie, their softmax runs down columns, a query a lane and without a fold,
/// and what comes out is the packed panel of the second product Vᵀ·Pᵀ. The softmax is carried along tiles of keys by its running maximum and sum (Milakov and Gimelshein 2018; Dao et al. 2022).
final class CpuAttention {
  private static final VectorSpecies<Float> F = Simd.F;
  private static final int MR = CpuMatMul.MR, NR = CpuMatMul.NR, L = Simd.LANES;
  /// Floats of a cache line.
  private static final int LINE = 16;
  /// 512 keys of a panel are 64 KiB, in L2; most sequences of CLIP are one tile of keys.
  private static final int KEYS = 512;
  /// In backward a tile is 128 keys × up to 512 queries.
  private static final int BACK_KEYS = 128, BACK_QUERIES = 512;
  /// Floats of a group of heads, 2.5 MiB: what is read ahead for them is still in L2 or L3 when its turn comes. Larger groups are read in longer pieces, and all at once for most sequences.
  private static final int AHEAD = 5 << 17;
  /// Groups that each core gets at least, so that none waits for the others long.
  private static final int GROUPS = 4;
  private static final int SQRT_HALF = 0x3f3504f3;
  /// Floats of a thread's buffer at least: so large an array begins where panels can be aligned.
  private static final int BUFFER = 1 << 18;

  /// A thread's buffer, which grows and keeps anybody's contents.
  private static final class Scratch {
    final int[] firsts = new int[BACK_QUERIES / MR], ends = new int[BACK_QUERIES / MR];
    int[] rows = new int[BACK_QUERIES + CpuMatMul.MR];
    float[] all = {};
    int seen;
    int[] rows(int n) { return rows.length >= n + CpuMatMul.MR ? rows : (rows = new int[n + CpuMatMul.MR]); }
    float[] all(int size) { return all.length >= size ? all : (all = new float[Math.max(size, BUFFER)]); }
  }
  private static final ThreadLocal<float[]> BLOCK = ThreadLocal.withInitial(() -> new float[2 * L * L]);
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
    Rows right(int columns) { return new Rows(a, at + columns, row); }

    /// Reads a word of each cache line of some columns of some rows: in memory's order, which the CPU's prefetchers follow as they cannot follow the short rows of one head.
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
  private record Input(Rows rows, Sequences where, int width) {}

  private interface Head { void run(int sequence, int head); }

  /// All heads of all sequences, in groups.
  private static void heads(int sequences, int heads, List<Input> inputs, Head body) {
    long floats = 0;
    for (var in : inputs) floats += (long) in.where.rows() * in.width / Math.max(1, sequences);
    int most = Math.clamp(Math.min(AHEAD / Math.max(1, floats), (long) sequences * heads / (GROUPS * Parallel.threads())), 1, heads), groups = (heads + most - 1) / most, size = (heads + groups - 1) / groups;
    Parallel.run(sequences * groups, piece -> {
      int s = piece / groups, from = piece % groups * size, to = Math.min(heads, from + size);
      if (size > 1) {
        int seen = 0;
        for (var in : inputs) seen ^= in.rows.touch(in.where.from(s), in.where.to(s), from * in.width, (to - from) * in.width);
        SCRATCH.get().seen = seen;                                                             // or the compiler would see that nobody asks
      }
      for (int h = from; h < to; h++) body.run(s, h);
    });
  }

  static void forward(Attention op, List<Tensor> in, List<Tensor> out) {
    Rows q = Rows.of(in.get(0)), k = Rows.of(in.get(1)), v = Rows.of(in.get(2)), o = Rows.of(out.get(0));
    Dense bias = op.biased() ? Dense.of(in.get(3)) : null;
    Dense lse = op.isRecorded() ? Dense.of(out.get(1)) : null;
    int heads = op.heads(), d = in.get(0).dim(1) / heads, e = in.get(2).dim(1) / heads;
    int[] from = op.ranges().from(), to = op.ranges().to();
    heads(op.queries().count(), heads, List.of(new Input(q, op.queries(), d), new Input(k, op.keys(), d), new Input(v, op.keys(), e)), (s, h) -> {
      int k0 = op.keys().from(s), all = op.keys().to(s) - k0, begin = op.queries().from(s), end = op.queries().to(s);
      if (begin == end) return;
      var scratch = SCRATCH.get();
      // buffers: max, total, sum and factor of each query, Qᵀ [d, NR], scores and bias [keys, NR], scale·K [keys, d], V in panels
      int max = CpuMatMul.ALIGNED, total = max + NR, sum = total + NR, factor = sum + NR, qt = factor + NR, p = qt + d * NR, add = p + rows(KEYS) * NR, vp = add + (bias == null ? 0 : KEYS * NR), kc = vp + columns(e) * all;
      float[] a = scratch.all(kc + all * d), edge = CpuMatMul.edge();
      scaled(k.a, k.at(k0, h * d), k.row, all, d, op.scale(), a, kc);
      CpuMatMul.packB(a, vp, all, 0, e, v.a, v.at(k0, h * e), v.row, 1);
      for (int q0 = begin; q0 < end; q0 += NR) {
        int count = Math.min(NR, end - q0), low = all, high = 0;
        boolean full = true;
        for (int r = q0; r < q0 + count; r++) {
          low = Math.min(low, from[r] - k0);
          high = Math.max(high, to[r] - k0);
          full &= from[r] == from[q0] && to[r] == to[q0];
        }
        int wide = lanes(count), first = Math.max(0, low) / KEYS * KEYS;
        Transpose.run(count, d, q.a, q.at(q0, h * d), q.row, a, qt, NR);
        if (count < wide) for (int i = 0; i < d; i++) Arrays.fill(a, qt + i * NR + count, qt + i * NR + wide, 0);
        Arrays.fill(a, max, total, Float.NEGATIVE_INFINITY);
        Arrays.fill(a, total, sum, 0);
        if (first >= high) zero(o, q0, q0 + count, h * e, e);
        for (int t = first; t < high; t += KEYS) {
          int keys = Math.min(KEYS, high - t);
          rows(scratch.rows, keys, kc + t * d, d);
          CpuMatMul.tiles(false, rows(keys), wide, d, a, scratch.rows, a, qt, a, p, NR, edge);
          if (bias != null) Transpose.run(count, keys, bias.a(), bias.at() + (h * bias.dim(1) + q0 - begin) * bias.dim(2) + t, bias.dim(2), a, add, NR);
          if (!full || from[q0] - k0 > t) hide(a, p, NR, keys, q0, count, k0 + t, from, to);
          softmax(a, p, keys, wide, bias == null ? -1 : add, max, t > first ? sum : total, factor);
          if (t > first) {
            carry(a, total, sum, factor);
            times(o, q0, count, h * e, e, a, factor);
          }
          // one tile of keys: divided by their totals as they are written
          if (t + keys >= high && t == first) shares(a, total, factor, wide); else Arrays.fill(a, factor, factor + NR, 1);
          for (int i = 0; i < count; i += MR) {
            int r = t > first ? i : Math.max(0, Math.min(i, count - MR)), tall = Math.min(MR, count - r), depth = full ? keys : end(q0 + r, tall, k0 + t, keys, from, to);
            TransposedTiles.run(t > first, tall, e, depth, a, p + r, NR, a, vp + t * NR, all, a, factor + r, o.a, o.at(q0 + r, h * e), o.row, edge);
          }
        }
        if (high - first > KEYS) {
          shares(a, total, factor, wide);
          times(o, q0, count, h * e, e, a, factor);
        }
        if (lse != null) {
          logarithms(a, max, total, wide);
          for (int r = 0; r < count; r++) lse.a()[lse.at() + (q0 + r) * heads + h] = a[max + r];
        }
      }
    });
  }

  /// Rows of a matrix times `factor`, one after the other; the last vector of a row overlaps the one before. (All vectors of it are fetched at once; the products read a line here and a line there.)
  private static void scaled(float[] x, int xt, int row, int rows, int columns, float factor, float[] y, int yt) {
    var k = FloatVector.broadcast(F, factor);
    int whole = columns / L * L;
    for (int r = 0; r < rows; r++, xt += row, yt += columns) {
      for (int c = 0; c < whole; c += L) FloatVector.fromArray(F, x, xt + c).mul(k).intoArray(y, yt + c);
      if (whole == columns) continue;
      if (whole > 0) FloatVector.fromArray(F, x, xt + columns - L).mul(k).intoArray(y, yt + columns - L);
      else for (int c = 0; c < columns; c++) y[yt + c] = x[xt + c] * factor;
    }
  }

  /// Each of `count` rows by its factor
  private static void times(Rows o, int row, int count, int column, int e, float[] a, int factor) {
    for (int r = 0; r < count; r++) Simd.scale(o.a, o.at(row + r, column), a[factor + r], o.a, o.at(row + r, column), e);
  }

  /// factor ← 1 / total, 0 where no key was
  private static void shares(float[] a, int total, int factor, int wide) {
    for (int c = 0; c < wide; c += L) {
      var t = FloatVector.fromArray(F, a, total + c);
      FloatVector.broadcast(F, 1f).div(t).blend(0f, t.compare(EQ, 0f)).intoArray(a, factor + c);
    }
  }

  // The loops below write the exponential out (Simd.exp without its limits, which take as long as the polynomial: nothing here exceeds 0 by more than rounding),
  // and are long: C2 does not inline what is longer than 325 bytes of bytecode. Their callers would be too large, and then vectors are boxed.

  /// A panel of scores [keys, queries] ← e^(score + bias − max) with the new maximum; sum ← their sums, factor ← old maximum − new one.
  /// (A comparison: Java's maximum of vectors takes three times as long. Two of them in turn, since they wait for each other.)
  private static void softmax(float[] a, int p, int keys, int wide, int bias, int max, int sum, int factor) {
    FloatVector log2e = FloatVector.broadcast(F, Simd.LOG2E), magic = FloatVector.broadcast(F, Simd.MAGIC), one = FloatVector.broadcast(F, 1f);
    for (int c = 0; c < wide; c += L) {
      FloatVector old = FloatVector.fromArray(F, a, max + c), m = old, w = old;
      int j = 0;
      if (bias < 0) for (int at = p + c; j <= keys - 2; j += 2, at += 2 * NR) {
        FloatVector x = FloatVector.fromArray(F, a, at), y = FloatVector.fromArray(F, a, at + NR);
        m = m.blend(x, x.compare(GT, m));
        w = w.blend(y, y.compare(GT, w));
      }
      for (int at = p + c + j * NR; j < keys; j++, at += NR) {
        var x = FloatVector.fromArray(F, a, at);
        if (bias >= 0) {
          x = x.add(FloatVector.fromArray(F, a, bias + c + j * NR));
          x.intoArray(a, at);
        }
        m = m.blend(x, x.compare(GT, m));
      }
      m = m.blend(w, w.compare(GT, m));
      m.intoArray(a, max + c);
      m = m.blend(0f, m.compare(EQ, Float.NEGATIVE_INFINITY));
      old.sub(m).intoArray(a, factor + c);
      var s = FloatVector.zero(F);
      j = 0;
      for (int at = p + c; j < keys; j++, at += NR) {
        var x = FloatVector.fromArray(F, a, at).sub(m);
        var z = x.fma(log2e, magic);
        var n = z.sub(magic);
        var r = n.fma(FloatVector.broadcast(F, -Simd.LN2_LOW), n.fma(FloatVector.broadcast(F, -Simd.LN2_HIGH), x));
        var y = r.fma(FloatVector.broadcast(F, Simd.E6), FloatVector.broadcast(F, Simd.E5)).fma(r, FloatVector.broadcast(F, Simd.E4)).fma(r, FloatVector.broadcast(F, Simd.E3)).fma(r, FloatVector.broadcast(F, Simd.E2)).fma(r, one).fma(r, one);
        y = y.reinterpretAsInts().add(z.reinterpretAsInts().lanewise(LSHL, 23)).reinterpretAsFloats().blend(0f, x.compare(LT, Simd.EXP_LOW));
        y.intoArray(a, at);
        s = s.add(y);
      }
      s.intoArray(a, sum + c);
    }
  }

  /// After another tile of keys: factor ← e^factor; total ← factor·total + sum
  private static void carry(float[] a, int total, int sum, int factor) {
    for (int i = 0; i < NR; i++) {
      a[factor + i] = Simd.exp(a[factor + i]);
      a[total + i] = Math.fma(a[factor + i], a[total + i], a[sum + i]);
    }
  }

  /// max ← max + log total, where total = 2ᵉ·f with f in √½ … √2, and log f = 2w(1 + w²/3 + w⁴/5 + …), w = (f − 1)/(f + 1).
  private static void logarithms(float[] a, int max, int total, int wide) {
    var one = FloatVector.broadcast(F, 1f);
    for (int c = 0; c < wide; c += L) {
      var t = FloatVector.fromArray(F, a, total + c);
      var bits = t.reinterpretAsInts();
      var n = bits.sub(SQRT_HALF).lanewise(ASHR, 23);
      var f = bits.sub(n.lanewise(LSHL, 23)).reinterpretAsFloats();
      var exponent = (FloatVector) n.convertShape(I2F, F, 0);
      var w = f.sub(one).div(f.add(one));
      var s = w.mul(w);
      var series = s.fma(FloatVector.broadcast(F, 1 / 9f), FloatVector.broadcast(F, 1 / 7f)).fma(s, FloatVector.broadcast(F, 1 / 5f)).fma(s, FloatVector.broadcast(F, 1 / 3f)).mul(s);
      var y = w.add(w);
      var log = exponent.fma(FloatVector.broadcast(F, Simd.LN2_HIGH), y.fma(series, exponent.fma(FloatVector.broadcast(F, Simd.LN2_LOW), y)));
      FloatVector.fromArray(F, a, max + c).add(log.blend(Float.NEGATIVE_INFINITY, t.compare(EQ, 0f))).intoArray(a, max + c);
    }
  }

  /// in: q, k, v, [bias], o, log-sum-exp, do; out: dq, dk, dv, or those side by side in one matrix, then [dbias]. With P the probabilities and D = Σ do·o of a row:
  /// dV = Pᵀ·dO, dS = P∘(dO·Vᵀ − D), dQ = scale·dS·K, dK = scale·dSᵀ·Q, dbias = Σ over sequences of dS.
  /// P and dS lie transposed, [keys, queries]. Only Q and dO are turned.
  static void backward(Attention op, boolean sideBySide, List<Tensor> in, List<Tensor> out) {
    int more = op.biased() ? 4 : 3, heads = op.heads(), dw = in.get(0).dim(1), ew = in.get(2).dim(1), d = dw / heads, e = ew / heads;
    Rows q = Rows.of(in.get(0)), k = Rows.of(in.get(1)), v = Rows.of(in.get(2)), o = Rows.of(in.get(more)), g = Rows.of(in.get(more + 2));
    Rows dq = Rows.of(out.get(0)), dk = sideBySide ? dq.right(dw) : Rows.of(out.get(1)), dv = sideBySide ? dk.right(dw) : Rows.of(out.get(2));
    Dense lse = Dense.of(in.get(more + 1)), bias = op.biased() ? Dense.of(in.get(3)) : null, dbias = op.biased() ? Dense.of(out.getLast()) : null;
    int[] from = op.ranges().from(), to = op.ranges().to();
    if (dbias != null) Arrays.fill(dbias.a(), dbias.at(), dbias.at() + dbias.size(), 0);
    int sequences = op.queries().count();
    Head body = (s, h) -> {
      var scratch = SCRATCH.get();
      int[] firsts = scratch.firsts, ends = scratch.ends;
      float[] edge = CpuMatMul.edge();
      int k0 = op.keys().from(s), all = op.keys().to(s) - k0, begin = op.queries().from(s), end = op.queries().to(s);
      if (begin == end) {
        zero(dk, k0, k0 + all, h * d, d);
        zero(dv, k0, k0 + all, h * e, e);
      }
      for (int q0 = begin; q0 < end; q0 += BACK_QUERIES) {
        int count = Math.min(BACK_QUERIES, end - q0), pitch = columns(count), wide = lanes(count), low = all, high = 0, groups = 0;
        for (int r = 0; r < count; r += MR, groups++) {                                      // which keys MR queries see
          firsts[groups] = first(q0 + r, Math.min(MR, count - r), k0, all, from, to);
          ends[groups] = end(q0 + r, Math.min(MR, count - r), k0, all, from, to);
          low = Math.min(low, firsts[groups]);
          high = Math.max(high, ends[groups]);
        }
        if (q0 == begin) {                                                                   // what the tiles below do not write, and later ones add to
          zero(dk, k0, k0 + low, h * d, d);
          zero(dk, k0 + Math.max(low, high), k0 + all, h * d, d);
          zero(dv, k0, k0 + low, h * e, e);
          zero(dv, k0 + Math.max(low, high), k0 + all, h * e, e);
        }
        if (low >= high) {
          zero(dq, q0, q0 + count, h * d, d);
          continue;
        }
        // buffers: Qᵀ [d, pitch] and dOᵀ [e, pitch] in panels, Q, dO and a tile of K in panels of their columns, that tile as rows, scaled, and of V, P and dS [keys, pitch], log-sum-exp and D, ones
        int qt = CpuMatMul.ALIGNED, gt = qt + pitch * d, qp = gt + pitch * e, gp = qp + count * columns(d), kp = gp + count * columns(e), p = kp + BACK_KEYS * columns(d), ds = p + BACK_KEYS * pitch,
            shift = ds + BACK_KEYS * pitch, dot = shift + pitch, ones = dot + pitch, kr = ones + MR, vr = kr + BACK_KEYS * d;
        float[] x = scratch.all(vr + BACK_KEYS * e);
        CpuMatMul.packB(x, qp, count, 0, d, q.a, q.at(q0, h * d), q.row, 1);
        CpuMatMul.packB(x, gp, count, 0, e, g.a, g.at(q0, h * e), g.row, 1);
        turned(x, qp, count, d, qt);
        turned(x, gp, count, e, gt);
        Arrays.fill(x, shift, shift + pitch, Float.POSITIVE_INFINITY);                     // a row without keys, or none: all its probabilities are 0
        for (int r = 0; r < count; r++) {
          float l = lse.a()[lse.at() + (q0 + r) * heads + h];
          if (l != Float.NEGATIVE_INFINITY) x[shift + r] = l;
        }
        dots(count, e, g, q0, h * e, o, x, dot);
        Arrays.fill(x, ones, ones + MR, 1);
        for (int t = low; t < high; t += BACK_KEYS) {
          int keys = Math.min(BACK_KEYS, high - t);
          scaled(k.a, k.at(k0 + t, h * d), k.row, keys, d, op.scale(), x, kr);
          scaled(v.a, v.at(k0 + t, h * e), v.row, keys, e, 1, x, vr);
          CpuMatMul.packB(x, kp, keys, 0, d, k.a, k.at(k0 + t, h * d), k.row, 1);
          for (int j = 0; j < wide; j += NR) {
            int some = Math.min(NR, count - j), columns = Math.min(NR, wide - j), above = rows(keys), below = 0;
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
            CpuMatMul.tiles(false, tall, columns, d, x, scratch.rows, x, qt + j * d, x, p + above * pitch + j, pitch, edge);
            rows(scratch.rows, Math.min(tall, keys - above), vr + above * e, e);
            CpuMatMul.tiles(false, tall, columns, e, x, scratch.rows, x, gt + j * e, x, ds + above * pitch + j, pitch, edge);
            if (bias != null)
              for (int r = j; r < j + some; r++)
                for (int i = 0; i < keys; i++) x[p + i * pitch + r] += bias.a()[bias.at() + (h * bias.dim(1) + q0 + r - begin) * bias.dim(2) + t + i];
            hide(x, p + above * pitch + j, pitch, tall, q0 + j, some, k0 + t + above, from, to);
            probabilities(x, p + above * pitch + j, ds + above * pitch + j, tall, columns, pitch, dbias == null ? op.scale() : 1, shift + j, dot + j);
          }
          for (int i = 0; i < keys; i += MR) products(q0 > begin, Math.min(MR, keys - i), e, t + i, count, scratch, x, p + i * pitch, pitch, gp, dv, k0 + t + i, h * e, edge);
          if (dbias != null) {
            for (int r = 0; r < count; r++)
              for (int j = 0; j < keys; j++) dbias.a()[dbias.at() + (h * dbias.dim(1) + q0 + r - begin) * dbias.dim(2) + t + j] += x[ds + j * pitch + r];
            for (int i = 0; i < keys * pitch; i++) x[ds + i] *= op.scale();
          }
          for (int i = 0; i < keys; i += MR) products(q0 > begin, Math.min(MR, keys - i), d, t + i, count, scratch, x, ds + i * pitch, pitch, qp, dk, k0 + t + i, h * d, edge);
          for (int i = 0; i < count; i += MR) {
            int r = t > low ? i : Math.max(0, Math.min(i, count - MR)), tall = Math.min(MR, count - r);
            int above = Math.min(keys, Math.max(0, first(q0 + r, tall, k0, all, from, to) - t)), below = Math.max(above, Math.min(keys, end(q0 + r, tall, k0, all, from, to) - t));
            TransposedTiles.run(t > low, tall, d, below - above, x, ds + above * pitch + r, pitch, x, kp + above * NR, keys, x, ones, dq.a, dq.at(q0 + r, h * d), dq.row, edge);
          }
        }
      }
    };
    // With a bias gradient a head's sequences add into one matrix: they go in order on one thread.
    if (dbias != null) Parallel.run(heads, h -> { for (int s = 0; s < sequences; s++) body.run(s, h); });
    else heads(sequences, heads, List.of(new Input(q, op.queries(), d), new Input(k, op.keys(), d), new Input(v, op.keys(), e), new Input(o, op.queries(), e), new Input(g, op.queries(), e)), body);
  }

  /// Rows of dV or dK: `tall` ≤ MR keys, of which the first is number `key`, times panels of dO or Q, over the queries that may see them.
  private static void products(boolean accumulate, int tall, int n, int key, int count, Scratch scratch, float[] x, int a, int pitch, int panels, Rows c, int row, int column, float[] edge) {
    int groups = (count + MR - 1) / MR, g0 = 0, g1 = groups;
    while (g0 < g1 && (scratch.firsts[g0] >= key + tall || scratch.ends[g0] <= key)) g0++;
    while (g1 > g0 && (scratch.firsts[g1 - 1] >= key + tall || scratch.ends[g1 - 1] <= key)) g1--;
    int q0 = g0 * MR, q1 = Math.min(count, g1 * MR);
    rows(scratch.rows, tall, a + q0, pitch);
    CpuMatMul.tiles(accumulate, tall, n, Math.max(0, q1 - q0), x, scratch.rows, x, panels + q0 * NR, count, c.a, c.at(row, column), c.row, edge);
  }

  /// Of `all` keys from row k0 on the first that any of `count` queries sees, or `all`.
  private static int first(int q0, int count, int k0, int all, int[] from, int[] to) {
    int n = all;
    for (int r = q0; r < q0 + count; r++) if (from[r] < to[r]) n = Math.min(n, Math.max(0, from[r] - k0));
    return n;
  }

  /// One more than the last, or 0.
  private static int end(int q0, int count, int k0, int all, int[] from, int[] to) {
    int n = 0;
    for (int r = q0; r < q0 + count; r++) if (from[r] < to[r]) n = Math.max(n, Math.min(all, to[r] - k0));
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
      for (int c = 0; c < columns; c += NR) Transpose.run(count, Math.min(NR, columns - c), x, panels + c * rows + r * NR, NR, x, into + (r * columns + c * NR), NR);
      if (count < NR) for (int c = 0; c < columns; c++) Arrays.fill(x, into + r * columns + c * NR + count, into + r * columns + c * NR + NR, 0);
    }
  }

  private static void zero(Rows t, int from, int to, int column, int width) { for (int r = from; r < to; r++) Arrays.fill(t.a, t.at(r, column), t.at(r, column) + width, 0); }

  /// D of `count` rows: L rows' products side by side, turned, so that their sums are lanes.
  private static void dots(int count, int e, Rows g, int row, int column, Rows o, float[] x, int dot) {
    float[] part = BLOCK.get();
    int whole = e / L * L;
    for (int r = 0; r < count; r += L) {
      int n = Math.min(L, count - r);
      for (int i = 0; i < n; i++) {
        int gt = g.at(row + r + i, column), ot = o.at(row + r + i, column);
        var s = FloatVector.zero(F);
        for (int c = 0; c < whole; c += L) s = FloatVector.fromArray(F, g.a, gt + c).fma(FloatVector.fromArray(F, o.a, ot + c), s);
        s.intoArray(part, i * L);
        for (int c = whole; c < e; c++) part[i * L] = Math.fma(g.a[gt + c], o.a[ot + c], part[i * L]);
      }
      Transpose.run(L, L, part, 0, L, part, L * L, L);
      var s = FloatVector.zero(F);
      for (int i = 0; i < L; i++) s = s.add(FloatVector.fromArray(F, part, L * L + i * L));
      s.intoArray(x, dot + r);
    }
  }

  /// A tile [keys, pitch]: p ← e^(p − shift), ds ← factor·p·(ds − dot)
  private static void probabilities(float[] a, int p, int ds, int keys, int wide, int pitch, float factor, int shift, int dot) {
    FloatVector g = FloatVector.broadcast(F, factor), log2e = FloatVector.broadcast(F, Simd.LOG2E), magic = FloatVector.broadcast(F, Simd.MAGIC), one = FloatVector.broadcast(F, 1f);
    for (int c = 0; c < wide; c += L) {
      FloatVector m = FloatVector.fromArray(F, a, shift + c), d = FloatVector.fromArray(F, a, dot + c);
      for (int j = 0, at = p + c, dt = ds + c; j < keys; j++, at += pitch, dt += pitch) {
        var x = FloatVector.fromArray(F, a, at).sub(m);
        var z = x.fma(log2e, magic);
        var n = z.sub(magic);
        var r = n.fma(FloatVector.broadcast(F, -Simd.LN2_LOW), n.fma(FloatVector.broadcast(F, -Simd.LN2_HIGH), x));
        var y = r.fma(FloatVector.broadcast(F, Simd.E6), FloatVector.broadcast(F, Simd.E5)).fma(r, FloatVector.broadcast(F, Simd.E4)).fma(r, FloatVector.broadcast(F, Simd.E3)).fma(r, FloatVector.broadcast(F, Simd.E2)).fma(r, one).fma(r, one);
        y = y.reinterpretAsInts().add(z.reinterpretAsInts().lanewise(LSHL, 23)).reinterpretAsFloats().blend(0f, x.compare(LT, Simd.EXP_LOW));
        y.intoArray(a, at);
        y.mul(g).mul(FloatVector.fromArray(F, a, dt).sub(d)).intoArray(a, dt);
      }
    }
  }

  /// −∞ where a query does not see a key: of `count` queries from row q0 on and `keys` keys from row k0 on.
  private static void hide(float[] x, int p, int pitch, int keys, int q0, int count, int k0, int[] from, int[] to) {
    for (int r = 0; r < count; r++) {
      int y = Math.clamp(from[q0 + r] - k0, 0, keys), z = Math.clamp(to[q0 + r] - k0, y, keys);
      for (int j = 0; j < y; j++) x[p + j * pitch + r] = Float.NEGATIVE_INFINITY;
      for (int j = z; j < keys; j++) x[p + j * pitch + r] = Float.NEGATIVE_INFINITY;
    }
  }
}
