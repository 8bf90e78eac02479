package jacquard.clip.model.timm;

import jacquard.autograd.Named;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Init;
import jacquard.tensor.Padding;
import jacquard.tensor.Tensor;

/// Patches as rows: a convolution whose stride is its size; remainder pixels are dropped.
///
/// @param bias may be null
public record PatchEmbed(@Named("proj") Conv2d convolution, @Named("proj.bias") Tensor bias) {
  public static PatchEmbed of(Init.Maker make, int width, int patch, boolean bias) {
    return new PatchEmbed(Conv2d.of(make, 3, width, patch, patch, Padding.NONE), bias
        ? make.make(Init.fanIn(3 * patch * patch), width) : null);
  }

  /// `[count·patches, width]`
  public Tensor apply(ImageBatch images) {
    var x = images.through(convolution);
    return bias == null ? x : x.add(bias);
  }
}
