package jacquard.clip.model.timm.hybrid;

import jacquard.autograd.Named;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.BatchNorm;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Init;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.List;

/// Convolutions whose windows do not overlap: of 4 pixels, 2 and 2; gelu(norm(…)) behind all but the last.
record PatchStem(@Named("") List<Part> parts) implements Backbone {
  /// The norm is null in the last.
  record Part(@Named("conv") Conv2d convolution, @Named("bn") BatchNorm norm) {
    static Part of(Init.Maker make, int in, int out, int size) {
      return new Part(Conv2d.of(make, in, out, size, size, Padding.NONE), BatchNorm.of(make, out, Init.ONES));
    }

    Tensor finished(Tensor x) { return norm == null ? x : norm.apply(x).activate(Activation.GELU); }
  }

  static PatchStem of(Init.Maker make, int channels, int width) {
    return new PatchStem(List.of(Part.of(make, 3, channels, 4), Part.of(make, channels, channels, 2),
        new Part(Conv2d.of(make, channels, width, 2, 2, Padding.NONE, true), null)));
  }

  @Override public Tensor apply(ImageBatch images) {
    var first = parts.getFirst();
    var x = first.finished(images.through(first.convolution));
    var grid = first.convolution.to(images.grid());
    for (var part : parts.subList(1, parts.size())) {
      x = part.finished(part.convolution.apply(x, grid));
      grid = part.convolution.to(grid);
    }
    return x;
  }

  @Override public Grid to(Grid grid) {
    for (var part : parts) grid = part.convolution.to(grid);
    return grid;
  }
}
