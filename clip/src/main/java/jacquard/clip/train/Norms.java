package jacquard.clip.train;

import jacquard.autograd.Clipping;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Group;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Consumer;

/// Lengths of the parameters and of what a step adds to them. They cost copies of some 8 MB at a time, or of a tensor
/// that is larger, and three passes, and are taken at every tenth step.
final class Norms {
  private static final long EVERY = 10, GROUP = 1 << 21;

  private final SequencedMap<String, Tensor> parameters;
  private final Set<String> cut;
  /// Squares: of what all ranks have, and of this rank's rows.
  private final double[] before = new double[2], change = new double[2];

  private Norms(Task task) {
    this.parameters = task.parameters().trained();
    this.cut = task.cut();
  }

  /// What makes the optimizer's moves in a step and measures them on the way; null where they are not due.
  static Norms due(long step, Task task) { return (step + 1) % EVERY == 0 ? new Norms(task) : null; }

  /// The same moves, made a group of parameters at a time.
  Consumer<Map<String, Tensor>> around(Consumer<Map<String, Tensor>> move) {
    return gradients -> {
      var group = new LinkedHashMap<String, Tensor>();
      long elements = 0;
      for (var e : gradients.entrySet()) {
        group.put(e.getKey(), e.getValue());
        elements += e.getValue().shape().size();
        if (elements < GROUP) continue;
        measured(group, move);
        group.clear();
        elements = 0;
      }
      if (!group.isEmpty()) measured(group, move);
      if (cut.isEmpty()) return;
      double[] all = Group.current().sum("squares of parameters and changes", before[1], change[1]);
      before[1] = all[0];
      change[1] = all[1];
    };
  }

  private void measured(Map<String, Tensor> group, Consumer<Map<String, Tensor>> move) {
    try (var _ = Scope.open()) {
      List<Tensor> now = group.keySet().stream().map(parameters::get).toList(), old = now.stream().map(Tensor::copy)
          .toList();
      add(before, group, old);
      move.accept(group);
      var d = new ArrayList<Tensor>();
      for (int i = 0; i < old.size(); i++) d.add(now.get(i).subtract(old.get(i)));
      add(change, group, d);
    }
  }

  private void add(double[] squares, Map<String, Tensor> group, List<Tensor> tensors) {
    var parts = List.of(new ArrayList<Tensor>(), new ArrayList<Tensor>());
    int i = 0;
    for (var path : group.keySet()) parts.get(cut.contains(path) ? 1 : 0).add(tensors.get(i++));
    for (int p = 0; p < 2; p++) squares[p] += square(Clipping.norm(parts.get(p)));
  }

  /// Of the parameters that had gradients, before the step.
  double parameters() { return Math.sqrt(before[0] + before[1]); }
  double change() { return Math.sqrt(change[0] + change[1]); }

  private static double square(double x) { return x * x; }
}
