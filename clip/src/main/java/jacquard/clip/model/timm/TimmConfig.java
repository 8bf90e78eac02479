package jacquard.clip.model.timm;

import jacquard.clip.model.ImageConfig;
import jacquard.clip.model.ImageSize;
import jacquard.clip.settings.Settings;
import jacquard.clip.settings.Settings.Flat;
import jacquard.clip.settings.Settings.Key;
import jacquard.tensor.Grid;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// An image tower of the timm library: `timm_model_name` names an architecture, whose sizes `timm_model_kwargs` may
/// change.
///
/// @param patchDropout the share of patches left out in training
/// @param imageSeqLen patches of a NaFlex tower
public record TimmConfig(@Settings.Stated @Key("image_size") ImageSize size, double patchDropout,
    @Flat(prefix = "timm_") Timm timm,
    OptionalInt imageSeqLen) implements ImageConfig, Settings.Terse {
  public static final TimmConfig DEFAULTS =
      new TimmConfig(new ImageSize(224, 224), 0, Timm.DEFAULTS, OptionalInt.empty());

  /// The `timm_…` options.
  ///
  /// @param pool how tokens become one: `avg`, `map`, `token` …; empty for the architecture's own way
  /// @param proj `linear` or `mlp`, a head of OpenCLIP's; `none`, the trunk's features as they are; null, the trunk's
  ///   own classifier
  public record Timm(Optional<String> modelName, boolean modelPretrained, String pool, Optional<String> proj,
      boolean projBias, double drop,
      Optional<Double> dropPath, Map<String, Object> modelKwargs) {
    public static final Timm DEFAULTS =
        new Timm(Optional.empty(), false, "avg", Optional.of("linear"), false, 0, Optional.empty(), Map.of());
  }

  public TimmConfig {
    if (!(patchDropout >= 0 && patchDropout < 1))
      throw new IllegalArgumentException("patch_dropout is " + patchDropout + ", expected 0 ≤ p < 1");
    if (!(timm.drop >= 0 && timm.drop < 1))
      throw new IllegalArgumentException("timm_drop is " + timm.drop + ", expected 0 ≤ p < 1");
    if (timm.dropPath.isPresent() && !(timm.dropPath.get() >= 0 && timm.dropPath.get() < 1))
      throw new IllegalArgumentException("timm_drop_path is " + timm.dropPath.get() + ", expected 0 ≤ p < 1");
  }

  /// The same with another keyword.
  public TimmConfig with(String keyword, Object value) {
    var all = new LinkedHashMap<>(timm.modelKwargs);
    all.put(keyword, value);
    var t = new Timm(timm.modelName, timm.modelPretrained, timm.pool, timm.proj, timm.projBias, timm.drop,
        timm.dropPath, all);
    return new TimmConfig(size, patchDropout, t, imageSeqLen);
  }

  @Override public TimmConfig defaults() { return DEFAULTS; }

  /// How often a branch of the last block is left out in training; of those before it less often.
  ///
  /// @param standard the architecture's own
  public double dropPath(double standard) { return timm.dropPath.orElse(standard); }

  /// The architecture's name.
  public String name() { return timm.modelName.orElse(""); }

  @Override public Grid input() { return size.grid(); }

  @Override public boolean terse() { return true; }
}
