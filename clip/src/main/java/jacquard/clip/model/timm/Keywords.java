package jacquard.clip.model.timm;

import java.util.List;
import java.util.Optional;

/// `timm_model_kwargs`: what they change of an architecture.
public record Keywords(TimmConfig config) {
  /// Says which keyword is none of `known`; empty if none.
  public static Optional<String> unknown(TimmConfig config, List<String> known) {
    return config.timm().modelKwargs().keySet().stream().filter(k -> !known.contains(k)).findFirst()
        .map(k -> "timm_model_kwargs." + k + " of " + config.name());
  }

  /// Says why a tower whose last feature map is averaged cannot end as the config has it; empty if it can.
  public static Optional<String> averages(TimmConfig config) {
    var pool = config.timm().pool();
    boolean headed = config.timm().proj().filter(p -> p.equals("linear") || p.equals("mlp")).isPresent();
    return pool.equals("avg") || pool.isEmpty() && headed ? Optional.empty()
        : Optional.of("timm_pool \"" + pool + "\" of " + config.name());
  }

  /// A whole number above 0.
  public int whole(String key, int standard) {
    var v = config.timm().modelKwargs().get(key);
    if (v == null) return standard;
    if (v instanceof Integer n && n > 0) return n;
    throw wrong(key, v, "a whole number above 0");
  }

  /// A number above 0.
  public double number(String key, double standard) {
    var v = config.timm().modelKwargs().get(key);
    if (v == null) return standard;
    if (v instanceof Number n && n.doubleValue() > 0 && n.doubleValue() < 1000) return n.doubleValue();
    throw wrong(key, v, "a number above 0");
  }

  /// Whole numbers above 0, `count` of them, or any number but none where that is 0.
  public List<Integer> wholes(String key, List<Integer> standard, int count) {
    var v = config.timm().modelKwargs().getOrDefault(key, standard);
    if (v instanceof List<?> l && !l.isEmpty() && (count == 0 || l.size() == count)
        && l.stream().allMatch(n -> n instanceof Integer i && i > 0))
      return l.stream().map(n -> (Integer) n).toList();
    throw wrong(key, v, "a list of " + (count == 0 ? "" : count + " ") + "whole numbers above 0");
  }

  /// True or false; false where absent.
  public boolean truth(String key) {
    var v = config.timm().modelKwargs().getOrDefault(key, false);
    if (v instanceof Boolean b) return b;
    throw wrong(key, v, "true or false");
  }

  private static IllegalArgumentException wrong(String key, Object value, String expected) {
    return new IllegalArgumentException("vision_cfg.timm_model_kwargs." + key + " is " + value + ", expected "
        + expected);
  }
}
