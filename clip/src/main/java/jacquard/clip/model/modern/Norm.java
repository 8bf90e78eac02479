package jacquard.clip.model.modern;

import jacquard.clip.nn.Init;
import jacquard.clip.nn.RmsNorm;
import jacquard.tensor.Tensor;

/// A layer norm, or without a bias (null) an RMS norm: x/√(mean(x²) + ε)·weight (Zhang and Sennrich 2019).
record Norm(Tensor weight, Tensor bias, float epsilon) {
  static Norm of(Init.Maker make, int width, ModernTextConfig c) {
    return new Norm(make.make(Init.ONES, width), c.layerNorm() ? make.make(Init.ZEROS, width) : null, c.epsilon());
  }

  Tensor apply(Tensor x) {
    if (bias != null) return x.layerNorm(weight, bias, epsilon);
    return new RmsNorm(weight, epsilon).apply(x);
  }

  /// Of each head's channels.
  Tensor perHead(Tensor x, int heads) {
    return apply(x.reshape(x.dim(0) * heads, x.dim(1) / heads)).reshape(x.shape());
  }
}
