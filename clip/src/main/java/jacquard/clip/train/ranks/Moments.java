package jacquard.clip.train.ranks;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.clip.train.Loop;
import jacquard.clip.train.task.Rows;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/// An optimizer of which each rank has the moments of its [Rows] (Rajbhandari et al. 2020, stage 1): it moves these
/// rows of the parameters, and all ranks fetch the others'. The parameters are those of an optimizer that has all, to
/// the bit.
///
/// @param task       with all parameters on every rank
/// @param parameters this rank's rows where they lie in the task's, and what is not cut
/// @param gradients  whether this rank has its rows of the gradients alone (stage 2)
public record Moments(Task task, Rows rows, Parameters parameters, boolean gradients) {
  public static Moments of(Task task, Rows rows, boolean gradients) {
    var all = task.parameters();
    var own = Parameters.map(task.model(), (_, t) -> rows.cut(t.type()) ? rows.own(t) : t);
    var fixed = all.all().keySet().stream().filter(p -> !all.trained().containsKey(p)).toArray(String[]::new);
    return new Moments(task, rows, Parameters.of(own).freeze(fixed), gradients);
  }

  /// The optimizer's steps of all ranks.
  public Loop.Move around(Optimizer optimizer) { return around(Loop.Move.by(optimizer)); }

  /// @param own this rank's steps
  public Loop.Move around(Loop.Move own) {
    return new Loop.Move() {
      @Override public void skip(long steps) { own.skip(steps); }
      @Override public Rows kept() { return gradients ? rows : null; }

      @Override public Consumer<Map<String, Tensor>> of(double rate, float factor) {
        var move = own.of(rate, factor);
        return given -> {
          try (var _ = Scope.open()) {
            var part = new LinkedHashMap<String, Tensor>();
            given.forEach((path, g) -> part.put(path, !gradients && rows.cut(g.type()) ? rows.own(g) : g));
            move.accept(part);
          }
          given.keySet().forEach(Moments.this::fetch);
        };
      }
    };
  }

  private void fetch(String path) {
    var whole = task.parameters().all().get(path);
    if (!rows.cut(whole.type())) return;
    try (var _ = Scope.open()) {
      var moved = rows.whole(parameters.all().get(path), whole.shape());
      Tensor.applyAll(new Update.Blend(1, 1), List.of(whole, moved));
    }
  }

  /// Of a path the shape that its moments are cut from; null where they are not cut.
  public Function<String, Shape> shapes() {
    Map<String, Tensor> all = task.parameters().all();
    return path -> rows.cut(all.get(path).type()) ? all.get(path).shape() : null;
  }
}
