package jacquard.clip.tune.head;

import jacquard.autograd.Named;
import jacquard.tensor.Tensor;

/// Names as the weights of a linear layer (WiSE-FT, Wortsman et al. 2022): scale·class features, on normalised
/// pictures,
/// without bias. It begins as the zero-shot classifier and may be trained on.
///
/// @param weight `[names, embedding]`
public record ZeroShotHead(@Named("weight") Tensor weight) {
  /// @param classes features of the names, normalised, `[names, embedding]`
  public static ZeroShotHead of(Tensor classes, Tensor scale) { return new ZeroShotHead(classes.mul(scale)); }

  /// @param features normalised, `[n, embedding]`
  public Tensor logits(Tensor features) { return features.matmul(false, weight, true); }
}
