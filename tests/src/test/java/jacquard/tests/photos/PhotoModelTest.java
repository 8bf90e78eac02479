package jacquard.tests.photos;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.Clip;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.eval.Advance;
import jacquard.clip.image.Pixels;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.photos.PhotoModel;
import jacquard.clip.photos.Photos;
import jacquard.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Two towers of small stand-ins are joined in closed form. The real ones: [PhotosNetworkTest].
class PhotoModelTest {
  private static final Path BERT = Path.of("src/main/resources/fixtures/tokenizers/bert");
  private static final List<String> CLASSES = List.of("cat", "dog", "cup of coffee", "rocket", "house", "forest");
  private static final String SHAPE = """
      "vocab_size": %d, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24,
      "max_position_embeddings": 128, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
      "pad_token_id": 0""";
  @TempDir static Path folder;

  /// A classifier with the names that PyTorch's port has, and an encoder with Hugging Face's, both at random.
  @BeforeAll static void standIns() throws IOException {
    int vocabulary = (int) Files.lines(BERT.resolve("vocab.txt")).count();
    var shape = SHAPE.formatted(vocabulary);
    var config = ClipConfig.parse("""
        {"embed_dim": 1280, "vision_cfg": {"timm_model_name": "tf_efficientnet_lite0", "timm_proj": "none"},
         "text_cfg": {"hf_model_name": "bert-base-uncased", "hf_model_config": {%s}, "hf_proj_type": "unit_linear"}}"""
        .formatted(shape));
    var random = new Random(7);
    var lite = new LinkedHashMap<String, Safetensors.Array>();
    var encoder = new LinkedHashMap<String, Safetensors.Array>();
    int n = 0;
    for (var e : Checkpoint.shapes(ClipModel.describe(config)).entrySet()) {
      int[] d = e.getValue().dims();
      boolean counts = e.getKey().endsWith("num_batches_tracked"), variance = e.getKey().endsWith("running_var");
      var values = new float[(int) e.getValue().size()];
      for (int i = 0; i < values.length; i++) values[i] = (float) (variance ? 1 : random.nextFloat() - 0.5);
      var array = new Safetensors.Array(d, counts ? (Object) new long[values.length] : values);
      if (e.getKey().startsWith("visual.")) lite.put("%03d".formatted(n++), array);
      else if (e.getKey().startsWith("text.transformer.")) encoder.put(e.getKey().substring(17), array);
    }
    lite.put("800", new Safetensors.Array(new int[] {CLASSES.size(), 1280}, gaussian(random, CLASSES.size() * 1280)));
    lite.put("900", new Safetensors.Array(new int[] {CLASSES.size()}, gaussian(random, CLASSES.size())));
    Safetensors.write(folder.resolve("lite0.safetensors"), lite, Map.of());
    Safetensors.write(folder.resolve("model.safetensors"), encoder, Map.of());
    for (var f : new String[] {"tokenizer.json", "tokenizer_config.json", "vocab.txt"})
      Files.copy(BERT.resolve(f), folder.resolve(f));
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"bert\", \"architectures\": [\"BertModel\"], "
        + shape + "}");
  }

  private static float[] gaussian(Random random, int n) {
    var r = new float[n];
    for (int i = 0; i < n; i++) r[i] = (float) random.nextGaussian();
    return r;
  }

  private static PhotoModel model(List<String> classes) {
    return new PhotoModel(folder.resolve("lite0.safetensors"), folder, classes);
  }

  /// The text features are (s − mean s)·M of sentences of length 1, and M solves (XᵀX + 3I)M = XᵀY.
  @Test void textsGoThroughTheClosedForm() throws IOException {
    var to = folder.resolve("model");
    var heard = new ArrayList<Integer>();
    model(CLASSES).write(to, Device.named("cpu"), heard::add);
    assertEquals(CLASSES.size(), heard.stream().mapToInt(i -> i).sum());
    var sentences = CLASSES.stream().map(c -> "a photo of a " + c + ".").toArray(String[]::new);
    float[][] made, own;
    float[] w, b;
    try (var clip = Clip.load(to)) { made = clip.embed(sentences); }
    try (var weights = Weights.open(to)) {
      w = weights.floats("text.proj.weight");
      b = weights.floats("text.proj.bias");
    }
    var bare = bare(to);
    try (var clip = Clip.load(bare)) { own = clip.embed(sentences); }
    float[][] y;
    try (var lite = Weights.open(folder.resolve("lite0.safetensors"))) {
      float[] all = lite.floats("800");
      y = new float[CLASSES.size()][];
      for (int i = 0; i < y.length; i++) y[i] = java.util.Arrays.copyOfRange(all, i * 1280, i * 1280 + 1280);
    }
    int n = CLASSES.size(), in = 16, out = 1280;
    double[] mean = new double[in], meanY = new double[out];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < in; k++) mean[k] += own[i][k] / (double) n;
      for (int o = 0; o < out; o++) meanY[o] += y[i][o] / (double) n;
    }
    for (int o = 0; o < out; o += 97) {
      double bias = 0;
      for (int k = 0; k < in; k++) {
        bias -= mean[k] * w[o * in + k];
        double left = 3 * w[o * in + k], right = 0;
        for (int i = 0; i < n; i++) {
          double x = own[i][k] - mean[k], along = 0;
          for (int l = 0; l < in; l++) along += (own[i][l] - mean[l]) * w[o * in + l];
          left += x * along;
          right += x * (y[i][o] - meanY[o]);
        }
        assertEquals(right, left, 1e-5, "the normal equations");
      }
      assertEquals(bias, b[o], 1e-6);
    }
    for (int i = 0; i < n; i++) {
      var t = new float[out];
      double norm = 0;
      for (int o = 0; o < out; o++) {
        t[o] = b[o];
        for (int k = 0; k < in; k++) t[o] += w[o * in + k] * own[i][k];
        norm += t[o] * t[o];
      }
      for (int o = 0; o < out; o++) t[o] /= (float) Math.sqrt(norm);
      assertArrayEquals(t, made[i], 1e-5f);
    }
  }

  /// The same model whose projection leaves sentences as they are.
  private static Path bare(Path of) throws IOException {
    var to = Files.createDirectories(folder.resolve("bare"));
    try (var files = Files.list(of)) { for (var f : files.toList()) Files.copy(f, to.resolve(f.getFileName())); }
    var tensors = new LinkedHashMap<String, Safetensors.Array>();
    try (var weights = Weights.open(of)) {
      for (var n : weights.names()) {
        int[] d = weights.shape(n);
        var values = weights.entry(n).stored().floating() ? weights.floats(n) : (Object) weights.longs(n);
        if (n.startsWith("text.proj.")) {
          var identity = new float[((float[]) values).length];
          if (d.length == 2) for (int i = 0; i < d[1]; i++) identity[i * d[1] + i] = 1;
          values = identity;
        }
        tensors.put(n, new Safetensors.Array(d, values));
      }
    }
    Safetensors.write(to.resolve("open_clip_model.safetensors"), tensors, Map.of());
    return to;
  }

  @Test void picturesGoThroughTheClassifiersTower() throws IOException {
    var to = folder.resolve("other");
    model(CLASSES).write(to, Device.named("cpu"), Advance.UNHEARD);
    try (var clip = Clip.load(to)) {
      float[] f = clip.embed(Pixels.filled(300, 256, 0xC81E5A).picture())[0];
      assertEquals(1280, f.length);
      double norm = 0;
      for (float v : f) norm += v * v;
      assertEquals(1, norm, 1e-5);
    }
  }

  @Test void aClassifierOfOtherClassesIsRefused() {
    var e = assertThrows(IOException.class, () -> model(CLASSES.subList(0, 4)).write(folder.resolve("m"),
        Device.named("cpu"), Advance.UNHEARD));
    assertTrue(e.getMessage().contains("expected a classifier of 4 classes over 1280 features"), e.getMessage());
    assertTrue(Files.notExists(folder.resolve("m/open_clip_config.json")));
  }

  @Test void imagenetHasAThousandClasses() throws IOException {
    assertEquals(1000, Photos.classes().size());
    assertEquals("tench", Photos.classes().getFirst());
    assertEquals("toilet paper", Photos.classes().getLast());
  }
}
