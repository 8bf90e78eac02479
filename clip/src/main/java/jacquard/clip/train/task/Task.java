package jacquard.clip.train.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.Pass;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Predicate;

/// What is trained and by which loss: all that a [jacquard.clip.train.Loop] and its gradients know of a model. The
/// tensors are one rank's.
public interface Task extends Section {
  /// What tells it from other tasks, in checkpoints and reports.
  String name();

  /// What is trained, evaluated and saved.
  ClipModel model();

  /// All tensors by path, and which of them are trained.
  Parameters parameters();

  /// The trained features of a part of a batch, each `[count, …]`.
  List<Tensor> features(Batch part);

  /// What the loss compares them with and nothing flows back to, each `[count, …]`.
  default List<Tensor> targets(Batch part) { return List.of(); }

  /// Which paths decay.
  default Predicate<String> decayed() { return model().decayed(); }

  /// Parameters that the loss itself reads, by path.
  SequencedMap<String, Tensor> heads();

  /// This rank's parts of the terms of the loss, by name: the loss is the sum of all terms of all ranks.
  ///
  /// @param features,targets of all micro-batches, joined
  /// @param groups           of each sample of all ranks the number of its caption, equal where captions are equal
  SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups);

  /// Paths of parameters of which this rank has its own rows alone, and of their gradients likewise; nothing is left to
  /// add up over ranks there.
  default Set<String> cut() { return Set.of(); }

  /// The pass that the features are computed under.
  default Pass under(Pass pass) { return pass; }

  /// The pass that rank 0 evaluates the model under, while the others stand by.
  default Pass alone(Pass pass) { return pass; }

  /// A term of the loss that depends on the parameters alone; null for none.
  default Tensor penalty() { return null; }

  /// What follows the optimizer's step.
  void after();

  /// What to say of the model after a step, by metric.
  Map<String, Double> report();

  /// The same task of another model, whose tensors have the same paths.
  Task of(ClipModel model);

  /// The same task of copies of all floats.
  default Task copied() { return of(Parameters.map(model(), (_, t) -> t.dtype().floating() ? t.copy() : t)); }

  /// The model as others load it.
  ///
  /// @param stored what [#stored()] gives
  default Map<String, Safetensors.Array> published(Map<String, Safetensors.Array> stored) { return stored; }

  /// Writes what belongs beside the published weights into their folder.
  default void publish(Path folder) throws IOException {}

  /// What a run must keep of the model: all of it, as a checkpoint holds it.
  @Override default Map<String, Safetensors.Array> stored() {
    return Checkpoint.arrays(model(), Parameters.of(model()).all());
  }

  @Override default void restore(Weights file, String prefix) throws IOException {
    Checkpoint.restore(model(), file, prefix);
  }

  /// How each rank makes its task, in its own scope.
  interface Recipe {
    /// @param resumed whether a checkpoint of the run follows, so that weights to begin from are not needed
    Task make(boolean resumed) throws IOException;

    /// The files of weights that it begins from and compares with, which must be the same on all ranks.
    default List<Path> files() { return List.of(); }
  }
}
