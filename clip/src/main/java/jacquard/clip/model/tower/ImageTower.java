package jacquard.clip.model.tower;

import jacquard.clip.model.resnet.ModifiedResNet;
import jacquard.clip.model.timm.convnext.ConvNext;
import jacquard.clip.model.timm.efficientnet.EfficientNet;
import jacquard.clip.model.timm.eva.Eva;
import jacquard.clip.model.timm.fastvit.FastVit;
import jacquard.clip.model.timm.hybrid.Hybrid;
import jacquard.clip.model.timm.swin.Swin;
import jacquard.clip.model.timm.vit.TimmVit;
import jacquard.clip.model.vit.VisionTransformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Tensor;

/// From images to features.
public sealed interface ImageTower extends Tower
    permits VisionTransformer, ModifiedResNet, TimmVit, Eva, ConvNext, Swin, FastVit, Hybrid, EfficientNet {
  /// Features `[count, embedding]`, not normalised. What cannot reach them is not computed.
  Tensor features(ImageBatch images);

  /// The same features and the rows that they were pooled of.
  Encoding tokens(ImageBatch images);

  /// Height and width of its images, in pixels.
  Grid input();

  /// The same tower with the batch statistics of its first groups fixed; see [#groups]. A tower without batch norm is that already.
  default ImageTower fixed(int groups) { return this; }
}
