package jacquard.tensor.op;

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
  SILU
}
