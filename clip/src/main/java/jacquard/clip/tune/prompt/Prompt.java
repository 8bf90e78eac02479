package jacquard.clip.tune.prompt;

import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.tensor.Tensor;

/// Learned vectors in place of words, and of rows within the towers, which stay as they are. A record of tensors, each
/// trained.
public interface Prompt {
  /// The pictures' normalised features and e^scale·cos(picture, name), `[n, names]`.
  Logits logits(ClipModel base, ImageBatch images, Captions names);

  record Logits(Tensor pictures, Tensor logits) {}

  static Tensor cosines(ClipModel base, Tensor pictures, Tensor names) {
    return pictures.matmul(false, names, true).mul(base.scale());
  }
}
