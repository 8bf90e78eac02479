package jacquard.clip.model;

import jacquard.tensor.Tensor;

/// From images to features `[count, embedding]`, not normalised.
public sealed interface ImageTower permits VisionTransformer, ModifiedResNet {
  Tensor features(Images images);
}
