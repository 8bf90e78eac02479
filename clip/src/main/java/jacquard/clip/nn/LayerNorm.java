package jacquard.clip.nn;

import jacquard.tensor.Tensor;

/// Layer norm over the last axis of rows. Weight `[width]`, bias `[width]` or null.
public record LayerNorm(Tensor weight, Tensor bias, float epsilon) {
  public static LayerNorm of(Init.Maker make, int width, float epsilon) {
    return new LayerNorm(make.make(Init.ONES, width), make.make(Init.ZEROS, width), epsilon);
  }

  public Tensor apply(Tensor x) {
    return x.layerNorm(weight, bias == null ? Tensor.zeros(weight.shape()) : bias, epsilon);
  }
}
