package jacquard.clip.train.task;

import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.Patches;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;

/// A batch's pictures as an image tower takes them: all of one size, or each at its own.
public final class Pictured {
  private Pictured() {}

  /// Normalised features `[count, embedding]`.
  static Tensor features(ClipModel model, Batch part) {
    return part.flexible() ? model.embedImages(patches(part.patches())) : model.embedImages(images(part));
  }

  static Encoding tokens(ClipModel model, Batch part) {
    return part.flexible() ? model.visual().tokens(patches(part.patches())) : model.visual().tokens(images(part));
  }

  /// For a tower that takes patches.
  static Patches patches(ClipModel model, Batch part) {
    return part.flexible() ? patches(part.patches())
        : Patches.of(images(part), model.visual().frame().orElseThrow().side());
  }

  private static Patches patches(Batch.Patches p) {
    return new Patches(Tensor.of(Shape.of(p.rows().length / p.width(), p.width()), p.rows()), p.grids(), p.room());
  }

  /// Of one size.
  public static ImageBatch images(Batch part) {
    return ImageBatch.of(part.pictures().rows(), part.count(), part.pictures().grid());
  }
}
