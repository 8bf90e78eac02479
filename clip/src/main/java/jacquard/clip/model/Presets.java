package jacquard.clip.model;

import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.settings.Json;
import jacquard.clip.settings.Nearest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/// The models that OpenCLIP has a name for, and the weights that were published for them; and two of our own for the
/// emoji corpus: `emoji`, a ResNet of one block a stage, and `emoji-vit`, a ViT of 17 tokens. The ResNet names 42 % of
/// an unseen artist's drawings after 648 steps of 256 (35 % where colours are moved, and then 27 % after 432), the ViT
/// 7.7 % after 390 of about the cost of 432; a ResNet twice as wide does no better in that time (`docs/status.md` has
/// the table).
public final class Presets {
  private Presets() {}

  /// Weights published for a model.
  ///
  /// @param url where they lie, or ""
  /// @param hub the repository on the hub, or ""
  /// @param quickGelu whether they were trained with `x·σ(1.702x)`
  public record Pretrained(String tag, String url, String hub, PreprocessConfig preprocess, boolean quickGelu) {}

  /// As the resource has them; a config is read when it is asked for, since all of them take a while.
  private static final Map<String, Object> JSON = load("presets.json");
  private static final Map<String, ClipConfig> CONFIGS = new ConcurrentHashMap<>();

  /// Loaded by the first who asks for weights.
  private static final class Published {
    static final Map<String, Map<String, Pretrained>> ALL = weights();
  }

  /// The names of all models, in OpenCLIP's order; [ClipConfig#unsupported()] says which cannot be built.
  public static List<String> names() { return List.copyOf(JSON.keySet()); }

  /// The names of those that can be built.
  public static List<String> buildable() {
    return JSON.keySet().stream().filter(n -> of(n).unsupported().isEmpty()).toList();
  }

  /// The config of a model, one that cannot be built yet too.
  ///
  /// @throws IllegalArgumentException if no model has this name, with the nearest that there are
  public static ClipConfig of(String name) {
    if (JSON.containsKey(name)) return CONFIGS.computeIfAbsent(name, n -> ClipConfig.of(section(JSON.get(n)), n));
    throw new IllegalArgumentException("no model \"" + name + "\"." + Nearest.question(name, JSON.keySet())
        + " ./jacquard models lists all");
  }

  /// What the models have for a key of a section, as `vision_cfg` and `timm_model_name`; those without it are left out.
  public static Set<String> values(String section, String key) {
    var r = new TreeSet<String>();
    for (var model : JSON.values())
      if (section(model).get(section) instanceof Map<?, ?> s && s.get(key) instanceof String v) r.add(v);
    return r;
  }

  /// The weights published for a model, tag by tag; empty if there are none.
  public static Map<String, Pretrained> pretrained(String name) {
    of(name);
    return Published.ALL.getOrDefault(name, Map.of());
  }

  /// @throws IllegalArgumentException if the model has no weights of this tag, with the nearest that it has
  public static Pretrained pretrained(String name, String tag) {
    var found = pretrained(name).get(tag);
    if (found != null) return found;
    throw new IllegalArgumentException("no weights \"" + tag + "\" of " + name + "."
        + Nearest.question(tag, pretrained(name).keySet()) + " ./jacquard models --tags " + name + " lists all");
  }

  private static Map<String, Map<String, Pretrained>> weights() {
    var weights = new LinkedHashMap<String, Map<String, Pretrained>>();
    load("pretrained.json").forEach((name, tags) -> {
      var read = new LinkedHashMap<String, Pretrained>();
      section(tags).forEach((tag, json) -> read.put(tag, entry(name, tag, section(json))));
      weights.put(name, Collections.unmodifiableMap(read));
    });
    return Collections.unmodifiableMap(weights);
  }

  private static Pretrained entry(String name, String tag, Map<String, Object> json) {
    return new Pretrained(tag, (String) json.getOrDefault("url", ""), (String) json.getOrDefault("hf_hub", ""),
        HubConfig.preprocess(of(name)).with(Json.tree(json)), json.get("quick_gelu") == Boolean.TRUE);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> section(Object json) { return (Map<String, Object>) json; }

  private static Map<String, Object> load(String resource) {
    try (var in = Presets.class.getResourceAsStream(resource)) {
      if (in == null) throw new IllegalStateException("the jar lacks " + resource);
      return Json.object(new String(in.readAllBytes(), StandardCharsets.UTF_8), resource);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
