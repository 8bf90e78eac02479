package jacquard.clip.nn.convolution;

import jacquard.clip.nn.Init;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// A convolution of single pixels, which is a linear layer: activation(x·Wᵀ + b). Weight `[out, 1, 1, in]`, bias
/// `[out]` or null.
public record Pointwise(Tensor weight, Tensor bias) {
  /// @param bias null: none
  public static Pointwise of(Init.Maker make, int in, int out, Init start, Init bias) {
    return new Pointwise(make.make(start, out, 1, 1, in), bias == null ? null : make.make(bias, out));
  }

  /// Plus `added`, which may be null.
  public Tensor apply(Tensor x, Activation activation, Tensor added) {
    return x.linear(weight.reshape(weight.dim(0), weight.dim(3)), bias, activation, added);
  }

  public Tensor apply(Tensor x, Activation activation) { return apply(x, activation, null); }
}
