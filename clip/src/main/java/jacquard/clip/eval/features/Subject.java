package jacquard.clip.eval.features;

import jacquard.clip.Clip;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.layouts.Fingerprint;
import jacquard.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The model that is evaluated, and what its results call it.
///
/// @param clip       what writes captions; null where it is in training
/// @param name       of the model
/// @param pretrained which weights of it
/// @param features   where its features are kept
public record Subject(Clip clip, Embedder embedder, String name, String pretrained, FeatureStore features) {
  public Subject(Clip clip, String name, String pretrained, FeatureStore features) {
    this(clip, clip.embedder(), name, pretrained, features);
  }

  /// A model in training: nothing of it is kept.
  public static Subject changing(Embedder embedder) {
    return new Subject(null, embedder, "", "", new FeatureStore(null, ""));
  }

  public Device device() { return embedder.device(); }

  /// What tells features of a model from those of any other: the bytes of its weights and of the small files beside
  /// them (config, tokenizer), changes to the config, and the transform.
  ///
  /// @param changes to the config
  public static String key(ModelFiles files, List<String> changes, String transform) throws IOException {
    var r = new Fingerprint();
    var weights = files.weights().toAbsolutePath();
    content(weights, r);
    try (var beside = Files.list(weights.getParent())) {
      boolean index = weights.toString().endsWith(".json");
      for (var f : beside.filter(f -> f.toString().matches(".*\\.(json|txt|model|tiktoken)")
          || index && f.toString().matches(".*\\.(safetensors|bin)")).filter(f -> !f.equals(weights)).sorted().toList())
        if (Files.isRegularFile(f) && (index || Files.size(f) < 64 << 20))
          content(f, r.add(f.getFileName().toString()));
    }
    changes.forEach(r::add);
    return r.add(transform).add(files.config().model().json().toString()).toString();
  }

  private static void content(Path file, Fingerprint into) throws IOException {
    var buffer = new byte[1 << 20];
    try (var in = Files.newInputStream(file)) { for (int n; (n = in.read(buffer)) > 0; ) into.add(buffer, n); }
  }
}
