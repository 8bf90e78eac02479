package jacquard.clip.model.hf.decoder;

import jacquard.autograd.Named;
import jacquard.clip.model.hf.CaptionRows;
import jacquard.clip.model.hf.Encoder;
import jacquard.clip.model.hf.OwnConfig;
import jacquard.clip.model.hf.Table;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.RmsNorm;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Ranges;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A causal language model as text tower, without the head that foretells tokens. Dropout is left out.
public record LanguageModel(@Named("embed_tokens") Table embedding, List<Layer> layers, RmsNorm norm, Shape shape)
    implements Encoder {
  public static boolean known(OwnConfig config) { return Shape.known(config); }

  public static Optional<String> refused(OwnConfig config) { return Shape.refused(config); }

  public static LanguageModel of(OwnConfig config, Init.Maker make) {
    var s = Shape.of(config);
    var table = Table.of(make, s.vocabulary(), s.width());
    var layers = new ArrayList<Layer>();
    for (int i = 0; i < s.windows().size(); i++) layers.add(Layer.of(make, s));
    return new LanguageModel(table, List.copyOf(layers), Layer.norm(make, s, s.width()), s);
  }

  @Override public int pad() { return shape.pad(); }

  @Override public int width() { return shape.width(); }

  @Override public Tensor apply(CaptionRows c, int[] wanted) {
    var s = c.sequences();
    var x = embedding.weight().gather(c.ids());
    if (shape.plusOne()) x = x.mul((float) Math.sqrt(shape.width()));
    for (int i = 0; i < layers.size(); i++) {
      var layer = layers.get(i);
      var seen = window(s, shape.windows().get(i));
      var rotary = shape.rotations().get(i);
      x = Transformer.once(x, t -> layer.apply(t, s, seen, rotary, shape));
    }
    return Layer.normed(norm, wanted == null ? x : x.gather(wanted), shape);
  }

  /// A row sees those before it and itself, of them the last `window`, or all (0).
  private static Ranges window(Sequences s, int window) {
    var r = Ranges.causal(s, s);
    if (window > 0)
      for (int q = 0; q < s.rows(); q++)
        while (s.positions()[r.from()[q]] <= s.positions()[q] - window) r.from()[q]++;
    return r;
  }

  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(List.of("embed_tokens.**"));
    for (int i = 0; i < layers.size(); i++) r.add(List.of("layers." + i + ".**"));
    r.add(List.of("norm.**"));
    return r;
  }
}
