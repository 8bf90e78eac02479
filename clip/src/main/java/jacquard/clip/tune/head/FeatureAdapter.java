package jacquard.clip.tune.head;

import jacquard.autograd.Named;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// A bottleneck beside a picture's feature (CLIP-Adapter, Gao et al. 2024): f ← share·A(f) + (1 − share)·f, where A is
/// two layers without bias, each followed by ReLU.
public record FeatureAdapter(@Named("fc.0") Linear down, @Named("fc.2") Linear up, float share) {
  public static final float SHARE = 0.2f;
  private static final int REDUCTION = 4;

  public static FeatureAdapter of(Init.Maker make, int embedding) {
    int hidden = embedding / REDUCTION;
    return new FeatureAdapter(Linear.of(make, embedding, hidden, Init.fanIn(embedding), null),
        Linear.of(make, hidden, embedding, Init.fanIn(hidden), null), SHARE);
  }

  /// @param features not normalised, `[n, embedding]`
  public Tensor apply(Tensor features) {
    var a = up.apply(down.apply(features, Activation.RELU), Activation.RELU);
    return a.mul(share).add(features.mul(1 - share));
  }
}
