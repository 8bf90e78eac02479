package jacquard.clip.loss;

import jacquard.tensor.Pass;
import jacquard.tensor.Precision;
import jacquard.tensor.Tensor;

/// Losses of logits `[n, classes]`, as means over rows.
public final class SoftmaxLoss {
  private SoftmaxLoss() {}

  /// Cross-entropy with the right class: ln Σ e^z − z_right.
  ///
  /// @param right 1 at each row's class, else 0, `[n, classes]`
  public static Tensor of(Tensor logits, Tensor right) {
    return Pass.current().precision(Precision.FP32).call(() -> logSum(logits).sum().subtract(logits.mul(right).sum())
        .mul(1f / logits.dim(0)));
  }

  /// T²·KL(softmax(old/T) ‖ softmax(new/T)) (Hinton et al. 2015; Li and Hoiem 2016).
  public static Tensor distilled(Tensor logits, Tensor old, float temperature) {
    return Pass.current().precision(Precision.FP32).call(() -> {
      var p = old.mul(1 / temperature).softmax();                                 // [n, classes]
      return divergence(p, logs(old.mul(1 / temperature)), logs(logits.mul(1 / temperature)))
          .mul(temperature * temperature / logits.dim(0));
    });
  }

  /// Σ KL(softmax(old) ‖ softmax(new)) over the number of all logits: PromptSRC's (Khattak et al. 2023).
  public static Tensor consistent(Tensor logits, Tensor old) {
    return Pass.current().precision(Precision.FP32).call(() -> divergence(old.softmax(), logs(old), logs(logits))
        .mul(1f / logits.shape().size()));
  }

  private static Tensor divergence(Tensor p, Tensor logOld, Tensor logNew) { return p.mul(logOld.subtract(logNew))
      .sum(); }

  /// The log of the softmax.
  private static Tensor logs(Tensor z) { return z.subtract(logSum(z)); }

  private static Tensor logSum(Tensor z) {
    var largest = z.maxKeeping(1);                                                // [n, 1]
    return z.subtract(largest).exp().sumKeeping(1).log().add(largest);
  }
}
