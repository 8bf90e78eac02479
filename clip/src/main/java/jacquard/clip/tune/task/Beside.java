package jacquard.clip.tune.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.clip.tune.learned.Learned;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/// A task whose model has something learned beside it. What others load is the model without it, and beside its weights
/// what was learned.
///
/// @param plain the model without it, whose tensors are those of the task's model
public record Beside(Task task, Learned learned, ClipModel plain) implements TrainedAlone {
  /// The folder of what was learned, within that of the weights.
  public static final String FOLDER = "learned";

  @Override public String name() { return task.name() + ", " + learned.kind(); }
  @Override public Beside of(ClipModel model) { return new Beside(task.of(model), learned, plain); }

  @Override public Map<String, Safetensors.Array> published(Map<String, Safetensors.Array> stored) {
    return Checkpoint.arrays(plain, Parameters.of(plain).all());
  }

  @Override public void publish(Path folder) throws IOException {
    learned.write(folder.resolve(FOLDER), Adapter.hash(plain), 1);
  }
}
