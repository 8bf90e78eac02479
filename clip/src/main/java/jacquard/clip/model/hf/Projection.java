package jacquard.clip.model.hf;

import jacquard.autograd.Named;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.Set;

/// From the model's width to the embedding (`hf_proj_type`): one linear layer, or two with an activation between. The
/// absent are null.
///
/// @param unit whether x is brought to length 1 first: `unit_linear`, which OpenCLIP has not, for encoders of sentences
///   whose features are meant so; its layer has a bias
record Projection(@Named("") Linear single, @Named("0") Linear first, @Named("2") Linear second,
    Activation activation, boolean unit) {
  private static final Set<String> TYPES = Set.of("none", "linear", "unit_linear", "mlp", "clap_mlp");

  static boolean known(String type) { return TYPES.contains(type); }

  static Projection of(String type, Init.Maker make, int width, int embedding) {
    return switch (type) {
      case "none" -> {
        if (width != embedding)
          throw new IllegalArgumentException("text_cfg.hf_proj_type is none: the model's width " + width
              + " must equal embed_dim " + embedding);
        yield new Projection(null, null, null, Activation.NONE, false);
      }
      case "linear" -> new Projection(layer(make, width, embedding, false), null, null, Activation.NONE, false);
      case "unit_linear" -> new Projection(layer(make, width, embedding, true), null, null, Activation.NONE, true);
      case "mlp" -> {
        int hidden = (width + embedding) / 2;
        yield new Projection(null, layer(make, width, hidden, false), layer(make, hidden, embedding, false),
            Activation.GELU, false);
      }
      case "clap_mlp" -> new Projection(null, layer(make, width, embedding, true),
          layer(make, embedding, embedding, true), Activation.RELU, false);
      default ->
          throw new IllegalArgumentException("text_cfg.hf_proj_type is " + type
          + ", expected linear, mlp, clap_mlp or unit_linear");
    };
  }

  private static Linear layer(Init.Maker make, int in, int out, boolean bias) {
    return Linear.of(make, in, out, Init.fanIn(in), bias ? Init.fanIn(in) : null);
  }

  /// Whether rows stay as they are.
  boolean none() { return first == null && single == null; }

  Tensor apply(Tensor x) {
    if (none()) return x;
    return single != null ? single.apply(unit ? x.normalize() : x) : second.apply(first.apply(x, activation));
  }
}
