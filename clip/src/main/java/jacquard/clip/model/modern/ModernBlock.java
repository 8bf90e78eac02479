package jacquard.clip.model.modern;

import jacquard.autograd.Named;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.LayerScale;
import jacquard.clip.nn.transformer.Rotation;
import jacquard.clip.nn.transformer.SelfAttention;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import java.util.List;

/// x + ls₁(norm(attention(norm(x)))), then x + ls₂(norm(mlp(norm(x)))); the outer norms and the scales may be null.
record ModernBlock(Norm norm1, @Named("attn") Attend attention, @Named("norm1_post") Norm after1,
    @Named("ls1") LayerScale scale1, Norm norm2,
    Mlp mlp, @Named("norm2_post") Norm after2, @Named("ls2") LayerScale scale2) {

  /// @param share of this layer's own values beside the first layer's, `[1]`; null where they are not mixed
  record Attend(Linear qkv, @Named("q_norm") Norm normQueries, @Named("k_norm") Norm normKeys, Linear gate,
      @Named("vr_lambda") Tensor share,
      Linear proj, int heads) {}

  /// w3(x·silu(gate)) of [x, gate] = w12; or c_proj(gelu(c_fc)), c_proj(relu(c_fc)²).
  record Mlp(Linear w12, Linear w3, @Named("c_fc") Linear up, @Named("c_proj") Linear down, boolean squared) {
    Tensor apply(Tensor x) {
      if (w12 != null) {
        int hidden = w3.weight().dim(1);
        var parts = w12.apply(x).split(1, hidden, hidden);
        return w3.apply(parts.get(0).mul(parts.get(1).activate(Activation.SILU)));
      }
      var h = up.apply(x, squared ? Activation.RELU : Activation.GELU);
      return down.apply(squared ? h.mul(h) : h);
    }
  }

  static ModernBlock of(Init.Maker make, ModernTextConfig c, int index) {
    int w = c.width(), hidden = (int) (w * c.mlpRatio()), head = w / c.heads();
    double in = c.sandwich() ? 0.02 : 1 / Math.sqrt(w), up = c.sandwich() ? 0.02 : 1 / Math.sqrt(2 * w);
    Init out = c.zeroResidual() ? Init.ZEROS : new Init.Normal(c.sandwich() ? 0.02 : in / Math.sqrt(2 * c.layers()));
    boolean qk = c.options().queryKeyNorm();
    var attention = new Attend(linear(make, w, 3 * w, new Init.Normal(in), c.attentionBias(), Init.ZEROS), qk
        ? Norm.of(make, head, c) : null,
        qk ? Norm.of(make, head, c) : null, c.gated() ? linear(make, w, w, new Init.Normal(in), c.gateBias(),
            Init.ONES) : null,
        c.valueResidual() && index > 0 ? make.make(new Init.Constant(0.5f), 1) : null,
            linear(make, w, w, out, c.attentionBias(), Init.ZEROS), c.heads());
    var mlp = c.swiglu()
        ? new Mlp(linear(make, w, 2 * hidden, new Init.Normal(c.sandwich() ? up : up * 1.22), c.mlpBias(), Init.ZEROS),
            linear(make, hidden, w, out, c.mlpBias(), Init.ZEROS), null, null, false)
        : new Mlp(null, null, linear(make, w, hidden, new Init.Normal(up), c.mlpBias(), Init.ZEROS),
            linear(make, hidden, w, out, c.mlpBias(), Init.ZEROS),
            c.squared());
    return new ModernBlock(Norm.of(make, w, c), attention, c.sandwich() ? Norm.of(make, w, c) : null, scale(make, c),
        Norm.of(make, w, c), mlp,
        c.sandwich() ? Norm.of(make, w, c) : null, scale(make, c));
  }

  static Linear linear(Init.Maker make, int in, int out, Init weight, boolean bias, Init start) {
    return Linear.of(make, in, out, weight, bias ? start : null);
  }

  private static LayerScale scale(Init.Maker make, ModernTextConfig c) {
    var start = c.options().layerScale();
    return start.isEmpty() ? null : new LayerScale(make.make(new Init.Constant((float) start.getAsDouble()),
        c.width()));
  }

  /// The result, all rows or those asked for (null: all), and this layer's values.
  ///
  /// @param first the first layer's values; null in the first layer, and where they are not mixed
  List<Tensor> apply(Tensor x, Tensor first, Sequences sequences, Ranges ranges, Rotation rotation, int[] rows) {
    int w = x.dim(1);
    var a = attention;
    var normed = norm1.apply(x);
    var parts = a.qkv.apply(normed).split(1, w, w, w);
    Tensor q = parts.get(0), k = parts.get(1), v = parts.get(2), own = v;
    if (a.share != null && first != null) v = first.add(v.subtract(first).mul(a.share));
    if (a.normQueries != null) {
      q = a.normQueries.perHead(q, a.heads);
      k = a.normKeys.perHead(k, a.heads);
    }
    if (rotation != null) {
      q = rotation.apply(q);
      k = rotation.apply(k);
    }
    var asking = sequences;
    var from = x;
    if (rows != null) {
      q = q.gather(rows);
      from = x.gather(rows);
      normed = normed.gather(rows);
      asking = SelfAttention.picked(sequences, rows);
      ranges = SelfAttention.picked(ranges, rows);
    }
    var o = Tensor.apply(new Attention(a.heads, (float) (1 / Math.sqrt(w / a.heads)), asking, sequences, ranges), q, k,
        v);
    if (a.gate != null) o = o.mul(a.gate.apply(normed).sigmoid());
    x = from.add(scaled(a.proj.apply(o), after1, scale1));
    return List.of(x.add(scaled(mlp.apply(norm2.apply(x)), after2, scale2)), own);
  }

  private static Tensor scaled(Tensor x, Norm norm, LayerScale scale) {
    if (norm != null) x = norm.apply(x);
    return scale == null ? x : scale.apply(x);
  }
}
