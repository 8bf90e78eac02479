package jacquard.clip.model;

import jacquard.clip.model.hf.HuggingFaceConfig;
import jacquard.clip.model.modern.ModernTextConfig;
import jacquard.clip.model.text.ClipTextConfig;
import jacquard.clip.model.tower.TextInput;
import jacquard.clip.settings.Settings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The text tower (`text_cfg`): a record a family, each with its own keys. Which one it is, the keys themselves say:
/// `hf_model_name` a tower of the transformers library, `text_arch` `modern` OpenCLIP's newer one; else CLIP's
/// transformer.
public sealed interface TextConfig extends Settings.Kinds permits ClipTextConfig, ModernTextConfig, HuggingFaceConfig {
  TextConfig DEFAULTS = ClipTextConfig.DEFAULTS;

  /// `text_arch`.
  enum Arch { CLIP, MODERN }

  /// A model's or a hub's JSON with what lies beside its file: the text tower's own config, `hf_config.json`, where it
  /// is one of the transformers library.
  static Map<String, Object> completed(Map<String, Object> json, Path file) throws IOException {
    for (var key : List.of("model_cfg", "text_cfg"))
      if (json.get(key) instanceof Map<?, ?> section) {
        @SuppressWarnings("unchecked") var inner = (Map<String, Object>) section;
        var r = new LinkedHashMap<>(json);
        r.put(key, key.equals("text_cfg") ? HuggingFaceConfig.completed(inner, file) : completed(inner, file));
        return r;
      }
    return json;
  }

  /// The defaults of the kind that `json` describes.
  static TextConfig defaults(Map<String, ?> json) {
    if (json.get("hf_model_name") != null) return HuggingFaceConfig.DEFAULTS;
    return "modern".equals(json.get("text_arch")) ? ModernTextConfig.DEFAULTS : ClipTextConfig.DEFAULTS;
  }

  @Override default List<String> elsewhere() { return List.of("hf_model_name"); }

  /// The context, and the tokenizer that makes its ids.
  TextInput input();

  /// How many ids a decoder chooses from.
  int vocabularySize();

  /// Whether OpenCLIP keeps the tower's tensors under `text.` in any case.
  boolean custom();

  /// Why such a tower cannot be built in this model though its family is; empty if it can.
  default Optional<String> refused(ClipConfig clip) { return Optional.empty(); }

  /// Whether the tower yields its tokens too, which a decoder reads (CoCa).
  default boolean outputTokens() { return false; }

  /// @throws IllegalArgumentException if a key contradicts the channels that both towers end in
  default void check(int embedding) {}
}
