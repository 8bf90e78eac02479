package jacquard.clip.model.timm.hybrid;

import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.Init;
import jacquard.tensor.Grid;
import jacquard.tensor.Tensor;

/// From pixels to the rows of a transformer, a row a cell.
sealed interface Backbone permits PatchStem, MobileStages {
  static Backbone of(Init.Maker make, Architecture a) {
    return switch (a.stem()) {
      case Architecture.Stem.Patches p -> PatchStem.of(make, p.channels(), a.width());
      case Architecture.Stem.Stages s -> MobileStages.of(make, s, a.width());
    };
  }

  Tensor apply(ImageBatch images);

  Grid to(Grid grid);
}
