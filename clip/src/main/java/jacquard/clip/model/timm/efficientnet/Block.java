package jacquard.clip.model.timm.efficientnet;

import jacquard.autograd.Named;
import jacquard.clip.nn.BatchNorm;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.convolution.Pointwise;
import jacquard.tensor.Grid;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// A depthwise convolution between convolutions of single pixels, each normalised; plus x where the shape stays.
sealed interface Block {
  Tensor apply(Tensor x, Grid grid);

  Grid to(Grid grid);

  static Block of(Init.Maker make, Architecture.Stage s, int in, int stride) {
    int middle = in * s.expansion(), out = s.channels();
    var depthwise = SameConv.of(make, Shape.of(middle, s.kernel(), s.kernel(), 1), stride, middle);
    if (s.expansion() == 1) return new Separable(depthwise, norm(make, in), pointwise(make, in, out), norm(make, out));
    return new Inverted(pointwise(make, in, middle), norm(make, middle), depthwise, norm(make, middle),
        pointwise(make, middle, out), norm(make, out));
  }

  private static Pointwise pointwise(Init.Maker make, int in, int out) {
    return Pointwise.of(make, in, out, new Init.Normal(Math.sqrt(2.0 / out)), null);
  }

  static BatchNorm norm(Init.Maker make, int width) {
    return BatchNorm.of(make, width, Init.ONES, Architecture.EPSILON);
  }

  /// min(max(norm(x), 0), 6)
  static Tensor capped(BatchNorm norm, Tensor x) { return norm.apply(x).clamp(0, 6); }

  private static Tensor beside(Tensor x, Tensor y) { return x.shape().equals(y.shape()) ? y.add(x) : y; }

  record Separable(@Named("conv_dw") SameConv depthwise, BatchNorm bn1, @Named("conv_pw") Pointwise project,
      BatchNorm bn2) implements Block {
    @Override public Tensor apply(Tensor x, Grid grid) {
      return beside(x, bn2.apply(project.apply(capped(bn1, depthwise.apply(x, grid)), Activation.NONE)));
    }

    @Override public Grid to(Grid grid) { return depthwise.to(grid); }
  }

  record Inverted(@Named("conv_pw") Pointwise expand, BatchNorm bn1, @Named("conv_dw") SameConv depthwise,
      BatchNorm bn2,
      @Named("conv_pwl") Pointwise project, BatchNorm bn3) implements Block {
    @Override public Tensor apply(Tensor x, Grid grid) {
      var y = capped(bn2, depthwise.apply(capped(bn1, expand.apply(x, Activation.NONE)), grid));
      return beside(x, bn3.apply(project.apply(y, Activation.NONE)));
    }

    @Override public Grid to(Grid grid) { return depthwise.to(grid); }
  }
}
