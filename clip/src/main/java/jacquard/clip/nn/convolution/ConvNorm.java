package jacquard.clip.nn.convolution;

import jacquard.autograd.Named;
import jacquard.clip.nn.BatchNorm;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Init;
import jacquard.tensor.Grid;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;

/// norm(conv(x)).
public record ConvNorm(@Named("conv") Conv2d convolution, @Named("bn") BatchNorm norm) {
  /// @param weight `[out, kh, kw, in/groups]`, its shape
  public static ConvNorm of(Init.Maker make, Shape weight, int stride, int groups) {
    return new ConvNorm(Conv2d.of(make, weight, stride, groups,
        Init.fanIn(weight.dim(1) * weight.dim(2) * weight.dim(3)), null),
        BatchNorm.of(make, weight.dim(0), Init.ONES));
  }

  public Tensor apply(Tensor x, Grid grid) { return norm.apply(convolution.apply(x, grid)); }
}
