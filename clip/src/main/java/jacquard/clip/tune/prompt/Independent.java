package jacquard.clip.tune.prompt;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.nn.transformer.DeepPrompts;
import jacquard.tensor.Tensor;
import java.util.List;

/// Rows of both towers, each tower's own (IVLP; what PromptSRC trains, Khattak et al. 2023).
///
/// @param vectors the caption's first, `[vectors, text width]`
/// @param deep    before text block 1, 2, …
/// @param rows    behind the picture's patches, `[rows, image width]`
/// @param within  before image block 1, 2, …
public record Independent(@Named("ctx") Tensor vectors, @Named("text") List<Tensor> deep,
    @Named("rows") Tensor rows, @Named("image") List<Tensor> within) implements Prompt {
  @Override public TextTower text(TextTower base) { return base.prompted(vectors, new DeepPrompts(deep, 1)); }

  @Override public ImageTower image(ImageTower base) {
    return base.prompted(rows, new DeepPrompts(within, -rows.dim(0)));
  }

  @Override public Logits logits(ClipModel base, ImageBatch images, Captions names) {
    var texts = text(base.text()).features(names.placed(Captions.Position.END, 0)).normalize();
    var x = image(base.visual()).features(images).normalize();
    return new Logits(x, Prompt.cosines(base, x, texts));
  }

  /// The shares of the epochs' prompts in those that are kept: N(epoch; mean, deviation²) from epoch 1, as a share of
  /// their sum (PromptSRC's aggregation).
  public static double[] shares(int epochs, double mean, double deviation) {
    double[] r = new double[epochs];
    double sum = 0;
    for (int e = 0; e < epochs; e++) {
      double d = (e + 1 - mean) / deviation;
      sum += r[e] = Math.exp(-d * d / 2) / (deviation * Math.sqrt(2 * Math.PI));
    }
    for (int e = 0; e < epochs; e++) r[e] /= sum;
    return r;
  }
}
