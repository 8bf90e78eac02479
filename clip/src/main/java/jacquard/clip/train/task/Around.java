package jacquard.clip.train.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// A task around another one, which it is but for what it says itself.
public interface Around extends Task {
  /// The one within.
  Task task();

  @Override default ClipModel model() { return task().model(); }
  @Override default Parameters parameters() { return task().parameters(); }
  @Override default List<Tensor> features(Batch part) { return task().features(part); }
  @Override default List<Tensor> targets(Batch part) { return task().targets(part); }
  @Override default SequencedMap<String, Tensor> heads() { return task().heads(); }
  @Override default Tensor penalty() { return task().penalty(); }
  @Override default void after() { task().after(); }
  @Override default Map<String, Double> report() { return task().report(); }
  @Override default void publish(Path folder) throws IOException { task().publish(folder); }
  @Override default Map<String, Safetensors.Array> stored() { return task().stored(); }

  @Override default SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    return task().losses(features, targets, groups);
  }

  @Override default Map<String, Safetensors.Array> published(Map<String, Safetensors.Array> stored) {
    return task().published(stored);
  }

  @Override default void restore(Weights file, String prefix) throws IOException { task().restore(file, prefix); }
}
