package jacquard.tensor.op;

import jacquard.tensor.Tensor;

/// Pointwise nonlinearities.
public enum Activation {
  NONE,
  /// max(x, 0)
  RELU,
  /// x·Φ(x) = x/2·(1 + erf(x/√2)); Hendrycks and Gimpel 2016
  GELU,
  /// The tanh form: x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))
  GELU_TANH,
  /// x·σ(1.702·x), as OpenAI's CLIP
  QUICK_GELU,
  /// x·σ(x)
  SILU;

  /// f′(x) by simpler ops. 1 − tanh²(u) is 4·σ(2u)·σ(−2u), without a difference of nearly equal numbers.
  Tensor slope(Tensor x) {
    return switch (this) {
      case NONE -> x.equal(x);
      case RELU -> x.equal(x.clamp(Float.NEGATIVE_INFINITY, 0)).affine(-1, 1);
      case GELU -> {
        var zero = x.equal(Tensor.scalar(0));
        // Φ(x) = gelu(x)/x, ½ at 0
        var below = x.activate(GELU).add(zero.mul(0.5f)).divide(x.add(zero));
        yield below.add(x.mul(x.mul(x).mul(-0.5f).exp()).mul((float) (1 / Math.sqrt(2 * Math.PI))));
      }
      case GELU_TANH -> {
        float twice = (float) (2 * Math.sqrt(2 / Math.PI));
        yield gated(x, x.mul(x).affine(0.044715f, 1).mul(x).mul(twice), x.mul(x).affine(3 * 0.044715f, 1).mul(twice));
      }
      case QUICK_GELU -> gated(x, x.mul(1.702f), Tensor.scalar(1.702f));
      case SILU -> gated(x, x, Tensor.scalar(1));
    };
  }

  /// The slope of x·σ(u), u of the slope v: σ(u) + x·v·σ(u)·σ(−u).
  private static Tensor gated(Tensor x, Tensor u, Tensor v) {
    return u.sigmoid().add(x.mul(v).mul(u.sigmoid()).mul(u.negate().sigmoid()));
  }
}
