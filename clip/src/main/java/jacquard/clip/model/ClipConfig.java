package jacquard.clip.model;

import com.fasterxml.jackson.databind.JsonNode;
import jacquard.clip.settings.Json;
import jacquard.clip.settings.Settings;
import jacquard.clip.settings.Settings.Flat;
import jacquard.clip.settings.Settings.Key;
import jacquard.clip.settings.Settings.Stated;
import jacquard.tensor.op.Activation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/// A model as OpenCLIP's JSON describes it: `{"embed_dim": 512, "vision_cfg": {…}, "text_cfg": {…}}`. All of OpenCLIP's
/// options are known; [#unsupported()] says which model cannot be built.
///
/// @param embedding channels that both towers end in
/// @param quickGelu `x·σ(1.702x)` in place of GELU, in both native towers
/// @param logitScale the logarithm of the scale's start, ln(1/0.07) by default
/// @param logitBias the bias' start; empty without a bias
/// @param nonscalar scale and bias have the shape `[1]`, not `[]`
/// @param customText the text tower's tensors lie under `text.` ([#custom()] says whether they do)
/// @param other sections of models of another kind, as they were given
public record ClipConfig(@Stated @Key("embed_dim") int embedding, @Stated @Key("vision_cfg") ImageConfig vision,
    @Stated @Key("text_cfg") TextConfig text, boolean quickGelu, @Key("init_logit_scale") double logitScale,
    @Key("init_logit_bias") OptionalDouble logitBias, @Key("nonscalar_logit_scale") boolean nonscalar,
        boolean customText,
        @Flat Other other) {
  public static final ClipConfig DEFAULTS = new ClipConfig(512, ImageConfig.DEFAULTS, TextConfig.DEFAULTS, false,
      Math.log(1 / 0.07),
      OptionalDouble.empty(), false, false, Other.NONE);

  /// Sections that belong to CoCa, CLAP, GenLIP and GenLAP; an empty map where absent.
  public record Other(Map<String, Object> multimodalCfg, Map<String, Object> audioCfg, Map<String,
      Object> audioNaflexCfg,
      Map<String, Object> genlipCfg, Map<String, Object> genlapCfg) {
    public static final Other NONE = new Other(Map.of(), Map.of(), Map.of(), Map.of(), Map.of());
  }

  public ClipConfig {
    Settings.atLeast("embed_dim", embedding, 1);
    if (!Double.isFinite(logitScale))
      throw new IllegalArgumentException("init_logit_scale is " + logitScale + ", expected a finite number");
    if (logitBias.isPresent() && !Double.isFinite(logitBias.getAsDouble()))
      throw new IllegalArgumentException("init_logit_bias is " + logitBias.getAsDouble()
          + ", expected a finite number");
    vision.check(embedding);
    text.check(embedding);
  }

  /// The model that a file describes, bare or as the `model_cfg` of an `open_clip_config.json`.
  ///
  /// @throws IOException if it cannot be read or is no JSON
  /// @throws IllegalArgumentException naming the file, the key, the value and what was expected
  public static ClipConfig read(Path file) throws IOException {
    var json = TextConfig.completed(Json.read(file), file);
    return json.containsKey("model_cfg") ? HubConfig.of(json, file.toString()).model() : of(json, file.toString());
  }

  /// The model that a JSON text describes.
  public static ClipConfig parse(String json) {
    try {
      return of(Json.object(json, "config"), "config");
    } catch (IOException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /// The model that plain JSON values describe; `where` opens every error.
  public static ClipConfig of(Map<String, ?> json, String where) {
    var config = Settings.read(DEFAULTS, json, where);
    if (!json.containsKey("embed_dim"))
      throw new IllegalArgumentException(where + ": embed_dim is missing, expected a whole number");
    return config;
  }

  /// The model that a JSON object describes.
  public static ClipConfig of(JsonNode json) { return parse(json.toString()); }

  /// This config with dotted assignments, all applied before the result is checked:
  /// `with("vision_cfg.width=128", "quick_gelu=true")`.
  ///
  /// @throws IllegalArgumentException at an unknown key, listing the known ones, or a value of another type
  public ClipConfig with(String... assignments) { return Settings.with(this, DEFAULTS, List.of(assignments)); }

  /// One assignment.
  public ClipConfig override(String path, String value) { return with(path + "=" + value); }

  /// The plain JSON values; [#of(Map, String)] gives this config back, and OpenCLIP takes it.
  public Map<String, Object> toMap() {
    var json = Settings.write(this, DEFAULTS);
    boolean audio = !other.audioCfg.isEmpty() || !other.genlapCfg.isEmpty();
    if (audio && vision.equals(ImageConfig.DEFAULTS)) json.remove("vision_cfg");
    return json;
  }

  /// The same as a tree.
  public JsonNode json() { return Json.tree(toMap()); }

  /// The JSON text, two spaces deep.
  public String toJson() { return Json.text(toMap()); }

  /// Whether the text tower's tensors lie under `text.`, as in OpenCLIP's CustomTextCLIP.
  public boolean custom() { return customText || text.custom() || !other.equals(Other.NONE); }

  /// What the native towers' MLPs apply.
  public Activation activation(boolean tanh) {
    return quickGelu ? Activation.QUICK_GELU : tanh ? Activation.GELU_TANH : Activation.GELU;
  }

  /// Whether pictures are compared with texts; else one trunk reads both and foretells captions (GenLIP).
  public boolean compares() { return other.genlipCfg().isEmpty(); }

  /// Whether a decoder follows the towers (CoCa).
  public boolean captions() { return !other.multimodalCfg.isEmpty(); }

  /// What sort of model it is, for people to read: what is special about it, the text tower before the image tower.
  public String family() {
    var whole = Families.whole(this);
    if (whole.isPresent()) return whole.get().name();
    return text.custom() ? Families.text(text).name() : Families.image(vision).name();
  }

  /// Why this model cannot be built; empty if it can.
  public Optional<String> unsupported() {
    return Families.whole(this).flatMap(ClipConfig::missing)
        .or(() -> compares() ? missing(Families.text(text)) : Optional.empty())
            .or(() -> missing(Families.image(vision)))
        .or(() -> vision.refused(this)).or(() -> compares() ? text.refused(this) : Optional.empty());
  }

  private static Optional<String> missing(Families.Row<?> row) {
    return row.tower() == null ? Optional.of(row.missing()) : Optional.empty();
  }
}
