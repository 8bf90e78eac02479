package jacquard.clip.train;

import jacquard.autograd.Clipping;
import jacquard.autograd.Parameters;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;

/// Lengths of the parameters and of what a step adds to them. They cost copies of some 64 MB at a time and three
/// passes, and are taken at every tenth step.
final class Norms {
  private static final long EVERY = 10;

  private final SequencedMap<String, Tensor> parameters;
  private double before, change;

  private Norms(Parameters parameters) { this.parameters = parameters.trained(); }

  /// What makes the optimizer's moves in a step and measures them on the way; null where they are not due.
  static Norms due(long step, Parameters parameters) { return (step + 1) % EVERY == 0 ? new Norms(parameters) : null; }

  /// The same moves, made a group of parameters at a time.
  Consumer<Map<String, Tensor>> around(Consumer<Map<String, Tensor>> move) {
    return gradients -> {
      var group = new LinkedHashMap<String, Tensor>();
      long elements = 0;
      for (var e : gradients.entrySet()) {
        group.put(e.getKey(), e.getValue());
        elements += e.getValue().shape().size();
        if (elements < Gradients.GROUP) continue;
        measured(group, move);
        group.clear();
        elements = 0;
      }
      if (!group.isEmpty()) measured(group, move);
    };
  }

  private void measured(Map<String, Tensor> group, Consumer<Map<String, Tensor>> move) {
    try (var _ = Scope.open()) {
      List<Tensor> now = group.keySet().stream().map(parameters::get).toList(), old = now.stream().map(Tensor::copy)
          .toList();
      before += square(Clipping.norm(old));
      move.accept(group);
      var d = new ArrayList<Tensor>();
      for (int i = 0; i < old.size(); i++) d.add(now.get(i).subtract(old.get(i)));
      change += square(Clipping.norm(d));
    }
  }

  /// Of the parameters that had gradients, before the step.
  double parameters() { return Math.sqrt(before); }
  double change() { return Math.sqrt(change); }

  private static double square(double x) { return x * x; }
}
