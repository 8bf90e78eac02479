package jacquard.clip.tune.learned;

import jacquard.clip.image.PatchFrame;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.Patches;
import jacquard.tensor.Grid;
import jacquard.tensor.Tensor;
import java.util.Optional;

/// An image tower with something learned beside it, which sees the tower's features.
interface AroundImages extends Around, ImageTower {
  @Override ImageTower base();

  /// What becomes of the tower's features `[count, embedding]`.
  Tensor changed(Tensor features);

  @Override default Tensor features(ImageBatch images) { return changed(base().features(images)); }
  @Override default Tensor features(Patches patches) { return changed(base().features(patches)); }
  @Override default Encoding tokens(ImageBatch images) { return base().tokens(images); }
  @Override default Encoding tokens(Patches patches) { return base().tokens(patches); }
  @Override default Optional<PatchFrame> frame() { return base().frame(); }
  @Override default Grid input() { return base().input(); }
  @Override default int fixed() { return base().fixed(); }
}
