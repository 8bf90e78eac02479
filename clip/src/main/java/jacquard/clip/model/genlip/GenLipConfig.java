package jacquard.clip.model.genlip;

import jacquard.clip.settings.Settings;
import jacquard.clip.settings.Settings.Key;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/// GenLIP's trunk (`genlip_cfg`), with OpenCLIP's defaults.
///
/// @param textWidth channels of words before they enter the trunk, and after they leave it
/// @param sections how many channel pairs of a head turn by time, by row and by column
/// @param theta the base of the angles
/// @param layerScale what the factors a channel begin from; empty or 0 without
/// @param dropPath how often a sample skips a branch of a block in training
/// @param gated whether attention's output is weighted by σ of a second half of the queries' projection
/// @param swiglu whether the MLP is gated
/// @param interleaved whether the axes take turns among the pairs; else all turn by time
/// @param packed whether the first word is foretold by the last patch; else by the last place that the batch has for
/// patches
/// @param longest the largest position that was meant; says nothing here
/// @param norm `layernorm` or `rmsnorm`
/// @param queryKeyNorm norms of queries and keys per head
public record GenLipConfig(int width, int depth, @Key("num_heads") int heads, @Key("intermediate_size") int hidden,
    @Key("text_embed_dim") int textWidth,
    @Key("mrope_section") List<Integer> sections, @Key("rope_theta") double theta,
        @Key("ls_init_value") OptionalDouble layerScale,
    @Key("drop_path_rate") double dropPath, @Key("gated_attention") boolean gated,
        @Key("use_swiglu_ffn") boolean swiglu,
    @Key("mrope_interleaved") boolean interleaved, @Key("hidden_act") Act activation,
        @Key("layer_norm_eps") double epsilon,
    @Key("max_position_embeddings") int longest, @Key("pack_prefix") boolean packed, @Key("norm_type") NormType norm,
        @Key("qk_norm") boolean queryKeyNorm,
    boolean attentionBias, boolean mlpBias) {
  public static final GenLipConfig DEFAULTS = new GenLipConfig(1152, 27, 16, 3072, 1024, List.of(12, 12, 12), 1e4,
      OptionalDouble.of(0.1), 0, true, true, true,
      Act.SILU, 1e-6, 16384, false, NormType.LAYERNORM, false, false, false);

  /// The activation of an MLP.
  public enum Act { SILU, GELU, RELU }

  /// The norms of blocks.
  public enum NormType { LAYERNORM, RMSNORM }

  public GenLipConfig {
    Settings.atLeast("depth", depth, 1);
    Settings.atLeast("intermediate_size", hidden, 1);
    Settings.atLeast("text_embed_dim", textWidth, 1);
    if (width < 1 || heads < 1 || width % heads != 0) throw new IllegalArgumentException("num_heads is " + heads
        + ", expected a divisor of the width " + width);
    if (sections.size() != 3 || sections.stream().mapToInt(s -> s).sum() * 2 != width / heads || sections.stream()
        .anyMatch(s -> s < 0))
      throw new IllegalArgumentException("mrope_section is " + sections
          + ", expected three numbers whose sum is half of a head's " + width / heads + " channels");
    if (!(dropPath >= 0 && dropPath < 1)) throw new IllegalArgumentException("drop_path_rate is " + dropPath
        + ", expected 0 or more and below 1");
  }

  /// @throws IllegalArgumentException at an unknown key, or a value that cannot be
  static GenLipConfig of(Map<String, Object> section) { return Settings.read(DEFAULTS, section, "genlip_cfg"); }

  int head() { return width / heads; }

  /// The axis that turns a pair of a head's channels: 0 time, 1 row, 2 column.
  int axis(int pair) {
    int axis = pair % 3;
    return interleaved && axis > 0 && pair < 3 * sections.get(axis) ? axis : 0;
  }

  double frequency(int pair) { return Math.pow(theta, -2.0 * pair / head()); }
}
