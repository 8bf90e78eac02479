package jacquard.clip.loss;

import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Contrastive;

/// The two losses over all pairs of a batch, never holding N×N logits.
public final class ContrastiveLoss {
  /// Rows of images at a time. More rows use each packed panel of texts more often (384: 286 GFLOP/s, 128: 240; N =
  /// 8,192, D = 512, Zen 5, 2 cores); scratch grows with them, 13 MB here.
  private static final int TILE = 384;

  private ContrastiveLoss() {}

  /// Softmax cross-entropy in both directions (Radford et al. 2021).
  ///
  /// @param images,texts normalised features `[n, d]`
  /// @param scale        the factor on cosines, one element
  /// @param groups       for each pair the number of its caption, equal where captions are equal; null: all differ
  public static Tensor softmax(Tensor images, Tensor texts, Tensor scale, int[] groups) {
    if (groups == null) return Tensor.apply(new Contrastive.Softmax(TILE, false, false), images, texts, scale);
    var g = Tensor.ofInts(Shape.of(groups.length), groups);
    return Tensor.apply(new Contrastive.Softmax(TILE, true, false), images, texts, scale, g, g);
  }

  /// Pairwise sigmoid loss (Zhai et al. 2023).
  public static Tensor sigmoid(Tensor images, Tensor texts, Tensor scale, Tensor bias, int[] groups) {
    if (groups == null) return Tensor.apply(new Contrastive.Sigmoid(TILE, false, false), images, texts, scale, bias);
    var g = Tensor.ofInts(Shape.of(groups.length), groups);
    return Tensor.apply(new Contrastive.Sigmoid(TILE, true, false), images, texts, scale, bias, g, g);
  }
}
