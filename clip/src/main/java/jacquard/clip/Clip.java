package jacquard.clip;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Ranking;
import jacquard.clip.eval.Templates;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A model ready for use: features of texts and images, and classification by names. It owns its memory and is safe to call from many
/// threads at once.
public final class Clip implements AutoCloseable {
  private static final int BATCH = 64;
  private final Scope weights;
  private final ClipModel model;
  private final Embedder embedder;

  private Clip(Scope weights, ClipModel model, Transform transform) {
    this.weights = weights;
    this.model = model;
    this.embedder = new Embedder(model, transform, BATCH);
  }

  /// From a folder as OpenCLIP's hub lays it out: `open_clip_config.json` and `open_clip_model.safetensors`.
  ///
  /// @param assignments changes to the config, as `vision_cfg.image_size=336` (see [ClipConfig#with]); learned positions are resized to them
  /// @throws IOException naming the file, if one is missing, damaged or of another model
  /// @throws IllegalArgumentException naming file, key, value and what was expected, if the config is wrong
  public static Clip load(Path folder, String... assignments) throws IOException { return load(folder, Device.best(), assignments); }

  /// The same on a device of choice.
  public static Clip load(Path folder, Device device, String... assignments) throws IOException {
    if (!Files.isDirectory(folder)) throw new IOException(folder + " is no folder, expected one with open_clip_config.json and weights, as runs/emoji-1/last");
    device.warm();
    var file = folder.resolve("open_clip_config.json");
    if (!Files.exists(file)) throw new IOException(folder + " holds no open_clip_config.json");
    var hub = HubConfig.read(file);
    var config = assignments.length == 0 ? hub.model() : hub.model().with(assignments);
    var size = config.vision().input();
    var preprocess = size.equals(hub.model().vision().input()) ? hub.preprocess() : hub.preprocess().size(size.height(), size.width());
    var weights = Scope.detached(device);
    try {
      return new Clip(weights, weights.within(() -> {
        try { return Checkpoint.load(config, folder); } catch (IOException e) { throw new UncheckedIOException(e); }
      }), new Transform(preprocess));
    } catch (UncheckedIOException e) {
      weights.close();
      throw e.getCause();
    } catch (RuntimeException | Error e) {
      weights.close();
      throw e;
    }
  }

  public ClipModel model() { return model; }
  public Embedder embedder() { return embedder; }

  /// Normalised features `[texts][embedding]`.
  public float[][] embed(String... texts) { return embedder.texts(List.of(texts), null); }

  /// Normalised features `[pictures][embedding]`.
  public float[][] embed(Picture... pictures) {
    try { return embedder.images(pictures.length, i -> pictures[i], null); } catch (IOException e) { throw new UncheckedIOException(e); }
  }

  /// For each image the probabilities over the texts: softmax of scale·cosine. `[images][texts]`
  public float[][] classify(float[][] images, float[][] texts) {
    float scale;
    try (var _ = Scope.open(weights.device())) { scale = model.scale().item(); }
    var scores = Ranking.scores(images, texts);
    for (float[] row : scores) {
      float max = Float.NEGATIVE_INFINITY, sum = 0;
      for (float v : row) max = Math.max(max, v);
      for (int j = 0; j < row.length; j++) sum += row[j] = (float) Math.exp(scale * (row[j] - max));
      for (int j = 0; j < row.length; j++) row[j] /= sum;
    }
    return scores;
  }

  /// The features of some labels, `[labels][embedding]`: each label in each template, features averaged and normalised again.
  public float[][] classifier(List<String> labels, Templates templates) { return embedder.labels(labels, templates, null); }

  @Override public void close() { weights.close(); }
}
