package jacquard.clip;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Ranking;
import jacquard.clip.eval.Templates;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.coca.Captioner;
import jacquard.clip.model.coca.Generation;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.clip.tune.learned.Learned;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// A model ready for use: features of texts and images, and classification by names. It owns its memory and is safe to
/// call from many threads at once.
public final class Clip implements AutoCloseable {
  private static final int BATCH = 64;
  private final Scope weights;
  private final ClipModel model;
  private final Embedder embedder;

  private Clip(Scope weights, ClipModel model, Transform transform, Path tokenizer) {
    this.weights = weights;
    this.model = model;
    this.embedder = new Embedder(model, transform, BATCH, tokenizer);
  }

  /// From a folder with weights and their config, OpenCLIP's `open_clip_config.json` or transformers' `config.json`; or
  /// from a file of weights with a config beside it. Which files are read, [Weights] says. A tokenizer that is not
  /// CLIP's own has its files beside the weights.
  ///
  /// @param assignments changes to the config, as `vision_cfg.image_size=336` (see [ClipConfig#with]); learned
  ///   positions are resized to them
  /// @throws IOException naming the file, if one is missing, damaged or of another model
  /// @throws IllegalArgumentException naming file, key, value and what was expected, if the config is wrong
  public static Clip load(Path path, String... assignments) throws IOException {
    return load(path, Device.best(), assignments);
  }

  /// The same on a device of choice.
  public static Clip load(Path path, Device device, String... assignments) throws IOException {
    return load(ModelFiles.at(path), device, assignments);
  }

  /// The same of files that were found before.
  public static Clip load(ModelFiles files, Device device, String... assignments) throws IOException {
    return load(files, null, device, assignments);
  }

  /// The same with an adapter in its weights, or with what else was learned beside them.
  ///
  /// @param adapter a folder as PEFT writes it (see [Adapter]), or as `tune` does (see [Learned]); null for none
  public static Clip load(ModelFiles files, Path adapter, Device device, String... assignments) throws IOException {
    device.warm();
    var hub = files.config();
    var config = assignments.length == 0 ? hub.model() : hub.model().with(assignments);
    var size = config.vision().input();
    var preprocess = size.equals(hub.model().vision().input()) ? hub.preprocess()
        : hub.preprocess().size(size.height(), size.width());
    var weights = Scope.detached(device);
    try {
      return new Clip(weights, weights.within(() -> {
        try {
          var base = Checkpoint.load(config, files.weights());
          return adapter == null ? base : adapted(base, adapter);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }), new Transform(preprocess), files.tokenizer());
    } catch (UncheckedIOException e) {
      weights.close();
      throw e.getCause();
    } catch (RuntimeException | Error e) {
      weights.close();
      throw e;
    }
  }

  private static ClipModel adapted(ClipModel base, Path folder) throws IOException {
    if (!Learned.in(folder)) return Adapter.merged(Adapter.read(folder, base).onto(base));
    var found = Learned.read(folder, base);
    return found.learned().onto(base, found.share());
  }

  public ClipModel model() { return model; }
  public Embedder embedder() { return embedder; }

  /// Normalised features `[texts][embedding]`.
  public float[][] embed(String... texts) { return embedder.texts(List.of(texts), Advance.UNHEARD); }

  /// Normalised features `[pictures][embedding]`.
  public float[][] embed(Picture... pictures) {
    try { return embedder.images(pictures.length, i -> pictures[i], Advance.UNHEARD); } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// How captions are searched for, with the marks of this model's tokenizer.
  ///
  /// @param longest,shortest tokens of a caption, its marks included
  /// @param repetition see [Generation#repetition]
  public Generation generation(Generation.Search search, int longest, int shortest, double repetition) {
    var tokenizer = embedder.tokenizer().get();
    int[] marks = tokenizer.unpadded("", 2);
    return new Generation(new Generation.Marks(marks[0], marks[1], tokenizer.pad()), longest, shortest, repetition,
        search);
  }

  /// A caption of a picture, without its prompt, of a model that writes them (CoCa).
  ///
  /// @param prompt what the caption begins with; may be empty
  public String caption(Picture picture, String prompt, Generation g) {
    var tokenizer = embedder.tokenizer().get();
    var pixels = embedder.transform().pixels(picture);
    int[] begun = tokenizer.unpadded(prompt, g.longest());
    begun = Arrays.copyOf(begun, begun.length - 1);                               // without the end
    try (var _ = Scope.open(weights.device())) {
      var config = embedder.transform().config();
      int[] ids = Captioner.captions(model, ImageBatch.ofSamples(pixels.rgb(), 1, model.visual().input(), config.mean(),
          config.std()), new int[][] {begun}, g)[0];
      int end = begun.length;
      while (end < ids.length && ids[end] != g.marks().end()) end++;
      return tokenizer.decode(Arrays.copyOfRange(ids, begun.length, end)).strip();
    }
  }

  /// How cosines become probabilities.
  public enum Probabilities {
    /// e^(scale·cosine) over the sum of all texts': which of them it is.
    SOFTMAX,
    /// 1/(1 + e^−(scale·cosine + bias)): whether it is this one, each text by itself. For models trained with the
    /// sigmoid loss.
    SIGMOID
  }

  /// What the model was trained for: sigmoid where it has a bias, softmax else.
  public Probabilities probabilities() {
    return model.logitBias() != null ? Probabilities.SIGMOID : Probabilities.SOFTMAX;
  }

  /// For each image the probabilities of the texts, as the model was trained for them. `[images][texts]`
  public float[][] classify(float[][] images, float[][] texts) { return classify(images, texts, probabilities()); }

  /// @throws IllegalArgumentException if sigmoid probabilities are asked of a model without a bias
  public float[][] classify(float[][] images, float[][] texts, Probabilities probabilities) {
    boolean sigmoid = probabilities == Probabilities.SIGMOID;
    if (sigmoid && model.logitBias() == null)
      throw new IllegalArgumentException(
          "this model has no logit_bias, expected one for sigmoid probabilities: it was trained for softmax");
    float scale, bias;
    try (var _ = Scope.open(weights.device())) {
      scale = model.scale().item();
      bias = sigmoid ? model.logitBias().item() : 0;
    }
    var scores = Ranking.scores(images, texts, weights.device());
    for (float[] row : scores) {
      if (sigmoid) for (int j = 0; j < row.length; j++) row[j] = (float) (1 / (1 + Math.exp(-(scale * row[j] + bias))));
      else softmax(row, scale);
    }
    return scores;
  }

  private static void softmax(float[] row, float scale) {
    float max = Float.NEGATIVE_INFINITY, sum = 0;
    for (float v : row) max = Math.max(max, v);
    for (int j = 0; j < row.length; j++) sum += row[j] = (float) Math.exp(scale * (row[j] - max));
    for (int j = 0; j < row.length; j++) row[j] /= sum;
  }

  /// The features of some labels, `[labels][embedding]`: each label in each template, features averaged and normalised
  /// again.
  public float[][] classifier(List<String> labels, Templates templates) {
    return embedder.labels(labels, templates, Advance.UNHEARD);
  }

  @Override public void close() { weights.close(); }
}
