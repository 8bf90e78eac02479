package jacquard.clip.model.timm.efficientnet;

import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Init;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;

/// A convolution padded as TensorFlow's `SAME`. Weight `[out, k, k, in/groups]`.
record SameConv(Tensor weight, int stride, int groups) {
  /// Begun as N(0, 2/fan out).
  static SameConv of(Init.Maker make, Shape weight, int stride, int groups) {
    double fanOut = (double) weight.dim(0) * weight.dim(1) * weight.dim(2) / groups;
    return new SameConv(make.make(new Init.Normal(Math.sqrt(2 / fanOut)), weight.dims()), stride, groups);
  }

  private Conv2d on(Grid grid) {
    return new Conv2d(weight, null, stride, Padding.same(grid, weight.dim(1), weight.dim(2), stride), groups);
  }

  Tensor apply(Tensor x, Grid grid) { return on(grid).apply(x, grid); }

  Tensor apply(ImageBatch images) { return images.through(on(images.grid())); }

  Grid to(Grid grid) { return on(grid).to(grid); }
}
