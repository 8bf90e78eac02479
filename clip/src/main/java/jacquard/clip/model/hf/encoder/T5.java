package jacquard.clip.model.hf.encoder;

import jacquard.autograd.Named;
import jacquard.clip.model.hf.CaptionRows;
import jacquard.clip.model.hf.Encoder;
import jacquard.clip.model.hf.OwnConfig;
import jacquard.clip.model.hf.Table;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.RmsNorm;
import jacquard.clip.nn.transformer.SelfAttention;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// The encoder of T5 and mT5 (Raffel et al. 2020): pre-norm blocks without biases; scores are not scaled, but have a
/// bias a head that depends on how far a key is from the query, the first block's in all of them.
public record T5(@Named("embed_tokens") Table embedding, List<Block> block, @Named("final_layer_norm") RmsNorm norm,
    Shape shape) implements Encoder {
  /// @param perHead channels of a head
  /// @param buckets kinds of distance, half of them forwards, and the distance from which all are one
  record Shape(int width, int perHead, int hidden, int heads, int buckets, int farthest, int pad, boolean gated,
      Activation activation, float epsilon, Drop drop) {}

  record Block(List<Part> layer, Drop drop) {}

  /// Attention or MLP, with the norm before it; the other is null.
  record Part(@Named("SelfAttention") Attend attention, @Named("DenseReluDense") Mlp mlp,
      @Named("layer_norm") RmsNorm norm) {}

  /// @param distances `[buckets, heads]`, of the first block alone
  record Attend(Linear q, Linear k, Linear v, Linear o, @Named("relative_attention_bias") Table distances) {}

  /// wo(act(wi₀ x)·wi₁ x), or wo(act(wi x)).
  record Mlp(@Named("wi") Linear plain, @Named("wi_0") Linear gate, @Named("wi_1") Linear up,
      @Named("wo") Linear down) {
    Tensor apply(Tensor x, Activation activation, UnaryOperator<Tensor> dropped, Tensor added) {
      var hidden = plain != null ? plain.apply(x, activation) : gate.apply(x, activation).mul(up.apply(x));
      return down.apply(dropped.apply(hidden), added);
    }
  }

  private static final List<String> KINDS = List.of("relu", "gated-relu", "gated-gelu", "gated-silu");

  public static Optional<String> refused(OwnConfig c) {
    var kind = c.text("feed_forward_proj", "relu");
    return KINDS.contains(kind) ? Optional.empty() : Optional.of("feed_forward_proj " + kind + " of " + c.name());
  }

  public static T5 of(OwnConfig c, Init.Maker make) {
    var kind = c.text("feed_forward_proj", "relu");
    var activation = kind.endsWith("relu") ? Activation.RELU : kind.endsWith("silu") ? Activation.SILU
        : Activation.GELU_TANH;
    var s = new Shape(c.whole("d_model"), c.whole("d_kv"), c.whole("d_ff"), c.whole("num_heads"),
        c.whole("relative_attention_num_buckets", 32),
        c.whole("relative_attention_max_distance", 128), c.whole("pad_token_id"), kind.startsWith("gated"), activation,
        (float) c.number("layer_norm_epsilon", 1e-6), c.drop("dropout_rate", 0.1, "whole"));
    int w = s.width, inner = s.heads * s.perHead;
    double start = 1 / Math.sqrt(w);
    var blocks = new ArrayList<Block>();
    for (int i = 0; i < c.whole("num_layers"); i++) {
      var attention = new Attend(linear(make, w, inner, 1 / Math.sqrt((double) w * s.perHead)),
          linear(make, w, inner, start), linear(make, w, inner, start),
          linear(make, inner, w, 1 / Math.sqrt(inner)), i > 0 ? null
          : new Table(make.make(new Init.Normal(start), s.buckets, s.heads)));
      var up = linear(make, w, s.hidden, start);
      var mlp = new Mlp(s.gated ? null : up, s.gated ? up : null, s.gated ? linear(make, w, s.hidden, start) : null,
          linear(make, s.hidden, w, 1 / Math.sqrt(s.hidden)));
      blocks.add(new Block(List.of(new Part(attention, null, RmsNorm.of(make, w, s.epsilon)),
          new Part(null, mlp, RmsNorm.of(make, w, s.epsilon))), c.drop("dropout_rate", 0.1, "layer." + i)));
    }
    return new T5(new Table(make.make(new Init.Normal(1), c.whole("vocab_size"), w)), List.copyOf(blocks),
        RmsNorm.of(make, w, s.epsilon), s);
  }

  private static Linear linear(Init.Maker make, int in, int out, double deviation) {
    return Linear.of(make, in, out, new Init.Normal(deviation), null);
  }

  @Override public int pad() { return shape.pad; }

  @Override public int width() { return shape.width; }

  @Override public Tensor apply(CaptionRows c, int[] wanted) {
    c.contiguous(shape.pad);
    int longest = c.sequences().longest();
    var bias = block.getFirst().layer.getFirst().attention.distances.weight().gather(buckets(longest))
        .reshape(longest, longest, shape.heads).permute(2, 0, 1).dense();                              // [heads, Q, K]
    var x = shape.drop.elements(embedding.weight().gather(c.ids()), c.sequences(), 0);
    for (int i = 0; i < block.size(); i++) {
      var b = block.get(i);
      int[] only = i == block.size() - 1 ? wanted : null;
      x = Transformer.once(List.of(x, bias), t -> List.of(applied(b, t.get(0), t.get(1), c, only))).getFirst();
    }
    var s = wanted == null || !shape.drop.active() ? c.sequences() : SelfAttention.picked(c.sequences(), wanted);
    return shape.drop.elements(norm.apply(x), s, 1);
  }

  /// All rows, or only `rows` of the result; those are the first of their captions, which is the bias' first query.
  private Tensor applied(Block b, Tensor x, Tensor bias, CaptionRows c, int[] rows) {
    Part first = b.layer.get(0), second = b.layer.get(1);
    var a = first.attention;
    var normed = first.norm.apply(x);
    var op = c.attention(shape.heads, 1, c.ranges(), rows).withBias();
    var o = b.drop.attention(op, List.of(a.q.apply(rows == null ? normed : normed.gather(rows)), a.k.apply(normed),
        a.v.apply(normed), bias), 0);
    var s = op.queries();
    var y = b.drop.added(rows == null ? x : x.gather(rows), added -> a.o.apply(o, added), s, 1);
    return b.drop.added(y, added -> second.mlp.apply(second.norm.apply(y), shape.activation,
        hidden -> b.drop.elements(hidden, s, 2), added), s, 3);
  }

  /// The bucket of each query and key, row by row of queries: near distances have one each, far ones share on a
  /// logarithmic scale; keys behind the query have the upper half.
  private int[] buckets(int n) {
    int half = shape.buckets / 2, exact = half / 2;
    int[] r = new int[n * n];
    for (int q = 0; q < n; q++)
      for (int k = 0; k < n; k++) {
        int far = Math.abs(k - q), bucket = far;
        if (far >= exact)
          bucket = Math.min(half - 1, exact
              + (int) (Math.log((double) far / exact) / Math.log((double) shape.farthest / exact) * (half - exact)));
        r[q * n + k] = bucket + (k > q ? half : 0);
      }
    return r;
  }

  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(List.of("embed_tokens.**"));
    for (int i = 0; i < block.size(); i++) r.add(List.of("block." + i + ".**"));
    r.add(List.of("final_layer_norm.**"));
    return r;
  }

  @Override public List<String> undecayed() {
    return List.of("block.0.layer.0.SelfAttention.relative_attention_bias.**");
  }
}
