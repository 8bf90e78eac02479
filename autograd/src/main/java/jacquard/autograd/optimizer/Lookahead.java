package jacquard.autograd.optimizer;

import jacquard.autograd.Optimizer.Fused;
import jacquard.tensor.op.Update;
import java.util.List;

/// AdamW whose step is of β₁m + (1−β₁)g in place of m: timm's `nadamw`, a simpler form than
/// [jacquard.autograd.Optimizer.NAdamW], whose momentum grows.
public record Lookahead(double beta1, double beta2, double epsilon) implements Fused {
  @Override public List<String> moments() { return List.of("m", "v"); }

  @Override public Update update(long t, double rate, double decay, float factor) {
    double corrected = 1 - StrictMath.pow(beta1, t);
    return new Update.NAdamW(rate, beta1, beta2, epsilon, decay, t, (1 - beta1) / corrected, beta1 / corrected, factor);
  }
}
