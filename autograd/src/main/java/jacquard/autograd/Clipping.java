package jacquard.autograd;

import jacquard.tensor.Tensor;
import java.util.Collection;

/// Gradient clipping by the norm of all gradients together (Pascanu et al. 2013), as PyTorch: factor min(1, limit/(norm + 1e-6)).
public final class Clipping {
  private Clipping() {}

  /// The square root of the sum of all squares.
  public static double norm(Collection<Tensor> gradients) {
    double sum = 0;
    for (var g : gradients) {
      try (var _ = jacquard.tensor.Scope.open()) { sum += g.mul(g).sum().item(); }
    }
    return Math.sqrt(sum);
  }

  public static float factor(double norm, double limit) { return limit <= 0 ? 1 : (float) Math.min(1, limit / (norm + 1e-6)); }
}
