package jacquard.clip.nn.transformer;

import jacquard.tensor.Tensor;

/// γ·x, a factor a channel; Touvron et al. 2021. γ `[width]`.
public record LayerScale(Tensor gamma) {
  public Tensor apply(Tensor x) { return x.mul(gamma); }
}
