package jacquard.clip.model.timm;

import jacquard.autograd.Named;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// What OpenCLIP puts behind a trunk: a linear layer, an MLP twice as wide as the embedding, or nothing. The absent are
/// null.
///
/// @param drop what is left out in training of what goes into the last layer
public record Head(@Named("proj") Linear linear, @Named("mlp") TimmMlp mlp, Drop drop) {
  public static Head of(TimmConfig config, Init.Maker make, int width, int embedding) {
    boolean bias = config.timm().projBias();
    var drop = new Drop(config.timm().drop(), "head");
    return switch (config.timm().proj().orElse("")) {
      case "linear" -> new Head(layer(make, width, embedding, bias), null, drop);
      case "mlp" ->
          new Head(null, new TimmMlp(layer(make, width, 2 * embedding, true),
              layer(make, 2 * embedding, embedding, bias), Activation.GELU), drop);
      default -> new Head(null, null, Drop.NONE);
    };
  }

  /// The trunk's own classifier, which is the projection where OpenCLIP puts nothing behind; else null.
  ///
  /// @throws IllegalArgumentException if the features are to stay as they are and are not as wide as the embedding
  public static Linear classifier(TimmConfig config, Init.Maker make, int width, int embedding) {
    if (config.timm().proj().filter("none"::equals).isPresent() && width != embedding)
      throw new IllegalArgumentException("timm_proj is none: the width " + width + " of " + config.name()
          + " must equal embed_dim " + embedding);
    return config.timm().proj().isPresent() ? null : VitBlock.linear(make, width, embedding, true);
  }

  /// Whether there is nothing.
  public boolean empty() { return linear == null && mlp == null; }

  private static Linear layer(Init.Maker make, int in, int out, boolean bias) {
    return Linear.of(make, in, out, Init.fanIn(in), bias ? Init.fanIn(in) : null);
  }

  public Tensor apply(Tensor x) {
    var s = Sequences.equal(x.dim(0), 1);
    if (linear != null) return linear.apply(drop.elements(x, s, 0));
    if (mlp == null || !drop.active()) return mlp == null ? x : mlp.apply(x, null);
    return mlp.fc2().apply(drop.elements(mlp.fc1().apply(x, mlp.activation()), s, 0));
  }
}
