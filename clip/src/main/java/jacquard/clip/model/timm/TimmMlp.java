package jacquard.clip.model.timm;

import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// fc2(activation(fc1(x))).
public record TimmMlp(Linear fc1, Linear fc2, Activation activation) {
  public static TimmMlp of(Init.Maker make, int width, int hidden, Activation activation) {
    return new TimmMlp(VitBlock.linear(make, width, hidden, true), VitBlock.linear(make, hidden, width, true),
        activation);
  }

  /// Plus `added`, which may be null.
  public Tensor apply(Tensor x, Tensor added) { return fc2.apply(fc1.apply(x, activation), added); }
}
