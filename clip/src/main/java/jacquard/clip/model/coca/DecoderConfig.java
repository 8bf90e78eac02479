package jacquard.clip.model.coca;

import jacquard.clip.settings.Settings;
import jacquard.clip.settings.Settings.Key;
import java.util.Map;
import java.util.OptionalDouble;

/// CoCa's decoder (`multimodal_cfg`), with OpenCLIP's defaults. Of its options OpenCLIP heeds width, heads, layers,
/// context and layer scale.
///
/// @param context tokens that it may be given
/// @param layerScale the start of a factor a channel; empty without
public record DecoderConfig(@Key("context_length") int context, int vocabSize, int width, int heads, int layers,
    double mlpRatio, int dimHead, int nQueries,
    int attnPoolerHeads, @Key("ls_init_value") OptionalDouble layerScale) {
  public static final DecoderConfig DEFAULTS =
      new DecoderConfig(77, 49408, 512, 8, 12, 4, 64, 256, 8, OptionalDouble.empty());

  public DecoderConfig {
    Settings.atLeast("context_length", context, 1);
    Settings.atLeast("layers", layers, 1);
    if (width < 1 || heads < 1 || width % heads != 0)
      throw new IllegalArgumentException("heads is " + heads + ", expected a divisor of the width " + width);
  }

  /// @throws IllegalArgumentException at an unknown key
  public static DecoderConfig of(Map<String, Object> section) {
    return Settings.read(DEFAULTS, section, "multimodal_cfg");
  }
}
