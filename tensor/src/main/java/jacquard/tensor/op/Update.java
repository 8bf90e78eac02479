package jacquard.tensor.op;

import jacquard.tensor.Type;
import java.util.List;

/// The only ops that write in place. While recording they are queued and run once, after backward.
public sealed interface Update extends Op {
  /// Which inputs are written.
  int[] written();

  @Override default int outputs() { return 0; }

  /// parameter, first moment m, second moment v, gradient g (all of one type):
  /// p ← p − rate·decay·p; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p − rate·(m/c₁)/(√(v/c₂) + ε), cᵢ = 1 − βᵢᵗ, g first multiplied
  /// by `factor` (clipping). Loshchilov and Hutter 2019, in PyTorch's order.
  record AdamW(double rate, double beta1, double beta2, double epsilon, double decay, long step, float factor) implements Update {
    @Override public int[] written() { return new int[] {0, 1, 2}; }
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 4 || in.stream().distinct().count() != 1) throw Op.mismatch(this, in, "parameter, m, v and gradient of one type");
      return List.of();
    }
  }

  /// As [AdamW], but p ← p − rate·(a·g + b·m)/(√(v/c₂) + ε): a look ahead along the momentum (Dozat 2016, in PyTorch's form), where
  /// a = (1 − μₜ)/(1 − Πμ), b = μₜ₊₁/(1 − μₜ₊₁·Πμ) and the momenta μ follow from the step.
  record NAdamW(double rate, double beta1, double beta2, double epsilon, double decay, long step, double ofGradient, double ofMoment, float factor) implements Update {
    @Override public int[] written() { return new int[] {0, 1, 2}; }
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 4 || in.stream().distinct().count() != 1) throw Op.mismatch(this, in, "parameter, m, v and gradient of one type");
      return List.of();
    }
  }

  /// parameter, momentum m, gradient g (all of one type): g ← factor·g + decay·p; m ← momentum·m + g; p ← p − rate·(g + momentum·m) after
  /// Nesterov, p ← p − rate·m otherwise. Sutskever et al. 2013, in PyTorch's form.
  record Descent(double rate, double momentum, boolean nesterov, double decay, float factor) implements Update {
    @Override public int[] written() { return new int[] {0, 1}; }
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 3 || in.stream().distinct().count() != 1) throw Op.mismatch(this, in, "parameter, momentum and gradient of one type");
      return List.of();
    }
  }

  /// target ← (1 − share)·target + share·scale·value: a running average.
  record Blend(float share, float scale) implements Update {
    @Override public int[] written() { return new int[] {0}; }
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 2 || !in.get(0).equals(in.get(1))) throw Op.mismatch(this, in, "target and value of one type");
      return List.of();
    }
  }
}
