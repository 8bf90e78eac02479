package jacquard.autograd.optimizer;

import jacquard.autograd.Optimizer.Fused;
import jacquard.tensor.op.Update;
import java.util.List;

/// Another rule at a multiple of the rate: what [Muon] leaves to others, as a rule at less of it.
public record Slowed(Fused rule, double factor) implements Fused {
  @Override public List<String> moments() { return rule.moments(); }

  @Override public Update update(long t, double rate, double decay, float gradient) {
    return rule.update(t, rate * factor, decay, gradient);
  }
}
