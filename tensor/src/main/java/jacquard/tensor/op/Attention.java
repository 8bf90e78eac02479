package jacquard.tensor.op;

import jacquard.tensor.DType;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.util.ArrayList;
import java.util.List;

/// Multi-head scaled dot-product attention over sequences of rows (Vaswani et al. 2017; tiled as Dao et al. 2022).
///
/// o_q = Σ_j softmax_j(scale·q·k_j + bias[h, q, j])·v_j over the key rows of q's range, for each head.
///
/// q [rq, heads·d], k [rk, heads·d], v [rk, heads·e], optional bias [heads, Q, K] indexed by position within the
/// sequences → o [rq, heads·e], 0 for a row without keys. Recorded: also the log-sum-exp of each row and head
/// [rq, heads], in F32 whatever the inputs are.
public record Attention(int heads, float scale, Sequences queries, Sequences keys, Ranges ranges, boolean biased,
    boolean isRecorded) implements Fused {
  public Attention(int heads, float scale, Sequences queries, Sequences keys, Ranges ranges) {
    this(heads, scale, queries, keys, ranges, false, false);
  }

  public Attention withBias() { return new Attention(heads, scale, queries, keys, ranges, true, isRecorded); }

  @Override public Op recorded() { return new Attention(heads, scale, queries, keys, ranges, biased, true); }

  @Override public List<Type> infer(List<Type> in) {
    if (!Op.floating(in, biased ? 4 : 3)) throw Op.mismatch(this, in, "floating q, k, v" + (biased ? ", bias" : ""));
    int wide = in.get(0).shape().rank() == 2 ? in.get(0).shape().dim(1) : -1;
    if (!in.get(0).has(queries.rows(), -1) || !in.get(1).has(keys.rows(), wide) || !in.get(2).has(keys.rows(), -1)
        || heads < 1 || wide % heads != 0
        || in.get(2).shape().dim(1) % heads != 0)
      throw Op.mismatch(this, in, "q [" + queries.rows() + ", heads·d], k [" + keys.rows() + ", heads·d], v ["
      + keys.rows() + ", heads·e]");
    if (biased && (!in.get(3).has(heads, -1, -1) || in.get(3).shape().dim(1) < queries.longest()
        || in.get(3).shape().dim(2) < keys.longest()))
      throw Op.mismatch(this, in, "bias [" + heads + ", ≥" + queries.longest() + ", ≥" + keys.longest() + "]");
    ranges.check(this, in);
    Shape q = in.get(0).shape(), v = in.get(2).shape();
    var o = in.getFirst().with(Shape.of(q.dim(0), v.dim(1)));
    return isRecorded ? List.of(o, Type.f32(q.dim(0), heads)) : List.of(o);
  }

  @Override public List<Tensor> define(List<Tensor> in) {
    int d = in.get(0).dim(1) / heads, e = in.get(2).dim(1) / heads;
    var rows = new ArrayList<Tensor>();
    var sums = new ArrayList<Tensor>();
    for (int s = 0; s < queries.count(); s++) {
      int q0 = queries.from(s), q1 = queries.to(s), k0 = keys.from(s), k1 = keys.to(s);
      var dtype = in.getFirst().dtype();
      var visible = visible(s).cast(dtype);
      var hidden = visible.affine(-1, 1).mul(dtype == DType.F16 ? -6e4f : -1e30f);
      var heads = new ArrayList<Tensor>();
      var lse = new ArrayList<Tensor>();
      for (int h = 0; h < this.heads; h++) {
        var q = in.get(0).slice(0, q0, q1).slice(1, h * d, h * d + d);
        var k = in.get(1).slice(0, k0, k1).slice(1, h * d, h * d + d);
        var v = in.get(2).slice(0, k0, k1).slice(1, h * e, h * e + e);
        var z = q.matmul(false, k, true).mul(scale).add(hidden);                 // [Q, K]
        if (biased)
          z = z.add(in.get(3).cast(dtype).slice(0, h, h + 1).slice(1, 0, q1 - q0).slice(2, 0, k1 - k0)
              .reshape(q1 - q0, k1 - k0));
        var max = z.maxKeeping(1);
        var p = z.subtract(max).exp().mul(visible);
        // 0 for a row without keys, else at least 1
        var sum = p.sumKeeping(1);
        heads.add(p.divide(sum.clamp(0.5f, Float.MAX_VALUE)).matmul(v));
        lse.add(sum.log().add(max));
      }
      rows.add(Tensor.concat(1, heads));
      sums.add(Tensor.concat(1, lse));
    }
    var o = Tensor.concat(0, rows);
    return isRecorded ? List.of(o, Tensor.concat(0, sums).cast(DType.F32)) : List.of(o);
  }

  /// 1 where a query of a sequence sees a key, else 0: [Q, K].
  Tensor visible(int sequence) {
    int q0 = queries.from(sequence), q1 = queries.to(sequence), k0 = keys.from(sequence), k1 = keys.to(sequence);
    float[] mask = new float[(q1 - q0) * (k1 - k0)];
    for (int q = q0; q < q1; q++)
      for (int k = k0; k < k1; k++)
        mask[(q - q0) * (k1 - k0) + k - k0] = k >= ranges.from()[q] && k < ranges.to()[q] ? 1 : 0;
    return Tensor.of(Shape.of(q1 - q0, k1 - k0), mask);
  }

  /// Of q, k, v, `[bias]`, o, log-sum-exp and do in F32: dq, dk, dv, `[dbias]`. P = e^(z − lse), dS = P∘(do·vᵀ − Σ
  /// o∘do), dq = scale·dS·k, dk = scale·dSᵀ·q, dv = Pᵀ·do, dbias = Σ dS over the sequences.
  List<Tensor> gradients(List<Tensor> in) {
    int first = biased ? 4 : 3, d = in.get(0).dim(1) / heads, e = in.get(2).dim(1) / heads;
    var parts = List.of(new ArrayList<Tensor>(), new ArrayList<Tensor>(), new ArrayList<Tensor>());
    Tensor dbias = biased ? Tensor.zeros(in.get(3).shape()) : null;
    for (int s = 0; s < queries.count(); s++) {
      int q0 = queries.from(s), q1 = queries.to(s), k0 = keys.from(s), k1 = keys.to(s);
      var visible = visible(s);
      var each = List.of(new ArrayList<Tensor>(), new ArrayList<Tensor>(), new ArrayList<Tensor>());
      for (int h = 0; h < heads; h++) {
        Tensor q = part(in.get(0), q0, q1, h, d), k = part(in.get(1), k0, k1, h, d), v = part(in.get(2), k0, k1, h, e);
        Tensor o = part(in.get(first), q0, q1, h, e), g = part(in.get(first + 2), q0, q1, h, e);
        var z = q.matmul(false, k, true).mul(scale);                             // [Q, K]
        if (biased)
          z = z.add(in.get(3).slice(0, h, h + 1).slice(1, 0, q1 - q0).slice(2, 0, k1 - k0).reshape(q1 - q0, k1 - k0));
        // −∞ of a row without keys
        var lse = part(in.get(first + 1), q0, q1, h, 1).clamp(-1e30f, Float.MAX_VALUE);
        var p = z.add(visible.affine(-1, 1).mul(-1e30f)).subtract(lse).exp().mul(visible);
        var ds = p.mul(g.matmul(false, v, true).subtract(g.mul(o).sumKeeping(1)));
        each.get(0).add(ds.matmul(k).mul(scale));
        each.get(1).add(ds.matmul(true, q, false).mul(scale));
        each.get(2).add(p.matmul(true, g, false));
        if (dbias != null) dbias = dbias.add(padded(ds.reshape(1, q1 - q0, k1 - k0), dbias.shape(), h));
      }
      for (int i = 0; i < 3; i++) parts.get(i).add(Tensor.concat(1, each.get(i)));
    }
    var r = new ArrayList<Tensor>();
    for (var p : parts) r.add(Tensor.concat(0, p));
    if (dbias != null) r.add(dbias);
    return r;
  }

  private static Tensor part(Tensor t, int from, int to, int head, int width) {
    return t.slice(0, from, to).slice(1, head * width, head * width + width);
  }

  /// In the first corner of a head of zeros.
  private static Tensor padded(Tensor x, Shape to, int head) {
    x = Tensor.apply(new Movement.Pad(0, head, to.dim(0) - head - 1), x);
    for (int a = 1; a < 3; a++) x = Tensor.apply(new Movement.Pad(a, 0, to.dim(a) - x.dim(a)), x);
    return x;
  }
}
