package jacquard.clip.model.hf;

import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.TextConfig;
import jacquard.clip.model.TokenizerOptions;
import jacquard.clip.model.tower.TextInput;
import jacquard.clip.settings.Json;
import jacquard.clip.settings.Settings;
import jacquard.clip.settings.Settings.Flat;
import jacquard.clip.settings.Settings.Key;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// A text tower of the transformers library: `hf_model_name` names a model, whose sizes its own config says.
///
/// @param context tokens a caption, pads included
/// @param vocabulary what the model's own config says once more
/// @param width the width beside a decoder (CoCa)
/// @param variableText captions of different length in a batch
/// @param pad the id that fills a caption of variable length up
/// @param outputTokens the tower yields its tokens too (CoCa)
/// @param tokens which tokeniser makes the ids
public record HuggingFaceConfig(@Key("context_length") int context, @Key("vocab_size") OptionalInt vocabulary,
    OptionalInt width,
    boolean variableText, @Key("pad_id") OptionalInt pad, boolean outputTokens, @Flat TokenizerOptions tokens,
    @Flat(prefix = "hf_") Model model) implements TextConfig, Settings.Terse {
  public static final HuggingFaceConfig DEFAULTS =
      new HuggingFaceConfig(77, OptionalInt.empty(), OptionalInt.empty(), false,
      OptionalInt.empty(), false, TokenizerOptions.DEFAULTS, Model.DEFAULTS);

  /// The `hf_…` options.
  ///
  /// @param modelConfig the model's own config, or changes to it where the name is one that is known
  /// @param projType from the model's width to the embedding: `linear`, `mlp`, `clap_mlp`; or `unit_linear`, which
  ///   OpenCLIP has not: features brought to length 1, then a layer with bias
  /// @param poolerType `mean_pooler`, `max_pooler`, `cls_pooler` or `cls_last_hidden_state_pooler`
  public record Model(Optional<String> modelName, boolean modelPretrained, Map<String, Object> modelConfig,
      String projType,
      String poolerType) {
    public static final Model DEFAULTS = new Model(Optional.empty(), true, Map.of(), "mlp", "mean_pooler");
  }

  public HuggingFaceConfig {
    Settings.atLeast("context_length", context, 1);
  }

  /// A section `text_cfg` with the model's own config, where that lies beside its file as `hf_config.json`; what the
  /// section says itself comes first.
  public static Map<String, Object> completed(Map<String, Object> section, Path file) throws IOException {
    var own = file.resolveSibling("hf_config.json");
    if (section.get("hf_model_name") == null || !Files.exists(own)) return section;
    var merged = Json.read(own);
    if (section.get("hf_model_config") instanceof Map<?, ?> given) given.forEach((k, v) -> merged.put((String) k, v));
    var r = new LinkedHashMap<>(section);
    r.put("hf_model_config", merged);
    return r;
  }

  @Override public HuggingFaceConfig defaults() { return DEFAULTS; }

  /// The model's name.
  public String name() { return model.modelName.orElse(""); }

  /// The model's name, and what to do where its kind is not known.
  public String described() {
    var type = OwnConfig.of(this).type();
    return name() + (type.isEmpty()
        ? ", whose sizes are not known: put its own config beside this one as hf_config.json, or give hf_model_config"
        : "");
  }

  @Override public TextInput input() { return tokens.input(context, name()); }

  /// OpenCLIP's own default where it is not said.
  @Override public int vocabularySize() { return vocabulary.orElse(49408); }

  @Override public Optional<String> refused(ClipConfig clip) {
    return outputTokens && !clip.captions() ? Optional.of("output_tokens: only a CoCa decoder takes them")
        : Optional.empty();
  }

  @Override public boolean custom() { return true; }

  @Override public boolean terse() { return true; }
}
