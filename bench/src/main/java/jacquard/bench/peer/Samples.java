package jacquard.bench.peer;

import jacquard.bench.harness.Draw;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.safetensors.SafetensorsWriter;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.Presets;
import jacquard.clip.text.ClipTokenizer;
import jacquard.tensor.Device;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;

/// What both sides work on: models with random weights, emoji drawings with captions, and a photograph-like JPEG, made
/// once under `bench/target`.
public final class Samples {
  private static final Path FOLDER = Path.of("bench/target/samples");
  /// With it the captions have 9.6 tokens in the mean, start and end among them.
  private static final String TEMPLATE = "a drawing of a %s.";
  /// The end of a caption in CLIP's vocabulary.
  private static final int END = 49407;
  /// A model of 10 GB, made without being in memory.
  public static final String LARGE = "ViT-bigG-14";

  private Samples() {}

  /// A model's folder as OpenCLIP's hub lays it out.
  public static Path model(String name) throws IOException {
    var folder = Files.createDirectories(FOLDER.resolve(name));
    var weights = folder.resolve("open_clip_model.safetensors");
    if (Files.exists(weights)) return folder;
    var config = Presets.of(name);
    var m = new com.fasterxml.jackson.databind.ObjectMapper();
    var root = m.createObjectNode();
    root.set("model_cfg", config.json());
    root.set("preprocess_cfg", HubConfig.preprocess(config).json());
    AtomicFile.write(folder.resolve("open_clip_config.json"), root.toPrettyString().getBytes(StandardCharsets.UTF_8));
    if (name.equals(LARGE)) drawn(config, weights);
    else try (var _ = Scope.open(Device.best())) { Checkpoint.save(ClipModel.create(config, 0), weights); }
    return folder;
  }

  /// A file larger than a heap, tensor by tensor: matrices uniform by their inputs, gains 1, the rest 0.
  private static void drawn(ClipConfig config, Path file) throws IOException {
    var sources = new ArrayList<SafetensorsWriter.Source>();
    Checkpoint.shapes(ClipModel.describe(config)).forEach((name, shape) ->
        sources.add(SafetensorsWriter.Source.floats(name, shape, () -> {
          if (shape.rank() > 1) {
            float[] r = Draw.floats(name.hashCode(), (int) shape.size());
            float scale = (float) Math.sqrt(shape.dim(0) / (double) shape.size());
            for (int i = 0; i < r.length; i++) r[i] *= scale;
            return r;
          }
          float[] r = new float[(int) shape.size()];
          if (name.endsWith("weight")) Arrays.fill(r, 1);
          return r;
        })));
    Safetensors.write(file, Map.of("format", "pt"), sources);
  }

  public static Path weights(String name) throws IOException {
    return model(name).resolve("open_clip_model.safetensors");
  }

  public static String[] captions(int count) {
    var r = names(count);
    for (int i = 0; i < count; i++) r[i] = TEMPLATE.formatted(r[i]);
    return r;
  }

  public static String[] names(int count) {
    var names = EmojiSource.training().names();
    var r = new String[count];
    for (int i = 0; i < count; i++) r[i] = names.get(i * names.size() / count);
    return r;
  }

  /// Vectors of a prompt, N(0, 0.02²), `[vectors, 512]`.
  public static float[] context(int vectors) {
    float[] r = new float[vectors * 512];
    for (int i = 0; i < r.length; i++) r[i] = (float) (0.02 * Random.of(0).normal(i));
    return r;
  }

  /// What CoOp needs: the pictures of [#batch], and `prompts` `[names, 77]` with tokens in the vectors' places, and
  /// `ctx`.
  public static Path prompts(int count, int names, int vectors) throws IOException {
    var file = Files.createDirectories(FOLDER).resolve("prompts-" + names + "-" + vectors + ".safetensors");
    var all = new LinkedHashMap<String, Safetensors.Array>();
    try (var batch = Safetensors.open(batch(Training.MODEL, count))) {
      all.put("images", new Safetensors.Array(batch.shape("images"), batch.floats("images")));
    }
    var texts = java.util.Arrays.stream(names(names)).map(n -> "x ".repeat(vectors) + n + ".").toList();
    long[] ids = java.util.Arrays.stream(ClipTokenizer.clip().tokenize(texts, 77))
        .flatMapToInt(java.util.Arrays::stream).asLongStream().toArray();
    all.put("prompts", new Safetensors.Array(new int[] {names, 77}, ids));
    all.put("ctx", new Safetensors.Array(new int[] {vectors, 512}, context(vectors)));
    Safetensors.write(file, all, Map.of());
    return file;
  }

  /// Texts a line each, for a peer.
  public static Path lines(List<String> texts) throws IOException {
    return Files.write(Files.createDirectories(FOLDER).resolve("texts-" + texts.size() + ".txt"), texts);
  }

  /// Captions as a model's text tower takes them, `[count][77]`. A model with another tokenizer than CLIP's has
  /// CLIP's pieces between RoBERTa's marks: as many as a vocabulary of its size gives.
  public static int[][] tokens(String model, int count) {
    int[][] clip = ClipTokenizer.clip().tokenize(List.of(captions(count)), 77);
    if (Presets.of(model).text().input().clip()) return clip;
    for (int[] ids : clip) {
      int n = 0;
      while (ids[n] != END) n++;
      ids[0] = 0;
      ids[n] = 2;
      Arrays.fill(ids, n + 1, ids.length, 1);
    }
    return clip;
  }

  /// Drawings with the captions of [#captions], normalised, `[count, height, width, 3]`.
  public static float[] pixels(String model, int count) {
    var source = EmojiSource.training();
    var names = source.names();
    var grid = Presets.of(model).vision().input();
    var transform = new Transform(PreprocessConfig.ofSize(grid.height()));
    int n = 3 * grid.size();
    float[] r = new float[count * n];
    for (int i = 0; i < count; i++) {
      int at = 0;
      while (!source.caption(at).equals(names.get(i * names.size() / count))) at++;
      System.arraycopy(transform.rows(source.picture(at)), 0, r, i * n, n);
    }
    return r;
  }

  /// The same for the peers: `images` `[count, 3, height, width]` and `tokens` `[count, 77]`.
  public static Path batch(String model, int count) throws IOException {
    var file = model(model).resolve("batch-" + count + ".safetensors");
    if (Files.exists(file)) return file;
    var grid = Presets.of(model).vision().input();
    float[] nhwc = pixels(model, count), nchw = new float[nhwc.length];
    int n = grid.size();
    for (int b = 0; b < count; b++)
      for (int p = 0; p < n; p++) for (int c = 0; c < 3; c++) nchw[(b * 3 + c) * n + p] = nhwc[(b * n + p) * 3 + c];
    long[] ids = Arrays.stream(tokens(model, count)).flatMapToInt(Arrays::stream).asLongStream().toArray();
    var all = new LinkedHashMap<String, Safetensors.Array>();
    all.put("images", new Safetensors.Array(new int[] {count, 3, grid.height(), grid.width()}, nchw));
    all.put("tokens", new Safetensors.Array(new int[] {count, 77}, ids));
    Safetensors.write(file, all, Map.of());
    return file;
  }

  /// Tensors for a peer by name; written anew by whoever asks, since they may be many megabytes.
  public static Path tensors(Map<String, Tensor> tensors) throws IOException {
    var all = new LinkedHashMap<String, Safetensors.Array>();
    tensors.forEach((name, t) -> all.put(name, new Safetensors.Array(t.shape().dims(), t.floats())));
    var file = Files.createDirectories(FOLDER).resolve("tensors.safetensors");
    Safetensors.write(file, all, Map.of());
    return file;
  }

  /// A JPEG of 640×480 with edges, slopes and grain, as cameras make them: about 70 KB.
  public static Path picture() throws IOException {
    var file = Files.createDirectories(FOLDER).resolve("picture.jpg");
    if (Files.exists(file)) return file;
    var image = new BufferedImage(640, 480, BufferedImage.TYPE_INT_RGB);
    var g = image.createGraphics();
    var random = new SplittableRandom(1);
    g.setPaint(new GradientPaint(0, 0, new Color(0x7fa8d8), 0, 480, new Color(0x5b4a2c)));
    g.fillRect(0, 0, 640, 480);
    for (int i = 0; i < 120; i++) {
      g.setColor(new Color(random.nextInt(1 << 24)));
      g.fillOval(random.nextInt(-40, 640), random.nextInt(-40, 480), random.nextInt(10, 120), random.nextInt(10, 120));
    }
    g.dispose();
    for (int y = 0; y < 480; y++)
      for (int x = 0; x < 640; x++) {
        int rgb = image.getRGB(x, y), grain = random.nextInt(-10, 11), r = 0;
        for (int s = 0; s < 24; s += 8) r |= Math.clamp((rgb >> s & 255) + grain, 0, 255) << s;
        image.setRGB(x, y, r);
      }
    ImageIO.write(image, "jpg", file.toFile());
    return file;
  }
}
