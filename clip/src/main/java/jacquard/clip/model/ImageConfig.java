package jacquard.clip.model;

import jacquard.clip.model.genlip.PatchConfig;
import jacquard.clip.model.resnet.ResNetConfig;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.vit.VitConfig;
import jacquard.clip.settings.Settings;
import jacquard.tensor.Grid;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The image tower (`vision_cfg`): a record a family, each with its own keys. Which one it is, the keys themselves say:
/// `timm_model_name` a tower of the timm library, a list of `layers` a ResNet, `in_chans` the patches of a trunk; else
/// a vision transformer.
public sealed interface ImageConfig extends Settings.Kinds permits VitConfig, ResNetConfig, TimmConfig, PatchConfig {
  ImageConfig DEFAULTS = VitConfig.DEFAULTS;

  /// The defaults of the kind that `json` describes.
  static ImageConfig defaults(Map<String, ?> json) {
    if (json.get("timm_model_name") != null) return TimmConfig.DEFAULTS;
    if (json.get("in_chans") != null) return PatchConfig.DEFAULTS;
    return json.get("layers") instanceof List ? ResNetConfig.DEFAULTS : VitConfig.DEFAULTS;
  }

  @Override default List<String> elsewhere() { return List.of("timm_model_name"); }

  /// Height and width of its images, in pixels.
  Grid input();

  /// Why such a tower cannot be built in this model though its family is; empty if it can.
  default Optional<String> refused(ClipConfig clip) { return Optional.empty(); }

  /// Whether the tower yields its tokens too, which a decoder reads (CoCa).
  default boolean outputTokens() { return false; }

  /// @throws IllegalArgumentException if a key contradicts the channels that both towers end in
  default void check(int embedding) {}
}
