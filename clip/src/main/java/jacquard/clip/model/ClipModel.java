package jacquard.clip.model;

import jacquard.autograd.Named;
import jacquard.autograd.Parameters;
import jacquard.clip.nn.Init;
import jacquard.tensor.Random;
import jacquard.tensor.Tensor;

/// Two towers and the temperature between them: OpenCLIP's `CLIP`. An immutable record of tensors that live in the scope it was made in.
///
/// @param logitScale log of the factor on cosines, `[]` or `[1]`
/// @param logitBias  added to logits of the sigmoid loss, or null
public record ClipModel(ImageTower visual, TextTransformer text, @Named("logit_scale") Tensor logitScale, @Named("logit_bias") Tensor logitBias, ClipConfig config) {

  /// A model whose tensors are types without elements.
  public static ClipModel describe(ClipConfig config) { return make(config, Init.Maker.DESCRIBED); }

  /// Initialised as OpenCLIP initialises it.
  public static ClipModel create(ClipConfig config, long seed) {
    var model = make(config, Init.Maker.drawn(Random.of(seed).fold("initialisation")));
    if (!config.vision().sinCos()) return model;
    return Parameters.map(model, (path, t) -> path.equals("visual.positional_embedding")
        ? Tensor.of(t.shape(), VisionTransformer.sinCos(config.vision().grid(), config.vision().width())) : t);
  }

  private static ClipModel make(ClipConfig c, Init.Maker make) {
    c.unsupported().ifPresent(why -> { throw new IllegalArgumentException("this model is not built yet: " + why); });
    int[] scalar = c.nonscalar() ? new int[] {1} : new int[0];
    return new ClipModel(c.vision().resnet() ? ModifiedResNet.of(c, make) : VisionTransformer.of(c, make), TextTransformer.of(c, make),
        make.make(new Init.Constant((float) c.logitScale()), scalar), c.logitBias().isEmpty() ? null : make.make(new Init.Constant((float) c.logitBias().getAsDouble()), scalar), c);
  }

  /// What is trained; fixed positions are not.
  public Parameters parameters() {
    var p = Parameters.of(this);
    return config.vision().sinCos() ? p.freeze("visual.positional_embedding") : p;
  }

  /// The same model with the batch statistics of the image tower's first groups fixed; see [ImageTower#groups]. A transformer has none.
  public ClipModel fixedStatistics(int groups) {
    return visual instanceof ModifiedResNet r ? new ClipModel(r.fixed(groups), text, logitScale, logitBias, config) : this;
  }

  /// L2-normalised features `[count, embedding]`.
  public Tensor embedImages(Images images) { return visual.features(images).normalize(); }

  /// L2-normalised features `[captions, embedding]`.
  public Tensor embedTexts(int[][] tokens) { return text.features(tokens).normalize(); }

  /// The factor on cosines: e^logit_scale.
  public Tensor scale() { return logitScale.exp(); }

  /// OpenCLIP's name of a parameter path: a plain CLIP keeps its text tower at the top level.
  public String nameOf(String path) { return !config.custom() && path.startsWith("text.") ? path.substring(5) : path; }
}
