package jacquard.clip.tune.adapter;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.settings.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// PEFT's `adapter_config.json` of a LoRA or DoRA adapter.
///
/// @param targets  modules that have pairs: by the ends of their names, or by one pattern of the whole name
/// @param ranks    rank by a pattern of the end of the module's name, where it is not `rank`
/// @param alphas   alpha in the same way
/// @param rooted   whether the scale is α/√r in place of α/r
/// @param dora     whether each pair has a magnitude
/// @param bias     `none`, `lora_only` (biases of the modules that have pairs) or `all`
public record PeftConfig(int rank, double alpha, boolean rooted, boolean dora, List<String> targets, boolean pattern,
    Map<String, Integer> ranks, Map<String, Double> alphas, String bias) {
  /// Keys that say nothing of what the tensors mean, or whose meaning the tensors' names show.
  private static final Set<String> SILENT = Set.of("auto_mapping", "base_model_name_or_path", "exclude_modules",
      "inference_mode", "layers_pattern", "layers_to_transform", "lora_dropout", "megatron_core", "peft_version",
      "qalora_group_size", "revision", "task_type", "monteclora_config");
  private static final Set<String> READ = Set.of("peft_type", "r", "lora_alpha", "use_rslora", "use_dora",
      "target_modules", "rank_pattern", "alpha_pattern", "bias", "init_lora_weights", "target_parameters");
  private static final Set<String> STARTS = Set.of("true", "false", "gaussian", "orthogonal", "lora_only");
  private static final String FUSED = "attn.in_proj_weight";

  public PeftConfig {
    if (rank < 1) throw new IllegalArgumentException("an adapter of rank " + rank + ", expected 1 or more");
    if (!(alpha > 0)) throw new IllegalArgumentException("an adapter's alpha is " + alpha + ", expected more than 0");
    if (!Set.of("none", "lora_only").contains(bias))
      throw new IllegalArgumentException("bias " + bias + ", expected none or lora_only");
    targets = List.copyOf(targets);
    for (var e : ranks.entrySet())
      if (e.getValue() < 1) throw new IllegalArgumentException("rank " + e.getValue() + " for " + e.getKey());
  }

  /// Of one rank for all modules whose names end so.
  public static PeftConfig of(int rank, double alpha, boolean rooted, boolean dora, List<String> targets) {
    return new PeftConfig(rank, alpha, rooted, dora, targets, false, Map.of(), Map.of(), "none");
  }

  /// @throws IOException naming the file, the key, its value and what was expected, where it holds what is not known
  /// here
  public static PeftConfig read(Path file) throws IOException {
    var json = Json.read(file);
    try {
      return of(json);
    } catch (IllegalArgumentException | ClassCastException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  private static PeftConfig of(Map<String, ?> json) {
    if (!"LORA".equals(json.get("peft_type")))
      throw new IllegalArgumentException("peft_type is " + json.get("peft_type") + ", expected LORA");
    json.forEach((key, value) -> {
      if (!READ.contains(key) && !SILENT.contains(key) && set(value))
        throw new IllegalArgumentException(key + " is " + value + ": what that means is not known here");
    });
    if (set(json.get("init_lora_weights")) && !STARTS.contains(String.valueOf(json.get("init_lora_weights"))))
      throw new IllegalArgumentException("init_lora_weights is " + json.get("init_lora_weights")
          + ": such an adapter belongs to a base that was changed with it");
    if (set(json.get("target_parameters")))
      for (var p : (Collection<?>) json.get("target_parameters"))
        if (!String.valueOf(p).endsWith(FUSED))
          throw new IllegalArgumentException("target_parameters holds " + p + ", expected " + FUSED + " alone");
    var targets = json.get("target_modules");
    boolean pattern = targets instanceof String s && !s.equals("all-linear");
    var ranks = new LinkedHashMap<String, Integer>();
    entries(json, "rank_pattern").forEach((k, v) -> ranks.put(k, number(k, v).intValue()));
    var alphas = new LinkedHashMap<String, Double>();
    entries(json, "alpha_pattern").forEach((k, v) -> alphas.put(k, number(k, v).doubleValue()));
    return new PeftConfig(number("r", json.get("r")).intValue(), number("lora_alpha", json.get("lora_alpha"))
        .doubleValue(),
        Boolean.TRUE.equals(json.get("use_rslora")), Boolean.TRUE.equals(json.get("use_dora")),
        targets instanceof Collection<?> c ? c.stream().map(String::valueOf).sorted().toList()
            : targets == null ? List.of() : List.of(String.valueOf(targets)),
        pattern, ranks, alphas, json.get("bias") == null ? "none" : String.valueOf(json.get("bias")));
  }

  /// Whether a key says something.
  private static boolean set(Object value) {
    return switch (value) {
      case null -> false;
      case Boolean b -> b;
      case Collection<?> c -> !c.isEmpty();
      case Map<?, ?> m -> !m.isEmpty();
      case String s -> !s.isEmpty();
      default -> true;
    };
  }

  private static Map<String, ?> entries(Map<String, ?> json, String key) {
    var r = new LinkedHashMap<String, Object>();
    if (json.get(key) instanceof Map<?, ?> m) m.forEach((k, v) -> r.put(String.valueOf(k), v));
    return r;
  }

  private static Number number(String key, Object value) {
    if (value instanceof Number n) return n;
    throw new IllegalArgumentException(key + " is " + value + ", expected a number");
  }

  /// Whether a module has a pair.
  boolean targets(String module) {
    if (pattern) return matches(targets.getFirst(), module);
    return targets.contains("all-linear")
        || targets.stream().anyMatch(t -> module.equals(t) || module.endsWith("." + t));
  }

  int rank(String module) { return first(ranks, module, rank); }

  /// s of a module's pair.
  float scale(String module) {
    int r = rank(module);
    return (float) (first(alphas, module, alpha) / (rooted ? Math.sqrt(r) : r));
  }

  private static <T> T first(Map<String, T> patterns, String module, T otherwise) {
    return patterns.entrySet().stream().filter(e -> matches("(.*\\.)?(" + e.getKey() + ")", module)).findFirst()
        .map(Map.Entry::getValue).orElse(otherwise);
  }

  private static boolean matches(String pattern, String module) {
    try {
      return Pattern.matches(pattern, module);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException("\"" + pattern + "\" is no pattern: " + e.getDescription(), e);
    }
  }

  /// As PEFT reads it.
  ///
  /// @param base  what the adapter was trained on, in words
  /// @param fused whether there is a pair for a packed projection
  String json(String base, boolean fused) {
    var r = new ObjectMapper().createObjectNode();
    r.put("peft_type", "LORA").put("base_model_name_or_path", base).put("r", rank).put("lora_alpha", alpha)
        .put("use_rslora", rooted).put("use_dora", dora).put("bias", bias).put("lora_dropout", 0.0)
        .put("fan_in_fan_out", false).put("inference_mode", true).put("init_lora_weights", true);
    if (pattern) r.put("target_modules", targets.getFirst());
    else targets.forEach(r.putArray("target_modules")::add);
    var byRank = r.putObject("rank_pattern");
    ranks.forEach(byRank::put);
    var byAlpha = r.putObject("alpha_pattern");
    alphas.forEach(byAlpha::put);
    if (fused) r.putArray("target_parameters").add(FUSED);
    return r.toPrettyString() + "\n";
  }
}
