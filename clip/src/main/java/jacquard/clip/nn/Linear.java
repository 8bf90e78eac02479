package jacquard.clip.nn;

import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// x·Wᵀ + b. Weight `[out, in]`, bias `[out]` or null.
public record Linear(Tensor weight, Tensor bias) {
  public static Linear of(Init.Maker make, int in, int out, Init weight, Init bias) {
    return new Linear(make.make(weight, out, in), bias == null ? null : make.make(bias, out));
  }

  public Tensor apply(Tensor x) { return x.linear(weight, bias, Activation.NONE); }
  public Tensor apply(Tensor x, Activation activation) { return x.linear(weight, bias, activation); }
  /// x·Wᵀ + b + `added`, which may be null.
  public Tensor apply(Tensor x, Tensor added) { return x.linear(weight, bias, Activation.NONE, added); }
}
