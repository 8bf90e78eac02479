package jacquard.clip.model.timm.fastvit;

import jacquard.autograd.Named;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.convolution.ConvNorm;
import jacquard.clip.nn.convolution.SqueezeExcite;
import jacquard.tensor.Grid;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// Half the grid, more channels: a large kernel a channel, then a mix of channels.
record Downsample(@Named("proj.0") Large large, @Named("proj.1") MobileOne mix) {
  private static final int KERNEL = 7, SMALL = 3;

  /// gelu(se(large(x) + small(x))), or both in one convolution; the absent are null.
  record Large(@Named("large_conv") ConvNorm large, @Named("small_conv") ConvNorm small,
      @Named("reparam_conv") Conv2d whole,
      @Named("se") SqueezeExcite excite) {
    Tensor apply(Tensor x, Grid grid) {
      var y = whole != null ? whole.apply(x, grid) : large.apply(x, grid).add(small.apply(x, grid));
      return (excite == null ? y : excite.apply(y, to(grid).size())).activate(Activation.GELU);
    }

    Grid to(Grid grid) { return (whole != null ? whole : large.convolution()).to(grid); }

    Large folded() {
      if (whole != null) return this;
      var f = new Folding(large.convolution());
      f.add(large);
      f.add(small);
      return new Large(null, null, f.convolution(), excite);
    }
  }

  static Downsample of(Init.Maker make, int in, int out, boolean excited, boolean folded) {
    var shape = MobileOne.Shaped.of(in, out, KERNEL, 2, true);
    var se = excited ? SqueezeExcite.of(make, out, Math.max(8, (out / 4 + 4) / 8 * 8)) : null;
    var large = folded ? new Large(null, null, shape.convolution(make), se)
        : new Large(ConvNorm.of(make, shape.weight(), 2, in), ConvNorm.of(make, Shape.of(out, SMALL, SMALL, 1), 2, in),
        null, se);
    return new Downsample(large,
        MobileOne.of(make, MobileOne.Shaped.of(out, out, 1, 1, false).folded(folded), null, Activation.GELU));
  }

  Tensor apply(Tensor x, Grid grid) { return mix.apply(large.apply(x, grid), to(grid)); }

  Grid to(Grid grid) { return large.to(grid); }

  Downsample folded() { return new Downsample(large.folded(), mix.folded()); }
}
