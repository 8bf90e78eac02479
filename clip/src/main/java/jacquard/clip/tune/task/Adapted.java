package jacquard.clip.tune.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.adapter.Adapter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/// A task whose model has an adapter beside its layers, which alone is trained and kept; the model that others load has
/// it in its weights, and PEFT's files beside them.
///
/// @param base what the adapter belongs to, and the hash of its weights
public record Adapted(Task task, Adapter adapter, String base, String hash) implements TrainedAlone {
  private static final String FOLDER = "adapter";

  @Override public String name() { return task.name() + ", adapted"; }
  @Override public Adapted of(ClipModel model) { return new Adapted(task.of(model), adapter, base, hash); }

  @Override public Map<String, Safetensors.Array> published(Map<String, Safetensors.Array> stored) {
    var merged = Adapter.merged(model());
    return Checkpoint.arrays(merged, Parameters.of(merged).all());
  }

  @Override public void publish(Path folder) throws IOException {
    adapter.of(model()).write(folder.resolve(FOLDER), model(), base, hash);
  }
}
