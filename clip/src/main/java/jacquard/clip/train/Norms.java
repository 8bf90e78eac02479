package jacquard.clip.train;

import jacquard.autograd.Clipping;
import jacquard.clip.train.parameter.Layers;
import jacquard.clip.train.task.Rows;
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
import java.util.function.Predicate;

/// Lengths of the parameters and of what a step adds to them. They cost copies of some 8 MB at a time, or of a tensor
/// that is larger, and three passes, and are taken at every tenth step.
final class Norms {
  private static final long EVERY = 10, GROUP = 1 << 21;

  private final SequencedMap<String, Tensor> parameters;
  private final Set<String> cut;
  /// Squares: of what all ranks have, and of this rank's rows.
  private final double[] before = new double[2], change = new double[2];
  /// Path → layer, and of each layer the squares of its gradients; empty where they are not asked for.
  private final Map<String, String> layer;
  private final SequencedMap<String, double[]> gradients = new LinkedHashMap<>();
  /// Of which parameters this rank has its rows of the gradient alone, and whether ranks add up their squares.
  private final Predicate<String> parted;
  private final boolean summed;

  private Norms(Task task, boolean layers, Rows kept) {
    var all = task.parameters().all();
    this.parted = p -> task.cut().contains(p) || kept != null && kept.cut(all.get(p).type());
    this.summed = !task.cut().isEmpty() || layers && kept != null;
    this.layer = layers ? Layers.of(task) : Map.of();
    for (var l : layer.values()) gradients.putIfAbsent(l, new double[2]);
    this.parameters = task.parameters().trained();
    this.cut = task.cut();
  }

  /// What makes the optimizer's moves in a step and measures them on the way; null where they are not due.
  ///
  /// @param layers whether the gradients of each layer are measured too
  /// @param kept   what each rank keeps of the gradients; null: all
  static Norms due(long step, Task task, boolean layers, Rows kept) {
    return (step + 1) % EVERY == 0 ? new Norms(task, layers, kept) : null;
  }

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
      if (!summed) return;
      double[] own = new double[2 + this.gradients.size()];
      own[0] = before[1];
      own[1] = change[1];
      int i = 2;
      for (var squares : this.gradients.values()) own[i++] = squares[1];
      double[] all = Group.current().sum("squares of parameters and changes", own);
      before[1] = all[0];
      change[1] = all[1];
      i = 2;
      for (var squares : this.gradients.values()) squares[1] = all[i++];
    };
  }

  private void measured(Map<String, Tensor> group, Consumer<Map<String, Tensor>> move) {
    try (var _ = Scope.open()) {
      List<Tensor> now = group.keySet().stream().map(parameters::get).toList(), old = now.stream().map(Tensor::copy)
          .toList();
      add(before, group, old);
      measured(group);
      move.accept(group);
      var d = new ArrayList<Tensor>();
      for (int i = 0; i < old.size(); i++) d.add(now.get(i).subtract(old.get(i)));
      add(change, group, d);
    }
  }

  /// The gradients, before they are clipped.
  private void measured(Map<String, Tensor> group) {
    if (gradients.isEmpty()) return;
    var parts = new LinkedHashMap<String, Map<String, Tensor>>();
    group.forEach((path, g) -> parts.computeIfAbsent(layer.getOrDefault(path, ""), _ -> new LinkedHashMap<>())
        .put(path, g));
    parts.forEach((l, of) -> { if (!l.isEmpty()) add(gradients.get(l), of, List.copyOf(of.values()), parted); });
  }

  private void add(double[] squares, Map<String, Tensor> group, List<Tensor> tensors) {
    add(squares, group, tensors, cut::contains);
  }

  private static void add(double[] squares, Map<String, Tensor> group, List<Tensor> tensors,
      Predicate<String> parted) {
    var parts = List.of(new ArrayList<Tensor>(), new ArrayList<Tensor>());
    int i = 0;
    for (var path : group.keySet()) parts.get(parted.test(path) ? 1 : 0).add(tensors.get(i++));
    for (int p = 0; p < 2; p++) squares[p] += square(Clipping.norm(parts.get(p)));
  }

  /// Of the parameters that had gradients, before the step.
  double parameters() { return Math.sqrt(before[0] + before[1]); }
  double change() { return Math.sqrt(change[0] + change[1]); }

  /// The gradient's norm by layer, in the order of the model.
  SequencedMap<String, Double> layers() {
    var r = new LinkedHashMap<String, Double>();
    gradients.forEach((l, squares) -> r.put(l, Math.sqrt(squares[0] + squares[1])));
    return r;
  }

  private static double square(double x) { return x * x; }
}
