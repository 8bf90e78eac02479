package jacquard.clip.checkpoint;

import jacquard.clip.checkpoint.names.OpenAi;
import jacquard.clip.checkpoint.names.TransformersConfig;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.HubConfig;
import jacquard.clip.settings.Json;
import jacquard.clip.settings.Presence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Where the parts of a model lie on disk, and what it is.
///
/// @param weights a file of weights, or an index of shards
/// @param tokenizer the folder of its tokenizer's files; CLIP's own tokenizer needs none
public record ModelFiles(HubConfig config, Path weights, Path tokenizer) {
  private static final String EXPECTED =
      "expected open_clip_config.json or transformers' config.json beside the weights";

  /// Of a folder with a config and weights, or of a file of weights with a config beside it. OpenAI's archives need no
  /// config.
  ///
  /// @throws IOException naming what is missing, damaged or not known
  /// @throws IllegalArgumentException naming file, key, value and what was expected, if the config is wrong
  public static ModelFiles at(Path path) throws IOException {
    if (!Presence.of(path)) throw MissingWeights.at(path);
    var file = Files.isDirectory(path) ? null : path;
    var folder = file == null ? path : path.toAbsolutePath().getParent();
    var config = config(folder);
    if (config == null && file == null)
      throw new IOException(path + " holds no open_clip_config.json, " + EXPECTED
          + MissingWeights.elsewhere(path).map(w -> "; " + w).orElse(""));
    if (config == null) config = inferred(file);
    return new ModelFiles(config, file == null ? Weights.in(path) : file, folder);
  }

  /// The config of a folder, or null.
  public static HubConfig config(Path folder) throws IOException {
    var hub = folder.resolve("open_clip_config.json");
    if (Files.exists(hub)) return HubConfig.read(hub);
    var other = folder.resolve("config.json");
    if (!Files.exists(other)) return null;
    var json = Json.read(other);
    if (TransformersConfig.is(json)) return TransformersConfig.read(other);
    if (json.containsKey("model_cfg")) return HubConfig.read(other);
    if (!json.containsKey("embed_dim"))
      throw new IOException(other + " describes no CLIP: it has neither embed_dim nor model_type");
    var model = ClipConfig.read(other);
    return new HubConfig(model, HubConfig.preprocess(model));
  }

  private static HubConfig inferred(Path file) throws IOException {
    try (var w = Weights.open(file)) {
      if (!OpenAi.is(w))
        throw new IOException(file + " does not say of which model it is: " + EXPECTED
            + ", or give the model's name first, as ViT-B-32 --pretrained " + file.getFileName());
      var model = OpenAi.config(w);
      return new HubConfig(model, HubConfig.preprocess(model));
    }
  }

  /// Whether a file may hold weights by its name: not what a run resumes from, or what transformers' trainer leaves
  /// beside them.
  static boolean like(String name) {
    return name.matches(".*\\.(safetensors|pt|pth|bin|ckpt|npz|onnx)")
        && !name.matches("(resume|optimizer|scheduler|training_args|rng_state|io)\\b.*");
  }
}
