package jacquard.clip.nn;

import jacquard.tensor.Grid;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Fused;

/// A convolution without bias over rows of pixels. Weight `[out, kh, kw, in]` in memory; checkpoints hold `[out, in, kh, kw]`.
public record Conv2d(Tensor weight, int stride, int padding) {
  public static Conv2d of(Init.Maker make, int in, int out, int kernel, int stride, int padding) {
    return new Conv2d(make.make(Init.fanIn(in * kernel * kernel), out, kernel, kernel, in), stride, padding);
  }

  public Tensor apply(Tensor x, Grid grid) { return Tensor.apply(op(grid), x, weight); }
  public Grid to(Grid grid) { return op(grid).to(weight.shape()); }
  private Fused.Conv2d op(Grid grid) { return new Fused.Conv2d(grid, stride, padding); }
}
