package jacquard.clip.model;

import jacquard.clip.settings.Settings;

/// What OpenCLIP's own text towers ask of their sizes.
public final class TextChecks {
  private TextChecks() {}

  /// @throws IllegalArgumentException naming the key that is out of range
  public static void sizes(int context, int vocabulary, int width, int heads, int layers, int pad, double mlpRatio) {
    Settings.atLeast("context_length", context, 1);
    Settings.atLeast("vocab_size", vocabulary, 1);
    Settings.atLeast("width", width, 1);
    Settings.atLeast("heads", heads, 1);
    Settings.atLeast("layers", layers, 1);
    Settings.atLeast("pad_id", pad, 0);
    Settings.mlpRatio(mlpRatio);
    if (width % heads != 0)
      throw new IllegalArgumentException("heads is " + heads + ", expected a divisor of the width " + width);
  }

  /// @throws IllegalArgumentException if a tower without a projection has other channels than both towers end in
  public static void unprojected(int width, int embedding) {
    if (width != embedding)
      throw new IllegalArgumentException("text_cfg.proj_type is none: text_cfg.width " + width
          + " must equal embed_dim " + embedding);
  }
}
