package jacquard.clip.nn;

import jacquard.tensor.Tensor;

/// x/√(mean(x²) + ε)·weight over the last axis of rows (Zhang and Sennrich 2019). Weight `[width]`.
public record RmsNorm(Tensor weight, float epsilon) {
  public static RmsNorm of(Init.Maker make, int width, float epsilon) {
    return new RmsNorm(make.make(Init.ONES, width), epsilon);
  }

  public Tensor apply(Tensor x) {
    return x.divide(x.mul(x).sumKeeping(1).affine(1f / x.dim(1), epsilon).sqrt()).mul(weight);
  }
}
