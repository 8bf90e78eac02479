package jacquard.clip.train.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.data.Batch;
import jacquard.clip.loss.ContrastiveLoss;
import jacquard.clip.loss.OwnRows;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.parameter.Locks;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.stream.Stream;

/// Pictures and captions that belong together are drawn together, the others apart.
///
/// @param parameters the model's, those of locked groups frozen
public record Contrastive(ClipModel model, Parameters parameters, Loss loss) implements Task {
  /// The largest log of the scale: after each step it is held within [0, ln 100] (Radford et al. 2021).
  static final float LARGEST_SCALE = (float) Math.log(100);

  /// The loss over all pairs.
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

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    Tensor x = features.own().get(0), t = features.own().get(1), scale = model.scale(), bias = model.logitBias();
    var r = new LinkedHashMap<String, Tensor>();
    r.put("contrastive_loss", switch (loss) {
      case SOFTMAX -> features.whole() ? ContrastiveLoss.softmax(x, t, scale, groups)
          : rows(features, groups).softmax(scale);
      case SIGMOID -> features.whole() ? ContrastiveLoss.sigmoid(x, t, scale, bias, groups)
          : rows(features, groups).sigmoid(scale, bias);
    });
    return r;
  }

  /// The logits of a rank's pictures and captions, the first two of the features.
  static OwnRows rows(Joined f, int[] groups) {
    return new OwnRows(f.own().get(0), f.own().get(1), f.all().get(0), f.all().get(1), f.first(), groups);
  }

  @Override public void after() {
    Tensor.applyAll(new Update.Blend(1, 1), List.of(model.logitScale(), model.logitScale().clamp(0, LARGEST_SCALE)));
  }

  @Override public Map<String, Double> report() { return Map.of("logit_scale", (double) model.logitScale().item()); }

  @Override public Contrastive of(ClipModel other) { return new Contrastive(other, Parameters.of(other), loss); }

  /// @param start weights to begin from (see [Checkpoint#load]); null for those that the seed draws
  /// @param image weights that the image tower begins from (see [Checkpoint#image]); null for those of `start`
  /// @param locks towers that are not trained, or only in part
  public record Recipe(ClipConfig config, Path start, Path image, Locks locks, Loss loss, long seed)
      implements Task.Recipe {
    public Recipe(ClipConfig config, Path start, Locks locks, Loss loss, long seed) {
      this(config, start, null, locks, loss, seed);
    }

    @Override public Contrastive make(boolean resumed) throws IOException {
      var begun = resumed || start == null ? ClipModel.create(config, seed) : begun();
      if (!resumed && image != null) Checkpoint.image(begun, image);
      var model = locks.of(begun);
      return new Contrastive(model, model.parameters().freeze(locks.frozen(model).toArray(String[]::new)), loss);
    }

    @Override public List<Path> files() { return Stream.of(start, image).filter(Objects::nonNull).toList(); }

    /// The weights of another training are taken, its optimizer's state is not, which is said.
    private ClipModel begun() throws IOException {
      try (var w = Weights.open(start)) {
        var state = w.metadata().get("optimizer");
        var epoch = w.metadata().get("epoch");
        if (state != null)
          System.getLogger(Contrastive.class.getName()).log(System.Logger.Level.INFO, "{0} is a checkpoint of another "
              + "trainer{1}: its weights are taken; its {2} is not, and the optimizer begins anew", start,
              epoch == null ? "" : " after epoch " + epoch, state);
      }
      return Checkpoint.load(config, start);
    }
  }
}
