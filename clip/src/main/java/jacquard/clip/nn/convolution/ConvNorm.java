package jacquard.clip.nn.convolution;

import jacquard.autograd.Named;
import jacquard.clip.nn.BatchNorm;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Init;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Precision;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.function.Function;

/// norm(conv(x)).
public record ConvNorm(@Named("conv") Conv2d convolution, @Named("bn") BatchNorm norm) {
  /// Elements of a weight that is scaled anew for each call: fewer than a map has.
  private static final int SMALL = 1 << 16;

  /// @param weight `[out, kh, kw, in/groups]`, its shape
  public static ConvNorm of(Init.Maker make, Shape weight, int stride, int groups) {
    return new ConvNorm(Conv2d.of(make, weight, stride, groups,
        Init.fanIn(weight.dim(1) * weight.dim(2) * weight.dim(3)), null),
        BatchNorm.of(make, weight.dim(0), Init.ONES));
  }

  public Tensor apply(Tensor x, Grid grid) { return apply(c -> c.apply(x, grid)); }

  /// The same of what `through` makes of a convolution. In evaluation, where the weight is small, the norm is part of
  /// it: a map is written once, not three times.
  public Tensor apply(Function<Conv2d, Tensor> through) {
    return Pass.current().training() || Pass.current().precision() == Precision.BF16
        || convolution.weight().shape().size() > SMALL ? norm.apply(through.apply(convolution))
        : through.apply(joined());
  }

  /// W·γ/√(σ² + ε), β − μ·γ/√(σ² + ε).
  private Conv2d joined() {
    var c = convolution;
    var k = norm.weight().divide(norm.variance().add(norm.epsilon()).sqrt());
    var mean = c.bias() == null ? norm.mean() : norm.mean().subtract(c.bias());
    return new Conv2d(c.weight().mul(k.reshape(k.dim(0), 1, 1, 1)), norm.bias().subtract(mean.mul(k)), c.stride(),
        c.padding(), c.groups());
  }
}
