package jacquard.clip.model;

import jacquard.tensor.Tensor;
import java.util.List;

/// From images to features `[count, embedding]`, not normalised.
public sealed interface ImageTower permits VisionTransformer, ModifiedResNet {
  Tensor features(Images images);

  /// The tower's parameters from input to output, as OpenCLIP groups them for locking: globs of paths within the tower.
  List<List<String>> groups();
}
