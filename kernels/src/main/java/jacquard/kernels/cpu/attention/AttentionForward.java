package jacquard.kernels.cpu.attention;

import static jacquard.kernels.cpu.attention.Heads.MR;
import static jacquard.kernels.cpu.attention.Heads.NR;
import static jacquard.kernels.cpu.matmul.CpuMatMul.columns;
import static jacquard.kernels.cpu.matmul.CpuMatMul.lanes;
import static jacquard.kernels.cpu.matmul.CpuMatMul.rows;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Simd;
import jacquard.kernels.cpu.attention.Heads.Input;
import jacquard.kernels.cpu.attention.Heads.Rows;
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

/// The forward pass: a softmax carried along tiles of keys by its running maximum and sum (Milakov and Gimelshein 2018;
/// Dao et al. 2022).
final class AttentionForward {
  private static final VectorSpecies<Float> F = Simd.F;
  private static final int L = Simd.LANES;
  /// 512 keys of a panel are 64 KiB, in L2; most sequences of CLIP are one tile of keys.
  private static final int KEYS = 512;
  private static final int SQRT_HALF = 0x3f3504f3;

  private AttentionForward() {}

  static void run(Attention op, List<Tensor> in, List<Tensor> out) {
    Rows q = Rows.of(in.get(0));
    Rows k = Rows.of(in.get(1));
    Rows v = Rows.of(in.get(2));
    Rows o = Rows.of(out.get(0));
    Dense bias = op.biased() ? Dense.of(in.get(3)) : null;
    Dense lse = op.isRecorded() ? Dense.of(out.get(1)) : null;
    int heads = op.heads(), d = in.get(0).dim(1) / heads, e = in.get(2).dim(1) / heads;
    int[] from = op.ranges().from(), to = op.ranges().to();
    Heads.run(op.queries().count(), heads, List.of(new Input(q, op.queries(), d), new Input(k, op.keys(), d),
        new Input(v, op.keys(), e)), (s, h) -> {
      int k0 = op.keys().from(s);
      int all = op.keys().to(s) - k0;
      int begin = op.queries().from(s);
      int end = op.queries().to(s);
      if (begin == end) return;
      var scratch = Heads.SCRATCH.get();
      // buffers: max, total, sum and factor of each query, Qᵀ [d, NR], scores and bias [keys, NR], scale·K [keys, d], V
      // in panels
      int max = CpuMatMul.ALIGNED;
      int total = max + NR;
      int sum = total + NR;
      int factor = sum + NR;
      int qt = factor + NR;
      int p = qt + d * NR;
      int add = p + rows(KEYS) * NR;
      int vp = add + (bias == null ? 0 : KEYS * NR);
      int kc = vp + columns(e) * all;
      float[] a = scratch.all(kc + all * d), edge = CpuMatMul.edge();
      Heads.scaled(k.a(), k.at(k0, h * d), k.row(), all, d, op.scale(), a, kc);
      Packing.packB(a, vp, all, 0, e, v.a(), v.at(k0, h * e), v.row(), 1);
      for (int q0 = begin; q0 < end; q0 += NR) {
        int count = Math.min(NR, end - q0), low = all, high = 0;
        boolean full = true;
        for (int r = q0; r < q0 + count; r++) {
          low = Math.min(low, from[r] - k0);
          high = Math.max(high, to[r] - k0);
          full &= from[r] == from[q0] && to[r] == to[q0];
        }
        int wide = lanes(count), first = Math.max(0, low) / KEYS * KEYS;
        Transpose.run(count, d, q.a(), q.at(q0, h * d), q.row(), a, qt, NR);
        if (count < wide) for (int i = 0; i < d; i++) Arrays.fill(a, qt + i * NR + count, qt + i * NR + wide, 0);
        Arrays.fill(a, max, total, Float.NEGATIVE_INFINITY);
        Arrays.fill(a, total, sum, 0);
        if (first >= high) Heads.zero(o, q0, q0 + count, h * e, e);
        for (int t = first; t < high; t += KEYS) {
          int keys = Math.min(KEYS, high - t);
          rows(scratch.rows, keys, kc + t * d, d);
          CpuMatMul.tiles(false, rows(keys), wide, d, a, scratch.rows, a, qt, a, p, NR, edge);
          if (bias != null)
            Transpose.run(count, keys, bias.a(), bias.at() + (h * bias.dim(1) + q0 - begin) * bias.dim(2) + t,
                bias.dim(2), a, add, NR);
          if (!full || from[q0] - k0 > t) Heads.hide(a, p, NR, keys, q0, count, k0 + t, from, to);
          softmax(a, p, keys, wide, bias == null ? -1 : add, max, t > first ? sum : total, factor);
          if (t > first) {
            carry(a, total, sum, factor);
            times(o, q0, count, h * e, e, a, factor);
          }
          // one tile of keys: divided by their totals as they are written
          if (t + keys >= high && t == first) shares(a, total, factor, wide); else Arrays.fill(a, factor,
              factor + NR, 1);
          for (int i = 0; i < count; i += MR) {
            int r = t > first ? i : Math.max(0, Math.min(i, count - MR));
            int tall = Math.min(MR, count - r);
            int depth = full ? keys : Heads.end(q0 + r, tall, k0 + t, keys, from, to);
            TransposedTiles.run(t > first, tall, e, depth, a, p + r, NR, a, vp + t * NR, all, a, factor + r, o.a(),
                o.at(q0 + r, h * e), o.row(), edge);
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

  /// Each of `count` rows by its factor
  private static void times(Rows o, int row, int count, int column, int e, float[] a, int factor) {
    for (int r = 0; r < count; r++)
      Simd.scale(o.a(), o.at(row + r, column), a[factor + r], o.a(), o.at(row + r, column), e);
  }

  /// factor ← 1 / total, 0 where no key was
  private static void shares(float[] a, int total, int factor, int wide) {
    for (int c = 0; c < wide; c += L) {
      var t = FloatVector.fromArray(F, a, total + c);
      FloatVector.broadcast(F, 1f).div(t).blend(0f, t.compare(EQ, 0f)).intoArray(a, factor + c);
    }
  }

  // The loops below write the exponential out (Simd.exp without its limits, which take as long as the polynomial:
  // nothing here exceeds 0 by more than rounding), and are long: C2 does not inline what is longer than 325 bytes of
  // bytecode. Their callers would be too large, and then vectors are boxed.

  /// A panel of scores [keys, queries] ← e^(score + bias − max) with the new maximum; sum ← their sums, factor ← old
  /// maximum − new one. (A comparison: Java's maximum of vectors takes three times as long. Two of them in turn, since
  /// they wait for each other.)
  private static void softmax(float[] a, int p, int keys, int wide, int bias, int max, int sum, int factor) {
    FloatVector log2e = FloatVector.broadcast(F, Simd.LOG2E);
    FloatVector magic = FloatVector.broadcast(F, Simd.MAGIC);
    FloatVector one = FloatVector.broadcast(F, 1f);
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
        var y = r.fma(FloatVector.broadcast(F, Simd.E6), FloatVector.broadcast(F, Simd.E5))
            .fma(r, FloatVector.broadcast(F, Simd.E4)).fma(r, FloatVector.broadcast(F, Simd.E3))
            .fma(r, FloatVector.broadcast(F, Simd.E2)).fma(r, one).fma(r, one);
        y = y.reinterpretAsInts().add(z.reinterpretAsInts().lanewise(LSHL, 23)).reinterpretAsFloats()
            .blend(0f, x.compare(LT, Simd.EXP_LOW));
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

  /// max ← max + log total, where total = 2ᵉ·f with f in √½ … √2, and log f = 2w(1 + w²/3 + w⁴/5 + …), w = (f − 1)/(f +
  /// 1).
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
      var series = s.fma(FloatVector.broadcast(F, 1 / 9f), FloatVector.broadcast(F, 1 / 7f))
          .fma(s, FloatVector.broadcast(F, 1 / 5f)).fma(s, FloatVector.broadcast(F, 1 / 3f)).mul(s);
      var y = w.add(w);
      var log = exponent.fma(FloatVector.broadcast(F, Simd.LN2_HIGH),
          y.fma(series, exponent.fma(FloatVector.broadcast(F, Simd.LN2_LOW), y)));
      FloatVector.fromArray(F, a, max + c).add(log.blend(Float.NEGATIVE_INFINITY, t.compare(EQ, 0f)))
          .intoArray(a, max + c);
    }
  }
}
