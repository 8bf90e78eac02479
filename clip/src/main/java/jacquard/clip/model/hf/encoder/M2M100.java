package jacquard.clip.model.hf.encoder;

import jacquard.autograd.Named;
import jacquard.clip.model.hf.CaptionRows;
import jacquard.clip.model.hf.Encoder;
import jacquard.clip.model.hf.OwnConfig;
import jacquard.clip.model.hf.Table;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The encoder of M2M-100 and NLLB (Fan et al. 2020): pre-norm blocks; positions are sines and cosines, counted from
/// the pad's id on. Whole layers are not left out (`encoder_layerdrop`).
public record M2M100(@Named("embed_tokens") Table embedding, List<Layer> layers, @Named("layer_norm") LayerNorm norm,
    int pad, float factor, Drop drop) implements Encoder {
  record Layer(@Named("self_attn") Attend attention, @Named("self_attn_layer_norm") LayerNorm norm1,
      @Named("fc1") Linear up, @Named("fc2") Linear down,
      @Named("final_layer_norm") LayerNorm norm2, int heads, Drop drop,
      Drop attentionDrop) {

    /// All rows, or only `rows` of the result (null: all).
    Tensor apply(Tensor x, CaptionRows c, int[] rows) {
      var normed = norm1.apply(x);
      var op = c.attention(heads, (float) (1 / Math.sqrt(x.dim(1) / heads)), c.ranges(), rows);
      var o = attentionDrop.attention(op, List.of(attention.q.apply(rows == null ? normed : normed.gather(rows)),
          attention.k.apply(normed), attention.v.apply(normed)), 0);
      var s = op.queries();
      var y = drop.added(rows == null ? x : x.gather(rows), added -> attention.out.apply(o, added), s, 0);
      return drop.added(y, added -> down.apply(up.apply(norm2.apply(y), Activation.RELU), added), s, 1);
    }
  }

  record Attend(@Named("k_proj") Linear k, @Named("v_proj") Linear v, @Named("q_proj") Linear q,
      @Named("out_proj") Linear out) {}

  public static Optional<String> refused(OwnConfig c) {
    var act = c.text("activation_function", "relu");
    return act.equals("relu") ? Optional.empty() : Optional.of("activation_function " + act + " of " + c.name());
  }

  public static M2M100 of(OwnConfig c, Init.Maker make) {
    int w = c.whole("d_model"), hidden = c.whole("encoder_ffn_dim"), heads = c.whole("encoder_attention_heads");
    if (heads < 1 || w % heads != 0)
      throw new IllegalArgumentException("text_cfg.hf_model_config: " + heads + " heads do not divide a width of " + w);
    var table = Table.of(make, c.whole("vocab_size"), w);
    var layers = new ArrayList<Layer>();
    for (int i = 0; i < c.whole("encoder_layers"); i++) {
      var attention = new Attend(BertLayer.linear(make, w, w), BertLayer.linear(make, w, w),
          BertLayer.linear(make, w, w), BertLayer.linear(make, w, w));
      layers.add(new Layer(attention, LayerNorm.of(make, w, 1e-5f), BertLayer.linear(make, w, hidden),
          BertLayer.linear(make, hidden, w),
          LayerNorm.of(make, w, 1e-5f), heads,
          c.drop("dropout", 0.1, "layer." + i), c.drop("attention_dropout", 0.1, "layer." + i + ".attention")));
    }
    return new M2M100(table, List.copyOf(layers), LayerNorm.of(make, w, 1e-5f), c.whole("pad_token_id"),
        c.flag("scale_embedding", true) ? (float) Math.sqrt(w) : 1,
        c.drop("dropout", 0.1, "embeddings"));
  }

  @Override public int width() { return embedding.weight().dim(1); }

  @Override public Tensor apply(CaptionRows c, int[] wanted) {
    var x = embedding.weight().gather(c.ids()).mul(factor).add(positions(c));
    x = drop.elements(x, c.sequences(), 0);
    for (int i = 0; i < layers.size(); i++) {
      var layer = layers.get(i);
      int[] only = i == layers.size() - 1 ? wanted : null;
      x = Transformer.once(x, t -> layer.apply(t, c, only));
    }
    return norm.apply(x);
  }

  /// Of a row at p = counted + 1 + pad: sin(p·f) in the first half of the channels, cos(p·f) in the second, f =
  /// 10000^(−i/(n−1)); 0 for a pad.
  private Tensor positions(CaptionRows c) {
    int w = width(), half = w / 2, rows = c.ids().length;
    float[] r = new float[rows * w];
    for (int row = 0; row < rows; row++)
      for (int i = 0; i < half && c.counted()[row] >= 0; i++) {
        double angle = (c.counted()[row] + 1 + pad) * Math.exp(-i * Math.log(10000) / (half - 1));
        r[row * w + i] = (float) Math.sin(angle);
        r[row * w + half + i] = (float) Math.cos(angle);
      }
    return Tensor.of(jacquard.tensor.Shape.of(rows, w), r);
  }

  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(List.of("embed_tokens.**"));
    for (int i = 0; i < layers.size(); i++) r.add(List.of("layers." + i + ".**"));
    r.add(List.of("layer_norm.**"));
    return r;
  }
}
