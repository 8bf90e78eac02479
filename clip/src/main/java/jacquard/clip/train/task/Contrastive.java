package jacquard.clip.train.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.data.Batch;
import jacquard.clip.loss.ContrastiveLoss;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// Pictures and captions that belong together are drawn together, the others apart.
///
/// @param parameters the model's, those of locked groups frozen
public record Contrastive(ClipModel model, Parameters parameters, Loss loss) implements Task {
  /// The largest log of the scale: after each step it is held within [0, ln 100] (Radford et al. 2021).
  static final float LARGEST_SCALE = (float) Math.log(100);

  public enum Loss {
    /// Of Radford et al. 2021.
    SOFTMAX,
    /// Of Zhai et al. 2023; the model needs a bias.
    SIGMOID
  }

  public Contrastive {
    if (loss == Loss.SIGMOID && model.logitBias() == null)
      throw new IllegalArgumentException("the sigmoid loss needs a model with init_logit_bias");
  }

  /// With all of the model trained.
  public Contrastive(ClipModel model, Loss loss) { this(model, model.parameters(), loss); }

  @Override public String name() { return loss.name().toLowerCase(); }

  @Override public List<Tensor> features(Batch part) { return features(model, part); }

  /// L2-normalised features of pictures and captions, each `[count, embedding]`.
  static List<Tensor> features(ClipModel model, Batch part) {
    // first, so that backward frees the images' many rows first
    var texts = model.embedTexts(part.captions().tokens());
    return List.of(Pictured.features(model, part), texts);
  }

  @Override public SequencedMap<String, Tensor> heads() {
    var r = new LinkedHashMap<String, Tensor>();
    r.put("logit_scale", model.logitScale());
    if (model.logitBias() != null) r.put("logit_bias", model.logitBias());
    return r;
  }

  @Override public SequencedMap<String, Tensor> losses(List<Tensor> features, List<Tensor> targets, int[] groups) {
    Tensor x = features.get(0), t = features.get(1);
    var r = new LinkedHashMap<String, Tensor>();
    r.put("contrastive_loss", switch (loss) {
      case SOFTMAX -> ContrastiveLoss.softmax(x, t, model.scale(), groups);
      case SIGMOID -> ContrastiveLoss.sigmoid(x, t, model.scale(), model.logitBias(), groups);
    });
    return r;
  }

  @Override public void after() {
    Tensor.applyAll(new Update.Blend(1, 1), List.of(model.logitScale(), model.logitScale().clamp(0, LARGEST_SCALE)));
  }

  @Override public Map<String, Double> report() { return Map.of("logit_scale", (double) model.logitScale().item()); }

  @Override public Contrastive of(ClipModel other) { return new Contrastive(other, Parameters.of(other), loss); }

  /// @param start weights to begin from (see [Checkpoint#load]); null for those that the seed draws
  /// @param locks towers that are not trained, or only in part
  public record Recipe(ClipConfig config, Path start, Locks locks, Loss loss, long seed) implements Task.Recipe {
    @Override public Contrastive make(boolean resumed) throws IOException {
      var model = locks.of(resumed || start == null ? ClipModel.create(config, seed) : Checkpoint.load(config, start));
      return new Contrastive(model, model.parameters().freeze(locks.frozen(model).toArray(String[]::new)), loss);
    }
  }
}
