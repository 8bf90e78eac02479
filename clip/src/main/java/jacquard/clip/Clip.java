package jacquard.clip;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Ranking;
import jacquard.clip.image.Picture;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
  public static Clip load(Path folder) throws IOException {
    var file = folder.resolve("open_clip_config.json");
    if (!Files.exists(file)) throw new IOException(folder + " holds no open_clip_config.json");
    var config = ClipConfig.read(file);
    var preprocess = preprocess(config).with(orEmpty(new com.fasterxml.jackson.databind.ObjectMapper().readTree(file.toFile()).get("preprocess_cfg")));
    var weights = Scope.detached(Device.best());
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

  private static com.fasterxml.jackson.databind.JsonNode orEmpty(com.fasterxml.jackson.databind.JsonNode node) {
    return node == null ? com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode() : node;
  }

  /// OpenCLIP's default preparation for a model's image size.
  public static PreprocessConfig preprocess(ClipConfig config) {
    var size = config.vision().image();
    return PreprocessConfig.ofSize(size.height()).size(size.height(), size.width());
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

  /// The classifier of some labels: each label in each template (`{}` stands for it), features averaged and normalised again, as OpenCLIP.
  public float[][] classifier(List<String> labels, List<String> templates) {
    var all = new ArrayList<String>();
    for (var l : labels) for (var t : templates) all.add(t.replace("{}", l));
    float[][] f = embedder.texts(all, null), r = new float[labels.size()][];
    for (int i = 0; i < r.length; i++) {
      float[] sum = new float[f[0].length];
      for (int t = 0; t < templates.size(); t++) for (int k = 0; k < sum.length; k++) sum[k] += f[i * templates.size() + t][k];
      double norm = 0;
      for (float v : sum) norm += v * v;
      for (int k = 0; k < sum.length; k++) sum[k] /= (float) Math.sqrt(norm);
      r[i] = sum;
    }
    return r;
  }

  @Override public void close() { weights.close(); }
}
