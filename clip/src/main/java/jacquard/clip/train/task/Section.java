package jacquard.clip.train.task;

import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import java.io.IOException;
import java.util.Map;

/// Tensors that a run must keep to go on.
public interface Section {
  /// As a file holds them, by name.
  Map<String, Safetensors.Array> stored();

  /// Writes those of a file, their names behind a prefix, into the tensors themselves.
  void restore(Weights file, String prefix) throws IOException;
}
