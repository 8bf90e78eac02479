package jacquard.clip.train.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.DType;
import jacquard.tensor.Interpreter;
import jacquard.tensor.Pass;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Op;
import java.io.IOException;
import java.nio.file.Path;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Predicate;

/// A task of whose trained parameters each rank keeps its [Rows] (FSDP; Rajbhandari et al. 2020, stage 3). In the model
/// types without elements stand for them. Where an op reads one, all rows are fetched just before, end with the op, and
/// are fetched again in backward; their gradient goes back as the sum over ranks of this rank's rows.
///
/// @param task       of the model with types in place of cut parameters
/// @param parameters this rank's rows of those, and all else
/// @param shapes     by path, of cut parameters
public record Sharded(Task task, Parameters parameters, SequencedMap<String, Shape> shapes, Rows rows)
    implements Task {
  /// Given to checkpoints as they are, and so never cut.
  private static final Set<String> WHOLE = Set.of("text_decoder.text_projection");

  /// Cuts a task's trained parameters; what is left of the whole ones belongs to the current scope. Of those that lie
  /// in a file, or are not drawn yet, this rank's rows alone are ever in memory.
  public static Sharded of(Task whole, Rows rows) {
    if (!Parameters.of(whole.model()).all().keySet().containsAll(whole.parameters().all().keySet()))
      throw new IllegalArgumentException("--zero 3 and --fsdp share what lies in a model, and \"" + whole.name()
          + "\" trains more beside it; --zero 1 has both");
    var trained = whole.parameters().trained().keySet();
    var shapes = new LinkedHashMap<String, Shape>();
    whole.parameters().all().forEach((path, t) -> {
      if (trained.contains(path) && !WHOLE.contains(path) && rows.cut(t.type())) shapes.put(path, t.shape());
    });
    var own = new LinkedHashMap<String, Tensor>();
    whole.parameters().all().forEach((path, t) -> {
      own.put(path, shapes.containsKey(path) ? rows.taken(t) : t);
      if (shapes.containsKey(path)) t.end();
    });
    return of(whole, own, trained, shapes, rows);
  }

  /// @param other a task of a model with the same paths
  private static Sharded of(Task other, Map<String, Tensor> own, Set<String> trained,
      SequencedMap<String, Shape> shapes, Rows rows) {
    var stands = Parameters.map(other.model(), (path, t) -> shapes.containsKey(path) ? Tensor.described(t.type())
        : own.get(path));
    var all = Parameters.of(Parameters.map(other.model(), (path, _) -> own.get(path)));
    shapes.forEach((path, shape) -> rows.lend(own.get(path), shape));
    var frozen = all.all().keySet().stream().filter(path -> !trained.contains(path)).toArray(String[]::new);
    return new Sharded(other.of(stands), all.freeze(frozen), shapes, rows);
  }

  @Override public String name() { return task.name(); }
  @Override public ClipModel model() { return task.model(); }
  @Override public Predicate<String> decayed() { return task.decayed(); }
  @Override public SequencedMap<String, Tensor> heads() { return task.heads(); }
  @Override public List<Tensor> features(Batch part) { return task.features(part); }
  @Override public List<Tensor> targets(Batch part) { return task.targets(part); }
  @Override public void after() { task.after(); }
  @Override public Map<String, Double> report() { return task.report(); }
  @Override public Task of(ClipModel model) { return task.of(model); }
  @Override public Set<String> cut() { return shapes.keySet(); }
  @Override public Pass under(Pass pass) { return pass.layer(Fetching.of(this, false)); }
  @Override public Pass alone(Pass pass) { return pass.layer(Fetching.of(this, true)); }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    return task.losses(features, targets, groups);
  }

  @Override public Sharded copied() {
    var own = new LinkedHashMap<String, Tensor>();
    parameters.all().forEach((path, t) -> own.put(path, t.dtype().floating() ? t.copy() : t));
    return of(task, own, parameters.trained().keySet(), shapes, rows);
  }

  @Override public Map<String, Safetensors.Array> stored() {
    var r = new LinkedHashMap<String, Safetensors.Array>();
    parameters.all().forEach((path, t) -> r.putAll(shapes.containsKey(path)
        ? Checkpoint.arrays(model(), path, shapes.get(path), () -> rows.wanted(t))
        : Checkpoint.arrays(model(), Map.of(path, t))));
    return r;
  }

  @Override public void restore(Weights file, String prefix) throws IOException {
    for (var e : parameters.all().entrySet()) {
      var t = e.getValue();
      var shape = shapes.get(e.getKey());
      var name = prefix + model().nameOf(e.getKey());
      if (t.dtype() == DType.I64) {
        Checkpoint.put(t, file.longs(name));
        continue;
      }
      float[] v = file.floats(name);
      rows.put(t, model().layout(e.getKey()).read(v, shape == null ? t.shape() : shape), shape);
    }
  }

  /// Fetches what stands for cut parameters.
  ///
  /// @param paths of what stands there
  /// @param alone whether the others stand by and have to be asked
  private record Fetching(Map<Tensor, String> paths, Map<String, Tensor> own, Sharded of, boolean alone)
      implements Interpreter.Layer {
    static Fetching of(Sharded task, boolean alone) {
      var paths = new IdentityHashMap<Tensor, String>();
      Parameters.of(task.model()).all().forEach((path, t) -> {
        if (task.shapes.containsKey(path)) paths.put(t, path);
      });
      return new Fetching(paths, task.parameters.all(), task, alone);
    }

    @Override public Interpreter over(Interpreter below) {
      return new Interpreter() {
        @Override public Interpreter base() { return below.base(); }

        /// What was fetched ends here, but for what backward or a view has taken a hold of.
        @Override public List<Tensor> apply(Op op, List<Tensor> in) {
          if (in.stream().noneMatch(paths::containsKey)) return below.apply(op, in);
          return Scope.results(() -> {
            // rows are cast where they are, and half the bytes travel
            if (op instanceof Elementwise.Cast && !alone) {
              var path = paths.get(in.getFirst());
              return gathered(path, below.apply(op, List.of(own.get(path))).getFirst());
            }
            return below.apply(op, in.stream().map(t -> paths.containsKey(t) ? fetched(paths.get(t)) : t).toList());
          });
        }

        private Tensor fetched(String path) {
          if (alone) of.rows.want(own.get(path));
          return gathered(path, own.get(path)).getFirst();
        }

        private List<Tensor> gathered(String path, Tensor rows) {
          return below.apply(of.rows.gather(of.shapes.get(path)), List.of(rows));
        }
      };
    }
  }

  /// @param whole how each rank makes the task before it is cut
  public record Recipe(Task.Recipe whole, Rows rows) implements Task.Recipe {
    @Override public Sharded make(boolean resumed) throws IOException { return of(whole.make(resumed), rows); }
    @Override public List<Path> files() { return whole.files(); }
  }
}
