package jacquard.clip.tune.prompt;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.TextTower;
import jacquard.tensor.Tensor;

/// CoOp (Zhou et al. 2022): vectors before, around or behind each name; the same for all names, or each name's own.
///
/// @param vectors `[vectors, width]`, or each name's own `[names, vectors, width]`
public record Context(@Named("ctx") Tensor vectors, Captions.Position position) implements Prompt {
  @Override public TextTower text(TextTower base) { return base.prompted(vectors, null); }

  @Override public Logits logits(ClipModel base, ImageBatch images, Captions names) {
    boolean own = vectors.shape().rank() == 3;
    int m = vectors.dim(own ? 1 : 0), width = vectors.dim(own ? 2 : 1);
    var rows = own ? vectors.reshape(vectors.dim(0) * m, width) : vectors;
    var texts = base.text().prompted(rows, null).features(names.placed(position, own ? m : 0)).normalize();
    var x = base.embedImages(images);
    return new Logits(x, Prompt.cosines(base, x, texts));
  }
}
