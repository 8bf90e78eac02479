package jacquard.clip.nn;

import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Fused;

/// A convolution over rows of pixels. Weight `[out, kh, kw, in/groups]` in memory; checkpoints hold
/// `[out, in/groups, kh, kw]`.
///
/// @param bias `[out]`, or null
public record Conv2d(Tensor weight, Tensor bias, int stride, Padding padding, int groups) {
  /// Of one group, without bias.
  public static Conv2d of(Init.Maker make, int in, int out, int kernel, int stride, Padding padding) {
    return of(make, in, out, kernel, stride, padding, false);
  }

  /// Of one group.
  public static Conv2d of(Init.Maker make, int in, int out, int kernel, int stride, Padding padding, boolean biased) {
    var init = Init.fanIn(in * kernel * kernel);
    return new Conv2d(make.make(init, out, kernel, kernel, in), biased ? make.make(init, out) : null, stride, padding,
        1);
  }

  /// Begun as asked.
  ///
  /// @param weight `[out, kh, kw, in/groups]`, its shape; the padding keeps the grid where the kernel is odd and the
  ///   stride 1
  /// @param bias null: none
  public static Conv2d of(Init.Maker make, Shape weight, int stride, int groups, Init start, Init bias) {
    return new Conv2d(make.make(start, weight.dims()), bias == null ? null : make.make(bias, weight.dim(0)), stride,
        Padding.of((weight.dim(1) - 1) / 2), groups);
  }

  /// The same without padding.
  public Conv2d unpadded() { return new Conv2d(weight, bias, stride, Padding.NONE, groups); }

  public Tensor apply(Tensor x, Grid grid) {
    return bias == null ? Tensor.apply(op(grid), x, weight) : Tensor.apply(op(grid), x, weight, bias);
  }
  public Grid to(Grid grid) { return op(grid).to(weight.shape()); }
  private Fused.Conv2d op(Grid grid) { return new Fused.Conv2d(grid, stride, padding, groups, bias != null); }
}
