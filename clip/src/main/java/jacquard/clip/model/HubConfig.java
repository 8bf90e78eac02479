package jacquard.clip.model;

import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.settings.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// What lies beside the weights on a hub, `open_clip_config.json`: `{"model_cfg": {…}, "preprocess_cfg": {…}}`.
public record HubConfig(ClipConfig model, PreprocessConfig preprocess) {
  private static final Set<String> KEYS = Set.of("model_cfg", "preprocess_cfg");

  /// How OpenCLIP prepares pictures for a model where nothing else is said: the tower's size, bicubic, OpenAI's mean
  /// and deviation.
  public static PreprocessConfig preprocess(ClipConfig model) {
    var image = model.vision().input();
    return PreprocessConfig.ofSize(image.height()).size(image.height(), image.width());
  }

  /// @throws IOException if the file cannot be read or is no JSON
  /// @throws IllegalArgumentException naming the file, the key, the value and what was expected
  public static HubConfig read(Path file) throws IOException {
    return of(TextConfig.completed(Json.read(file), file), file.toString());
  }

  /// The config that plain JSON values describe; `where` opens every error.
  public static HubConfig of(Map<String, ?> json, String where) {
    for (String key : json.keySet())
      if (!KEYS.contains(key))
        throw new IllegalArgumentException(where + ": unknown key " + key + ". Known: model_cfg, preprocess_cfg");
    if (!(json.get("model_cfg") instanceof Map<?, ?> section))
      throw new IllegalArgumentException(where + ": model_cfg is missing, expected a section");
    @SuppressWarnings("unchecked") var model = ClipConfig.of((Map<String, ?>) section, where + " model_cfg");
    if (!json.containsKey("preprocess_cfg")) return new HubConfig(model, preprocess(model));
    try {
      return new HubConfig(model, preprocess(model).with(Json.tree(json.get("preprocess_cfg"))));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(where + ": " + e.getMessage(), e);
    }
  }

  /// The plain JSON values; [#of(Map, String)] gives this config back.
  public Map<String, Object> toMap() {
    var json = new LinkedHashMap<String, Object>();
    json.put("model_cfg", model.toMap());
    json.put("preprocess_cfg", preprocess.json());
    return json;
  }

  /// The JSON text, two spaces deep.
  public String toJson() { return Json.text(toMap()); }
}
