package jacquard.tensor.op;

import jacquard.tensor.DType;
import jacquard.tensor.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/// The only ops that write in place. While recording they are queued and run once, after backward.
public sealed interface Update extends Op {
  /// How many tensors it is applied to.
  int inputs();

  /// Which inputs are written.
  int[] written();

  @Override default int outputs() { return 0; }

  /// No results; fails unless the inputs are as many as they should be, F32 and of one shape: an update in 16 bits
  /// would lose most of what it adds.
  private static List<Type> alike(Update op, List<Type> in, String what) {
    if (in.size() != op.inputs() || in.getFirst().dtype() != DType.F32 || in.stream().distinct().count() != 1)
      throw Op.mismatch(op, in, what + ", F32 and of one shape");
    return List.of();
  }

  /// parameter, first moment m, second moment v, gradient g (all of one type):
  /// p ← p − rate·decay·p; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; p ← p − rate·(m/c₁)/(√(v/c₂) + ε), cᵢ = 1 − βᵢᵗ, g
  /// first multiplied by `factor` (clipping). Loshchilov and Hutter 2019, in PyTorch's order.
  record AdamW(double rate, double beta1, double beta2, double epsilon, double decay, long step, float factor)
      implements Update {
    @Override public int inputs() { return 4; }
    @Override public int[] written() { return new int[] {0, 1, 2}; }
    @Override public List<Type> infer(List<Type> in) { return alike(this, in, "parameter, m, v and gradient"); }
  }

  /// As [AdamW], but p ← p − rate·(a·g + b·m)/(√(v/c₂) + ε): a look ahead along the momentum (Dozat 2016, in PyTorch's
  /// form), where a = (1 − μₜ)/(1 − Πμ), b = μₜ₊₁/(1 − μₜ₊₁·Πμ) and the momenta μ follow from the step.
  record NAdamW(double rate, double beta1, double beta2, double epsilon, double decay, long step, double ofGradient,
      double ofMoment, float factor) implements Update {
    @Override public int inputs() { return 4; }
    @Override public int[] written() { return new int[] {0, 1, 2}; }
    @Override public List<Type> infer(List<Type> in) { return alike(this, in, "parameter, m, v and gradient"); }
  }

  /// parameter, momentum m, gradient g (all of one type): g ← factor·g + decay·p; m ← momentum·m + g; p ← p − rate·(g +
  /// momentum·m) after Nesterov, p ← p − rate·m otherwise. Sutskever et al. 2013, in PyTorch's form.
  record Descent(double rate, double momentum, boolean nesterov, double decay, float factor) implements Update {
    @Override public int inputs() { return 3; }
    @Override public int[] written() { return new int[] {0, 1}; }
    @Override public List<Type> infer(List<Type> in) { return alike(this, in, "parameter, momentum and gradient"); }
  }

  /// target ← (1 − share)·target + share·scale·value: a running average.
  record Blend(float share, float scale) implements Update {
    @Override public int inputs() { return 2; }
    @Override public int[] written() { return new int[] {0}; }
    @Override public List<Type> infer(List<Type> in) { return alike(this, in, "target and value"); }
  }

  /// Several updates at once, each of its own inputs, which follow one another: a whole optimiser's step, which a
  /// device may run as one.
  record Together(List<Update> updates) implements Update {
    @Override public int inputs() { return updates.stream().mapToInt(Update::inputs).sum(); }
    @Override public int[] written() {
      var all = new ArrayList<Integer>();
      int at = 0;
      for (var u : updates) {
        for (int i : u.written()) all.add(at + i);
        at += u.inputs();
      }
      return all.stream().mapToInt(i -> i).toArray();
    }
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != inputs()) throw Op.mismatch(this, in, inputs() + " tensors");
      each(in, Update::infer);
      return List.of();
    }
    /// Calls `f` with each update and its part of a list as long as the inputs.
    public <T> void each(List<T> in, BiConsumer<Update, List<T>> f) {
      int at = 0;
      for (var u : updates) f.accept(u, in.subList(at, at += u.inputs()));
    }
    @Override public String toString() { return "Together[" + updates.size() + " updates]"; }
  }
}
