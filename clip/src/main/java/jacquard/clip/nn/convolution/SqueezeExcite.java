package jacquard.clip.nn.convolution;

import jacquard.clip.nn.Init;
import jacquard.clip.nn.Pooling;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// x·σ(fc2(relu(fc1(mean x)))), a factor a channel of each map; Hu et al. 2018.
public record SqueezeExcite(Pointwise fc1, Pointwise fc2) {
  /// @param hidden channels between
  public static SqueezeExcite of(Init.Maker make, int width, int hidden) {
    Init in = Init.fanIn(width), out = Init.fanIn(hidden);
    return new SqueezeExcite(Pointwise.of(make, width, hidden, in, in), Pointwise.of(make, hidden, width, out, out));
  }

  /// @param cells of a map
  public Tensor apply(Tensor x, int cells) {
    int maps = x.dim(0) / cells, width = x.dim(1);
    var factor = fc2.apply(fc1.apply(Pooling.mean(x, Sequences.equal(maps, cells), 0), Activation.RELU),
        Activation.NONE).sigmoid();
    return x.reshape(maps, cells, width).mul(factor.reshape(maps, 1, width)).reshape(x.shape());
  }
}
