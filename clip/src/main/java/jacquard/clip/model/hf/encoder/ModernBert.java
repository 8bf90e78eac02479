package jacquard.clip.model.hf.encoder;

import jacquard.autograd.Named;
import jacquard.clip.model.hf.CaptionRows;
import jacquard.clip.model.hf.Encoder;
import jacquard.clip.model.hf.OwnConfig;
import jacquard.clip.model.hf.Table;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.Rotation;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Ranges;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// ModernBERT (Warner et al. 2024): pre-norm blocks, gated MLPs, rotary positions; but every n-th layer sees only the
/// neighbourhood of a token. Dropout is left out.
public record ModernBert(Embeddings embeddings, List<Layer> layers, @Named("final_norm") LayerNorm norm, Shape shape)
    implements Encoder {
  /// @param every of as many layers the first sees all
  /// @param reach how far the others see to both sides
  /// @param global,local temperatures of the positions of either kind
  record Shape(int width, int heads, int pad, int every, int reach, double global, double local) {
    boolean whole(int layer) { return layer % every == 0; }
  }

  record Embeddings(@Named("tok_embeddings") Table words, LayerNorm norm) {}

  /// @param norm1 null in the first layer, where the embeddings' own comes before
  record Layer(@Named("attn_norm") LayerNorm norm1, @Named("attn") Attend attention, @Named("mlp_norm") LayerNorm norm2,
      Mlp mlp) {}

  record Attend(@Named("Wqkv") Linear packed, @Named("Wo") Linear out) {}

  /// Wo(gelu(a)·b) of [a, b] = Wi.
  record Mlp(@Named("Wi") Linear up, @Named("Wo") Linear down) {
    Tensor apply(Tensor x, Tensor added) {
      int hidden = down.weight().dim(1);
      var parts = up.apply(x).split(1, hidden, hidden);
      return down.apply(parts.get(0).activate(Activation.GELU).mul(parts.get(1)), added);
    }
  }

  public static Optional<String> refused(OwnConfig c) {
    var act = c.text("hidden_activation", "gelu");
    return act.equals("gelu") ? Optional.empty() : Optional.of("hidden_activation " + act + " of " + c.name());
  }

  public static ModernBert of(OwnConfig c, Init.Maker make) {
    int w = c.whole("hidden_size"), hidden = c.whole("intermediate_size"), count = c.whole("num_hidden_layers");
    var s = new Shape(w, c.whole("num_attention_heads"), c.whole("pad_token_id"),
        c.whole("global_attn_every_n_layers", 3),
        c.whole("local_attention", 128) / 2, theta(c, "full_attention", "global_rope_theta", 160000),
        theta(c, "sliding_attention", "local_rope_theta", 10000));
    if (s.heads < 1 || w % s.heads != 0)
      throw new IllegalArgumentException("text_cfg.hf_model_config: " + s.heads + " heads do not divide a width of "
          + w);
    float epsilon = (float) c.number("norm_eps", 1e-5);
    boolean norms = c.flag("norm_bias", false), attends = c.flag("attention_bias", false), mlps =
        c.flag("mlp_bias", false);
    double in = c.number("initializer_range", 0.02), out = in / Math.sqrt(2 * count);
    var embeddings = new Embeddings(new Table(make.make(new Init.Truncated(in), c.whole("vocab_size"), w)),
        norm(make, w, epsilon, norms));
    var layers = new ArrayList<Layer>();
    for (int i = 0; i < count; i++)
      layers.add(new Layer(i == 0 ? null : norm(make, w, epsilon, norms),
          new Attend(linear(make, w, 3 * w, in, attends), linear(make, w, w, out, attends)),
          norm(make, w, epsilon, norms),
          new Mlp(linear(make, w, 2 * hidden, in, mlps), linear(make, hidden, w, out, mlps))));
    return new ModernBert(embeddings, List.copyOf(layers), norm(make, w, epsilon, norms), s);
  }

  /// As newer configs say it, kind by kind, or as older ones do.
  private static double theta(OwnConfig c, String kind, String older, double standard) {
    if (c.values().get("rope_parameters") instanceof Map<?, ?> kinds && kinds.get(kind) instanceof Map<?, ?> own
        && own.get("rope_theta") instanceof Number n)
      return n.doubleValue();
    return c.number(older, standard);
  }

  private static LayerNorm norm(Init.Maker make, int width, float epsilon, boolean biased) {
    return new LayerNorm(make.make(Init.ONES, width), biased ? make.make(Init.ZEROS, width) : null, epsilon);
  }

  private static Linear linear(Init.Maker make, int in, int out, double deviation, boolean biased) {
    return Linear.of(make, in, out, new Init.Truncated(deviation), biased ? Init.ZEROS : null);
  }

  @Override public int pad() { return shape.pad; }

  @Override public int width() { return shape.width; }

  @Override public Tensor apply(CaptionRows c, int[] wanted) {
    Rotation whole = rotation(c, shape.global), near = rotation(c, shape.local);
    var close = near(c);
    var x = embeddings.norm.apply(embeddings.words.weight().gather(c.ids()));
    for (int i = 0; i < layers.size(); i++) {
      var layer = layers.get(i);
      boolean all = shape.whole(i);
      int[] only = i == layers.size() - 1 ? wanted : null;
      x = Transformer.once(x, t -> applied(layer, t, c, all ? c.ranges() : close, all ? whole : near, only));
    }
    return norm.apply(x);
  }

  private Tensor applied(Layer layer, Tensor x, CaptionRows c, Ranges seen, Rotation rotation, int[] rows) {
    int w = shape.width;
    var parts = layer.attention.packed.apply(layer.norm1 == null ? x : layer.norm1.apply(x)).split(1, w, w, w);
    var q = rotation.apply(parts.get(0));
    var op = c.attention(shape.heads, (float) (1 / Math.sqrt(w / shape.heads)), seen, rows);
    var o = Tensor.apply(op, rows == null ? q : q.gather(rows), rotation.apply(parts.get(1)), parts.get(2));
    var y = layer.attention.out.apply(o, rows == null ? x : x.gather(rows));
    return layer.mlp.apply(layer.norm2.apply(y), y);
  }

  private Rotation rotation(CaptionRows c, double temperature) {
    int pairs = shape.width / shape.heads / 2;
    return Rotation.of(c.ids().length, shape.heads, pairs, (r, p) ->
        c.sequences().positions()[r] * Math.pow(temperature, -p / (double) pairs)).halves();
  }

  /// Of the tokens that a row sees those at most `reach` places away.
  private Ranges near(CaptionRows c) {
    Sequences s = c.sequences();
    var all = c.ranges();
    var r = new Ranges(all.from().clone(), all.to().clone());
    int[] place = s.positions();
    for (int q = 0; q < s.rows(); q++) {
      while (r.from()[q] < r.to()[q] && place[r.from()[q]] < place[q] - shape.reach) r.from()[q]++;
      while (r.to()[q] > r.from()[q] && place[r.to()[q] - 1] > place[q] + shape.reach) r.to()[q]--;
    }
    return r;
  }

  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(List.of("embeddings.**"));
    for (int i = 0; i < layers.size(); i++) r.add(List.of("layers." + i + ".**"));
    r.add(List.of("final_norm.**"));
    return r;
  }
}
