package jacquard.clip.train.task;

import jacquard.autograd.Parameters;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.coca.CaptionDecoder;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// CoCa (Yu et al. 2022): the contrastive loss, and of the caption's tokens the mean loss of foretelling them, over all
/// of the batch.
///
/// @param weight of the caption loss beside the contrastive one
public record Caption(Contrastive contrastive, double weight) implements Task {
  public Caption {
    if (contrastive.model().decoder() == null)
      throw new IllegalArgumentException("a caption loss needs a model with a decoder (multimodal_cfg)");
    if (!(weight >= 0))
      throw new IllegalArgumentException("the caption loss' weight is " + weight + ", expected 0 or more");
  }

  @Override public String name() { return "caption"; }
  @Override public ClipModel model() { return contrastive.model(); }
  @Override public Parameters parameters() { return contrastive.parameters(); }
  @Override public SequencedMap<String, Tensor> heads() { return contrastive.heads(); }
  @Override public void after() { contrastive.after(); }
  @Override public Map<String, Double> report() { return contrastive.report(); }
  @Override public Caption of(ClipModel model) { return new Caption(contrastive.of(model), weight); }

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
    var r = contrastive.losses(features.part(0, 2), targets, groups);
    var tokens = features.all().get(3).sum();
    r.put("caption_loss", features.own().get(2).sum().divide(tokens).mul((float) weight));
    return r;
  }

  /// The contrastive task, and the weight of the captions' loss.
  public record Recipe(Contrastive.Recipe contrastive, double weight) implements Task.Recipe {
    @Override public Caption make(boolean resumed) throws IOException {
      return new Caption(contrastive.make(resumed), weight);
    }
    @Override public List<Path> files() { return contrastive.files(); }
  }
}
