package jacquard.clip.train.task;

import jacquard.autograd.Parameters;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.coca.CaptionDecoder;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// CoCa (Yu et al. 2022): the contrastive loss, and of the caption's tokens the mean loss of foretelling them, over all
/// of the batch.
///
public record Caption(Contrastive contrastive, Weights weights) implements Task {
  /// How much each loss counts. A contrastive loss that counts 0 is not computed: the scale, and what projects pooled
  /// features, stay as they are.
  public record Weights(double caption, double contrastive) {
    /// OpenCLIP's.
    public static final Weights USUAL = new Weights(2, 1);

    public Weights {
      if (!(caption >= 0) || !(contrastive >= 0) || caption + contrastive == 0)
        throw new IllegalArgumentException("the caption loss counts " + caption + " and the contrastive loss "
            + contrastive + ", expected 0 or more, and more than 0 of one");
    }
  }

  public Caption {
    if (contrastive.model().decoder() == null)
      throw new IllegalArgumentException("a caption loss needs a model with a decoder (multimodal_cfg)");
  }

  @Override public String name() { return "caption"; }
  @Override public ClipModel model() { return contrastive.model(); }
  @Override public Parameters parameters() { return contrastive.parameters(); }
  @Override public SequencedMap<String, Tensor> heads() { return contrastive.heads(); }
  @Override public void after() { contrastive.after(); }
  @Override public Map<String, Double> report() { return contrastive.report(); }
  @Override public Caption of(ClipModel model) { return new Caption(contrastive.of(model), weights); }

  /// Normalised features of pictures and captions; of each caption the sum of its tokens' losses and their number,
  /// `[count, 1]`.
  @Override public List<Tensor> features(Batch part) {
    int[][] captions = part.captions().tokens();
    var text = model().text().tokens(captions);
    var picture = Pictured.tokens(model(), part);
    return List.of(picture.features().normalize(), text.features().normalize(), model().decoder()
        .losses(picture, text, captions), CaptionDecoder.labels(text, captions));
  }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    var r = new LinkedHashMap<String, Tensor>();
    float w = (float) weights.contrastive;
    if (w == 0) r.put("contrastive_loss", Tensor.scalar(0));
    else contrastive.losses(features.part(0, 2), targets, groups)
        .forEach((name, loss) -> r.put(name, w == 1 ? loss : loss.mul(w)));
    var tokens = features.all().get(3).sum();
    r.put("caption_loss", features.own().get(2).sum().divide(tokens).mul((float) weights.caption));
    return r;
  }

  /// The contrastive task, and how much each loss counts.
  public record Recipe(Contrastive.Recipe contrastive, Weights weights) implements Task.Recipe {
    @Override public Caption make(boolean resumed) throws IOException {
      return new Caption(contrastive.make(resumed), weights);
    }
    @Override public List<Path> files() { return contrastive.files(); }
  }
}
