package jacquard.clip.tune.prompt;

import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.TextTower;
import jacquard.tensor.Tensor;

/// Learned vectors in place of words, and of rows within the towers, which stay as they are. A record of tensors, each
/// trained.
public interface Prompt {
  /// What the caption begins with, `[vectors, width]`.
  Tensor vectors();

  /// The text tower with the prompt, whose vectors are tokens −1, −2 …
  ///
  /// @throws IllegalArgumentException if it takes none, or the vectors depend on the picture
  default TextTower text(TextTower base) {
    throw new IllegalArgumentException("each picture has texts of its own with this prompt");
  }

  /// The image tower with the prompt.
  default ImageTower image(ImageTower base) { return base; }

  /// The pictures' normalised features and e^scale·cos(picture, name), `[n, names]`.
  Logits logits(ClipModel base, ImageBatch images, Captions names);

  /// The pictures' features, and their logits over the names.
  record Logits(Tensor pictures, Tensor logits) {}

  static Tensor cosines(ClipModel base, Tensor pictures, Tensor names) {
    return pictures.matmul(false, names, true).mul(base.scale());
  }
}
