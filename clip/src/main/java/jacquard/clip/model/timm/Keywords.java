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

  private static IllegalArgumentException wrong(String key, Object value, String expected) {
    return new IllegalArgumentException("vision_cfg.timm_model_kwargs." + key + " is " + value + ", expected " + expected);
  }
}
