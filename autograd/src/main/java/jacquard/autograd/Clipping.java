package jacquard.autograd;

import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Fused;
import java.util.Collection;
import java.util.List;

/// Gradient clipping by the norm of all gradients together (Pascanu et al. 2013), as PyTorch: factor min(1,
/// limit/(norm + 1e-6)).
public final class Clipping {
  private Clipping() {}

  /// The square root of the sum of all squares.
  public static double norm(Collection<Tensor> gradients) {
    if (gradients.isEmpty()) return 0;
    try (var _ = Scope.open()) { return Tensor.applyAll(new Fused.Norm(), List.copyOf(gradients)).getFirst().item(); }
  }

  public static float factor(double norm, double limit) {
    return limit <= 0 ? 1 : (float) Math.min(1, limit / (norm + 1e-6));
  }
}
