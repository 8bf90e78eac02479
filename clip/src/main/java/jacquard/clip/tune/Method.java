package jacquard.clip.tune;

import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Task;
import java.io.IOException;

/// A way to adapt a model: which of its parameters change, or what is put beside them, and by which loss.
public interface Method {
  /// The task that adapts `model`, whose tensors are its own to change.
  Task task(ClipModel model, Start start) throws IOException;

  /// Whether the model's own weights stay as they are.
  default boolean stays() { return false; }

  /// Whether there is anything to train.
  default boolean trains() { return true; }
}
