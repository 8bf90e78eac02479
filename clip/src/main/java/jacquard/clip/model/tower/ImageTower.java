package jacquard.clip.model.tower;

import jacquard.clip.image.PatchFrame;
import jacquard.clip.nn.transformer.DeepPrompts;
import jacquard.tensor.Grid;
import jacquard.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// From images to features.
public interface ImageTower extends Tower {
  /// Features `[count, embedding]`, not normalised. What cannot reach them is not computed.
  Tensor features(ImageBatch images);

  /// The same features and the rows that they were pooled of.
  Encoding tokens(ImageBatch images);

  /// Features of pictures of any sizes; only a NaFlex tower takes them.
  default Tensor features(Patches patches) { return tokens(patches).features(); }

  /// The same, and the rows that they were pooled of.
  default Encoding tokens(Patches patches) {
    throw new UnsupportedOperationException("this image tower takes pictures of one size, " + input());
  }

  /// Into which patches pictures go at their own proportions; empty for a tower that takes one size.
  default Optional<PatchFrame> frame() { return Optional.empty(); }

  /// Height and width of its images, in pixels.
  Grid input();

  /// Paths of kernels over patches, `[width, side, side, 3]`, which a tower of another patch size can take over by
  /// resizing.
  default List<String> patchKernels() { return List.of(); }

  /// How many of its first groups have fixed batch statistics.
  default int fixed() { return 0; }

  /// The same tower with the batch statistics of its first groups fixed; see [#groups]. A tower without batch norm is
  /// that already.
  default ImageTower fixed(int groups) { return this; }

  /// What it takes as a prompt.
  ///
  /// @throws IllegalArgumentException if it takes none
  default PromptRoom promptRoom() {
    throw new IllegalArgumentException("prompts within the image tower are learned for CLIP's own ViT, and this model "
        + "has another; coop needs the text tower alone");
  }

  /// The tower with a prompt: rows `[prompts, width]` behind those of each image, and `deep`, which may be null, in
  /// their place before the blocks.
  ///
  /// @throws IllegalArgumentException if it takes none
  default ImageTower prompted(Tensor rows, DeepPrompts deep) {
    throw new IllegalArgumentException("this image tower takes no prompts");
  }

  /// The tower that does not see some patches.
  ///
  /// @throws IllegalArgumentException if it is none of patches
  default ImageTower hiding(Hidden patches) {
    throw new IllegalArgumentException("patches are hidden from transformers alone (CLIP's own ViT, timm's ViT and "
        + "EVA), and this model's image tower is another");
  }

  /// What each patch would be the feature of, were it the picture's: `[count·cells, embedding]`, not normalised.
  ///
  /// @throws IllegalArgumentException if the tower's features are not made of a row like those of the patches
  default Tensor denseFeatures(ImageBatch images) {
    throw new IllegalArgumentException("this image tower has no feature of each patch: CLIP's own ViT, timm's ViT and "
        + "EVA have, where a class token or a mean is the picture's");
  }
}
