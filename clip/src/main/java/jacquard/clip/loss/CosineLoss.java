package jacquard.clip.loss;

import jacquard.tensor.Pass;
import jacquard.tensor.Precision;
import jacquard.tensor.Tensor;

/// −mean cos(output, target) over rows: what a student of masked pictures learns a teacher's patches by (EVA, Fang et
/// al. 2023).
public final class CosineLoss {
  private CosineLoss() {}

  /// @param output,target `[n, width]`, not normalised
  public static Tensor of(Tensor output, Tensor target) {
    return Pass.current().precision(Precision.FP32).call(() -> each(output, target).sum().mul(-1f / output.dim(0)));
  }

  /// The cosine of each row, `[n, 1]`.
  public static Tensor each(Tensor output, Tensor target) {
    return Pass.current().precision(Precision.FP32).call(() ->
        output.normalize().mul(target.normalize()).sum(1).reshape(output.dim(0), 1));
  }
}
