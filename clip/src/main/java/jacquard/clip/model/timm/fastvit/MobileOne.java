package jacquard.clip.model.timm.fastvit;

import jacquard.autograd.Named;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.BatchNorm;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.convolution.ConvNorm;
import jacquard.clip.nn.convolution.SqueezeExcite;
import jacquard.tensor.Grid;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.List;
import java.util.function.Function;

/// activation(se(Σ branches of x)): convolutions, one of single pixels, x itself, each normalised (Vasu et al. 2023);
/// or all in one convolution. The absent are null.
record MobileOne(@Named("se") SqueezeExcite excite, BatchNorm identity, @Named("conv_kxk") List<ConvNorm> branches,
    @Named("conv_scale") ConvNorm scale, @Named("reparam_conv") Conv2d whole, Activation activation) {
  /// @param weight `[out, kh, kw, in/groups]`, its shape
  /// @param branch whether there is a branch of that shape, and whether one of single pixels where it is larger
  record Shaped(Shape weight, int stride, int groups, boolean branch, boolean single, boolean folded) {
    static Shaped of(int in, int out, int kernel, int stride, boolean depthwise) {
      return new Shaped(Shape.of(out, kernel, kernel, depthwise ? 1 : in), stride, depthwise ? in : 1, true, true,
          false);
    }
    Shaped single(boolean wanted) { return new Shaped(weight, stride, groups, branch, wanted, folded); }
    Shaped alone() { return new Shaped(weight, stride, groups, false, false, folded); }
    Shaped folded(boolean wanted) { return new Shaped(weight, stride, groups, branch, single, wanted); }

    int in() { return weight.dim(3) * groups; }

    /// One convolution in place of all branches.
    Conv2d convolution(Init.Maker make) {
      return Conv2d.of(make, weight, stride, groups, Init.fanIn(weight.dim(1) * weight.dim(2) * weight.dim(3)),
          Init.ZEROS);
    }
  }

  static MobileOne of(Init.Maker make, Shaped s, SqueezeExcite excite, Activation activation) {
    if (s.folded) return new MobileOne(excite, null, null, null, s.convolution(make), activation);
    int out = s.weight.dim(0);
    return new MobileOne(excite, s.in() == out && s.stride == 1 ? BatchNorm.of(make, out, Init.ONES) : null,
        s.branch ? List.of(ConvNorm.of(make, s.weight, s.stride, s.groups)) : null,
        s.single && s.weight.dim(1) > 1 ? ConvNorm.of(make, Shape.of(out, 1, 1, s.weight.dim(3)), s.stride, s.groups)
        : null, null, activation);
  }

  Tensor apply(Tensor x, Grid grid) { return joined(x, grid, c -> c.apply(x, grid)); }

  /// Of pixels.
  Tensor apply(ImageBatch images) { return joined(null, images.grid(), images::through); }

  private Tensor joined(Tensor x, Grid grid, Function<Conv2d, Tensor> through) {
    Tensor y;
    if (whole != null) y = through.apply(whole);
    else {
      y = identity == null ? null : identity.apply(x);
      if (scale != null) y = sum(y, scale.apply(through));
      if (branches != null) for (var b : branches) y = sum(y, b.apply(through));
    }
    return (excite == null ? y : excite.apply(y, to(grid).size())).activate(activation);
  }

  private static Tensor sum(Tensor a, Tensor b) { return a == null ? b : a.add(b); }

  Grid to(Grid grid) {
    return whole != null ? whole.to(grid) : branches != null ? branches.getFirst().convolution().to(grid) : grid;
  }

  /// The same with one convolution.
  MobileOne folded() {
    return whole != null ? this
        : new MobileOne(excite, null, null, null, sum(branches.getFirst().convolution()).convolution(), activation);
  }

  /// All branches in a convolution like `shape`.
  Folding sum(Conv2d shape) {
    var f = new Folding(shape);
    if (identity != null) f.addIdentity(identity);
    if (scale != null) f.add(scale);
    if (branches != null) branches.forEach(f::add);
    return f;
  }
}
