package jacquard.clip.photos;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Composed;
import jacquard.clip.checkpoint.Piece;
import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.safetensors.SafetensorsWriter;
import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Embedder;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.settings.Json;
import jacquard.clip.text.TokenizerFiles;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A CLIP of two towers that never met: an EfficientNet-Lite that was trained to tell classes of photographs, and an
/// encoder of sentences. What joins them is one matrix in closed form, and no picture is needed for it: the sentence of
/// each class is mapped to the weights by which the classifier knows that class ([Ridge]). So image = the tower's mean
/// features, text = (s − mean s)·M of a sentence's features s of length 1; both are normalised, and the score is their
/// cosine.
///
/// @param classifier the image tower's own weights with its classifier last, in timm's order
/// @param sentences a folder with the encoder's `model.safetensors`, `config.json` and tokenizer files, as Hugging Face
///   has them
/// @param classes what the classifier tells, in its order
public record PhotoModel(Path classifier, Path sentences, List<String> classes) {
  /// How strongly large entries of the matrix are held down.
  private static final double LAMBDA = 3;
  /// The scale of cosines before they become probabilities. Nothing was trained that would say it; cosines of what fits
  /// and of what does not are about a tenth apart, and this makes that a factor of 20.
  private static final double SCALE = 30;
  private static final List<String> OWN = List.of("model_type", "vocab_size", "hidden_size", "num_hidden_layers",
      "num_attention_heads", "intermediate_size", "hidden_act", "max_position_embeddings", "type_vocab_size",
      "layer_norm_eps", "pad_token_id");
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// The sentence of a class.
  static String sentence(String name) { return "a photo of a " + name + "."; }

  /// Writes the model as a folder like any other: config, weights, tokenizer.
  ///
  /// @param advance hears of each sentence
  /// @throws IOException naming the file that is missing, damaged, or of another model
  public void write(Path to, Device device, Advance advance) throws IOException {
    var hub = config();
    try (var lite = Weights.open(classifier); var encoder = Weights.open(sentences.resolve("model.safetensors"))) {
      var head = lite.names().subList(Math.max(0, lite.names().size() - 2), lite.names().size());
      int width = hub.model().embedding();
      int[] found = lite.shape(head.getFirst());
      if (!Arrays.equals(found, new int[] {classes.size(), width}))
        throw new IOException(classifier + ": " + head.getFirst() + " is " + Arrays.toString(found)
            + ", expected a classifier of " + classes.size() + " classes over " + width + " features");
      var tensors = tensors(hub.model(), lite, encoder);
      float[][] known = rows(lite.floats(head.getFirst()), width);               // [classes, width]
      var ridge = Ridge.of(features(hub, tensors, device, advance), known, LAMBDA);
      tensors.put("text.proj.weight", piece(ridge.weights(), width, ridge.mean().length));
      tensors.put("text.proj.bias", piece(ridge.bias(), width));
      Files.createDirectories(to);
      Safetensors.write(to.resolve("open_clip_model.safetensors"), Map.of("format", "pt"), tensors.entrySet().stream()
          .map(e -> new SafetensorsWriter.Source(e.getKey(), e.getValue().stored(), e.getValue().shape(),
              e.getValue()::bytes)).sorted(SafetensorsWriter.REFERENCE_ORDER).toList());
    }
    for (var n : TokenizerFiles.NAMES)
      if (Files.exists(sentences.resolve(n)))
        Files.copy(sentences.resolve(n), to.resolve(n), StandardCopyOption.REPLACE_EXISTING);
    AtomicFile.write(to.resolve("open_clip_config.json"), hub.toJson());         // last: a folder with it is whole
  }

  private HubConfig config() throws IOException {
    var own = new LinkedHashMap<String, Object>();
    var theirs = Json.read(sentences.resolve("config.json"));
    for (var k : OWN) if (theirs.get(k) != null) own.put(k, theirs.get(k));
    var text = new LinkedHashMap<String, Object>();
    text.put("hf_model_name", "sentence-transformers/all-MiniLM-L6-v2");
    text.put("hf_model_config", own);
    text.put("hf_tokenizer_name", "sentence-transformers/all-MiniLM-L6-v2");
    text.put("hf_pooler_type", "mean_pooler");
    text.put("hf_proj_type", "unit_linear");
    text.put("tokenizer_kwargs", Map.of("clean", "none"));
    text.put("context_length", 128);
    var image = Map.of("timm_model_name", "tf_efficientnet_lite0", "timm_proj", "none", "image_size",
        224);
    var all = new LinkedHashMap<String, Object>();
    all.put("embed_dim", 1280);
    all.put("vision_cfg", image);
    all.put("text_cfg", text);
    all.put("init_logit_scale", Math.log(SCALE));
    var model = ClipConfig.of(all, "the model of the photographs");
    return new HubConfig(model, PreprocessConfig.ofSize(224)
        .normalised(PreprocessConfig.INCEPTION_MEAN, PreprocessConfig.INCEPTION_STD)
        .with(Json.tree(Map.of("crop_pct", 0.875))));
  }

  /// The model's tensors, but that the projection leaves a sentence's features as they are, with zeros behind.
  private Map<String, Piece> tensors(ClipConfig config, Weights lite, Weights encoder) throws IOException {
    var r = new LinkedHashMap<String, Piece>();
    int next = 0;
    for (var e : Checkpoint.shapes(ClipModel.describe(config)).entrySet()) {
      var name = e.getKey();
      int[] d = e.getValue().dims();
      var piece = switch (name) {
        case "logit_scale" -> piece(new float[] {(float) Math.log(SCALE)});
        case "text.proj.bias" -> piece(new float[d[0]], d);
        case "text.proj.weight" -> piece(identity(d[0], d[1]), d);
        default -> name.startsWith("text.transformer.")
            ? Piece.of(encoder, name.substring("text.transformer.".length()))
            : Piece.of(lite, next(lite, next++));
      };
      if (!piece.shape().equals(e.getValue()))
        throw new IOException((name.startsWith("text.") ? encoder : lite).file() + ": the tensor for " + name + " is "
            + piece.shape() + ", expected " + e.getValue());
      r.put(name, piece);
    }
    return r;
  }

  private static String next(Weights lite, int i) throws IOException {
    if (i < lite.names().size()) return lite.names().get(i);
    throw new IOException(lite.file() + " holds " + i + " tensors, expected more");
  }

  private float[][] features(HubConfig hub, Map<String, Piece> tensors, Device device, Advance advance)
      throws IOException {
    try (var _ = Scope.open(device)) {
      var model = Checkpoint.load(hub.model(), new Composed(classifier, tensors, () -> { }));
      int width = tensors.get("text.proj.weight").shape().dims()[1];
      float[][] r = new Embedder(model, new Transform(hub.preprocess()), 50, sentences)
          .texts(classes.stream().map(PhotoModel::sentence).toList(), advance);
      for (int i = 0; i < r.length; i++) r[i] = Arrays.copyOf(r[i], width);
      return r;
    }
  }

  private static float[] identity(int rows, int columns) {
    var r = new float[rows * columns];
    for (int i = 0; i < Math.min(rows, columns); i++) r[i * columns + i] = 1;
    return r;
  }

  private static float[][] rows(float[] all, int width) {
    var r = new float[all.length / width][];
    for (int i = 0; i < r.length; i++) r[i] = Arrays.copyOfRange(all, i * width, (i + 1) * width);
    return r;
  }

  private static Piece piece(float[] values, int... dims) {
    return new Piece(Stored.F32, Shape.of(dims), () -> {
      var bytes = MemorySegment.ofArray(new byte[4 * values.length]);
      MemorySegment.copy(MemorySegment.ofArray(values), ValueLayout.JAVA_FLOAT, 0, bytes, FLOAT, 0, values.length);
      return bytes;
    });
  }
}
