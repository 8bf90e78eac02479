package jacquard.clip.train.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.DType;
import jacquard.tensor.Group;
import jacquard.tensor.Interpreter;
import jacquard.tensor.Pass;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Op;
import java.io.IOException;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/// A task of whose trained parameters each rank keeps its [Rows] (FSDP; Rajbhandari et al. 2020, stage 3). In the model
/// types without elements stand for them. Where an op reads one, all rows are fetched just before, end with what the
/// block made, and are fetched again in backward; their gradient goes back as the sum over ranks of this rank's rows.
///
/// @param task       of the model with types in place of cut parameters
/// @param parameters this rank's rows of those, and all else
/// @param shapes     by path, of cut parameters
public record Sharded(Task task, Parameters parameters, SequencedMap<String, Shape> shapes, Rows rows)
    implements Task {
  /// Given to checkpoints as they are, and so never cut.
  private static final Set<String> WHOLE = Set.of("text_decoder.text_projection");

  /// Cuts a task's trained parameters; what is left of the whole ones belongs to the current scope.
  public static Sharded of(Task whole, Group group) {
    var rows = new Rows(group);
    var trained = whole.parameters().trained().keySet();
    var shapes = new LinkedHashMap<String, Shape>();
    whole.parameters().all().forEach((path, t) -> {
      if (trained.contains(path) && !WHOLE.contains(path) && rows.cut(t.type())) shapes.put(path, t.shape());
    });
    var own = Parameters.map(whole.model(), (path, t) ->
        shapes.containsKey(path) ? Scope.result(() -> rows.own(t).copy()) : t);
    var stands = Parameters.map(whole.model(), (path, t) -> shapes.containsKey(path) ? Tensor.described(t.type()) : t);
    var frozen = new HashSet<>(whole.parameters().all().keySet());
    frozen.removeAll(trained);
    var parameters = Parameters.of(own).freeze(frozen.toArray(String[]::new));
    whole.parameters().all().forEach((path, t) -> { if (shapes.containsKey(path)) t.end(); });
    return new Sharded(whole.of(stands), parameters, shapes, rows);
  }

  @Override public String name() { return task.name(); }
  @Override public ClipModel model() { return task.model(); }
  @Override public SequencedMap<String, Tensor> heads() { return task.heads(); }
  @Override public List<Tensor> features(Batch part) { return task.features(part); }
  @Override public List<Tensor> targets(Batch part) { return task.targets(part); }
  @Override public void after() { task.after(); }
  @Override public Map<String, Double> report() { return task.report(); }
  @Override public Task of(ClipModel model) { return task.of(model); }
  @Override public Set<String> cut() { return shapes.keySet(); }
  @Override public Pass under(Pass pass) { return pass.layer(Fetching.of(this)); }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    return task.losses(features, targets, groups);
  }

  /// The model with all rows, which every rank has to ask for.
  @Override public ClipModel whole() {
    var own = parameters.all();
    return Parameters.map(model(), (path, t) -> shapes.containsKey(path) ? rows.whole(own.get(path), shapes.get(path))
        : t);
  }

  @Override public Map<String, Safetensors.Array> stored() {
    var r = new LinkedHashMap<String, Safetensors.Array>();
    parameters.all().forEach((path, t) -> {
      try (var _ = Scope.open()) {
        var all = shapes.containsKey(path) ? rows.whole(t, shapes.get(path)) : t;
        if (rows.group().rank() == 0) r.putAll(Checkpoint.arrays(model(), Map.of(path, all)));
      }
    });
    return r;
  }

  @Override public void restore(Weights file, String prefix) throws IOException {
    for (var e : parameters.all().entrySet()) {
      var t = e.getValue();
      if (t.dtype() == DType.I64) continue;
      var shape = shapes.get(e.getKey());
      float[] v = file.floats(prefix + model().nameOf(e.getKey()));
      rows.put(t, model().layout(e.getKey()).read(v, shape == null ? t.shape() : shape), shape);
    }
  }

  /// Fetches what stands for cut parameters.
  ///
  /// @param paths of what stands there
  private record Fetching(Map<Tensor, String> paths, Map<String, Tensor> own, Sharded of) implements Interpreter.Layer {
    static Fetching of(Sharded task) {
      var paths = new IdentityHashMap<Tensor, String>();
      Parameters.of(task.model()).all().forEach((path, t) -> {
        if (task.shapes.containsKey(path)) paths.put(t, path);
      });
      return new Fetching(paths, task.parameters.all(), task);
    }

    @Override public Interpreter over(Interpreter below) {
      return new Interpreter() {
        @Override public Interpreter base() { return below.base(); }

        @Override public List<Tensor> apply(Op op, List<Tensor> in) {
          if (in.stream().noneMatch(paths::containsKey)) return below.apply(op, in);
          return below.apply(op, in.stream().map(t -> paths.containsKey(t) ? fetched(paths.get(t)) : t).toList());
        }

        private Tensor fetched(String path) {
          return below.apply(of.rows.gather(of.shapes.get(path)), List.of(own.get(path))).getFirst();
        }
      };
    }
  }

  /// @param whole how each rank makes the task before it is cut
  public record Recipe(Task.Recipe whole) implements Task.Recipe {
    @Override public Sharded make(boolean resumed) throws IOException {
      return Sharded.of(whole.make(resumed), Group.current());
    }
  }
}
