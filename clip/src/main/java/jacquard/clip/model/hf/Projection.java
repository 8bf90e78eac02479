package jacquard.clip.model.hf;

import jacquard.autograd.Named;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// From the model's width to the embedding (`hf_proj_type`): one linear layer, or two with an activation between. The
/// absent are null.
record Projection(@Named("") Linear single, @Named("0") Linear first, @Named("2") Linear second,
    Activation activation) {
  static boolean known(String type) {
    return type.equals("none") || type.equals("linear") || type.equals("mlp") || type.equals("clap_mlp");
  }

  static Projection of(String type, Init.Maker make, int width, int embedding) {
    return switch (type) {
      case "none" -> {
        if (width != embedding)
          throw new IllegalArgumentException("text_cfg.hf_proj_type is none: the model's width " + width
              + " must equal embed_dim " + embedding);
        yield new Projection(null, null, null, Activation.NONE);
      }
      case "linear" -> new Projection(layer(make, width, embedding, false), null, null, Activation.NONE);
      case "mlp" -> {
        int hidden = (width + embedding) / 2;
        yield new Projection(null, layer(make, width, hidden, false), layer(make, hidden, embedding, false),
            Activation.GELU);
      }
      case "clap_mlp" -> new Projection(null, layer(make, width, embedding, true),
          layer(make, embedding, embedding, true), Activation.RELU);
      default ->
          throw new IllegalArgumentException("text_cfg.hf_proj_type is " + type + ", expected linear, mlp or clap_mlp");
    };
  }

  private static Linear layer(Init.Maker make, int in, int out, boolean bias) {
    return Linear.of(make, in, out, Init.fanIn(in), bias ? Init.fanIn(in) : null);
  }

  Tensor apply(Tensor x) {
    if (first == null && single == null) return x;
    return single != null ? single.apply(x) : second.apply(first.apply(x, activation));
  }
}
