package jacquard.clip.nn;

import jacquard.autograd.Named;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// x·Wᵀ + b. Weight `[out, in]`, bias `[out]` or null.
public sealed interface Linear permits Linear.Dense, Linear.Packed, LowRank {
  /// One matrix.
  record Dense(Tensor weight, Tensor bias) implements Linear {}

  /// Queries, keys and values in one, `[3·width, in]`, by the names that PyTorch has for them.
  record Packed(@Named("in_proj_weight") Tensor weight, @Named("in_proj_bias") Tensor bias) implements Linear {}

  static Linear of(Init.Maker make, int in, int out, Init weight, Init bias) {
    return new Dense(make.make(weight, out, in), bias == null ? null : make.make(bias, out));
  }

  Tensor weight();
  Tensor bias();

  default Tensor apply(Tensor x) { return apply(x, Activation.NONE, null); }
  default Tensor apply(Tensor x, Activation activation) { return apply(x, activation, null); }
  /// x·Wᵀ + b + `added`, which may be null.
  default Tensor apply(Tensor x, Tensor added) { return apply(x, Activation.NONE, added); }
  /// The activation of x·Wᵀ + b, plus `added`, which may be null.
  default Tensor apply(Tensor x, Activation activation, Tensor added) {
    return x.linear(weight(), bias(), activation, added);
  }

  /// The layer of some of the outputs.
  default Linear rows(int from, int to) {
    if (from == 0 && to == weight().dim(0)) return this;
    return new Dense(weight().slice(0, from, to), bias() == null ? null : bias().slice(0, from, to));
  }
}
