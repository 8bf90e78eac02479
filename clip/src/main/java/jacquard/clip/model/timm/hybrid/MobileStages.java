package jacquard.clip.model.timm.hybrid;

import jacquard.autograd.Named;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.convolution.Pointwise;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;

/// A stem, two stages of inverted bottlenecks and a last convolution, each of which halves the grid (ViTamin; Chen et
/// al. 2024).
record MobileStages(Stem stem, List<List<Bottleneck>> stages, @Named("pool") Last last) implements Backbone {
  /// conv2(gelu(norm(conv1(x)))).
  record Stem(Conv2d conv1, LayerNorm norm1, Conv2d conv2) {}

  /// proj(norm(x)).
  record Last(@Named("proj") Conv2d convolution, LayerNorm norm) {}

  static MobileStages of(Init.Maker make, Architecture.Stem.Stages s, int width) {
    int in = s.channels();
    Init start = new Init.Normal(Math.sqrt(2.0 / (9 * in)));
    var stem = new Stem(Conv2d.of(make, Shape.of(in, 3, 3, 3), 2, 1, start, Init.ZEROS),
        LayerNorm.of(make, in, Architecture.EPSILON),
        Conv2d.of(make, Shape.of(in, 3, 3, in), 1, 1, start, Init.ZEROS));
    var stages = new ArrayList<List<Bottleneck>>();
    for (int i = 0; i < 2; i++) {
      int out = i == 0 ? s.channels() : s.second();
      var stage = new ArrayList<Bottleneck>();
      for (int j = 0; j < s.depths().get(i); j++) {
        stage.add(Bottleneck.of(make, in, out, j == 0 ? 2 : 1));
        in = out;
      }
      stages.add(List.copyOf(stage));
    }
    Init end = Init.fanIn(9 * in);
    return new MobileStages(stem, List.copyOf(stages),
        new Last(Conv2d.of(make, Shape.of(width, 3, 3, in), 2, 1, end, end),
        LayerNorm.of(make, in, Architecture.EPSILON)));
  }

  @Override public Tensor apply(ImageBatch images) {
    var grid = stem.conv1.to(images.grid());
    var stemmed = grid;
    var x = Scope.result(() ->
        stem.conv2.apply(stem.norm1.apply(images.through(stem.conv1)).activate(Activation.GELU), stemmed));
    for (var stage : stages)
      for (var block : stage) {
        var from = grid;
        x = Transformer.once(x, t -> block.apply(t, from));
        grid = block.depthwise().to(grid);
      }
    return last.convolution.apply(last.norm.apply(x), grid);
  }

  @Override public Grid to(Grid grid) {
    grid = stem.conv1.to(grid);
    for (var stage : stages) for (var block : stage) grid = block.depthwise().to(grid);
    return last.convolution.to(grid);
  }

  /// shortcut(x) + project(gelu(depthwise(gelu(expand(norm(x)))))), four times as wide between. The shortcut is x; or,
  /// where the grid is halved, means of cells, projected where the width changes.
  record Bottleneck(Shortcut shortcut, @Named("pre_norm") LayerNorm norm, @Named("conv1_1x1") Pointwise expand,
      @Named("conv2_kxk") Conv2d depthwise, @Named("conv3_1x1") Pointwise project) {
    /// May be null.
    record Shortcut(Pointwise expand) {}

    static Bottleneck of(Init.Maker make, int in, int out, int stride) {
      int middle = 4 * out;
      return new Bottleneck(in == out ? null : new Shortcut(pointwise(make, in, out)),
          LayerNorm.of(make, in, Architecture.EPSILON),
          pointwise(make, in, middle),
          Conv2d.of(make, Shape.of(middle, 3, 3, 1), stride, middle, Init.fanIn(9), Init.fanIn(9)),
          pointwise(make, middle, out));
    }

    private static Pointwise pointwise(Init.Maker make, int in, int out) {
      return Pointwise.of(make, in, out, Init.fanIn(in), Init.fanIn(in));
    }

    Tensor apply(Tensor x, Grid grid) {
      var skip = depthwise.stride() == 1 ? x : means(x, grid);
      if (shortcut != null) skip = shortcut.expand.apply(skip, Activation.NONE);
      var y = depthwise.apply(expand.apply(norm.apply(x), Activation.GELU), grid).activate(Activation.GELU);
      return project.apply(y, Activation.NONE, skip);
    }

    /// Means of windows of 3×3 cells, two apart, of those that lie on the grid.
    private static Tensor means(Tensor x, Grid grid) {
      int width = x.dim(1);
      var sum = new Conv2d(Tensor.full(Shape.of(width, 3, 3, 1), 1), null, 2, Padding.of(1), width);
      var to = sum.to(grid);
      float[] share = new float[to.size()];
      for (int i = 0; i < share.length; i++)
        share[i] = 1f / (inside(i / to.width() * 2, grid.height()) * inside(i % to.width() * 2, grid.width()));
      var y = sum.apply(x, grid);
      return y.reshape(y.dim(0) / share.length, share.length, width).mul(Tensor.of(Shape.of(share.length, 1), share))
          .reshape(y.shape());
    }

    /// How many of the three cells about one lie within n.
    private static int inside(int middle, int n) { return Math.min(middle + 1, n - 1) - Math.max(middle - 1, 0) + 1; }
  }
}
