package jacquard.clip.model.modern;

import jacquard.clip.model.BlockConfig;
import jacquard.clip.model.TextConfig;
import jacquard.clip.model.TokenizerOptions;
import jacquard.clip.model.tower.TextInput;
import jacquard.clip.settings.Settings;
import jacquard.clip.settings.Settings.Flat;
import jacquard.clip.settings.Settings.Key;
import jacquard.clip.settings.Settings.Stated;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// OpenCLIP's modern text transformer (`text_arch` `modern`); what is empty was not given.
public record ModernTextConfig(@Stated @Key("text_arch") Arch arch, @Stated @Key("context_length") int context,
    @Stated @Key("vocab_size") int vocabulary, @Stated int width, @Stated int heads, @Stated int layers, double mlpRatio,
    boolean variableText, @Key("pad_id") int pad, OptionalInt bosId, OptionalInt eosId, @Key("pool_type") Pool pool,
    @Key("proj_type") Projection projection, @Key("proj_bias") boolean projectionBias, boolean outputTokens, @Flat BlockConfig options,
    @Flat TokenizerOptions tokens, @Flat Own own) implements TextConfig {
  public static final ModernTextConfig DEFAULTS = new ModernTextConfig(Arch.MODERN, 77, 49408, 512, 8, 12, 4, false, 0, OptionalInt.empty(),
      OptionalInt.empty(), Pool.ARGMAX, Projection.LINEAR, false, false, BlockConfig.DEFAULTS, TokenizerOptions.DEFAULTS, Own.DEFAULTS);

  /// The pooled token, the mean of all, or what a learned query takes of all (`map`).
  public enum Pool { ARGMAX, FIRST, LAST, EOS, NONE, MEAN, MAP }

  public enum Projection { LINEAR, NONE }

  /// What the modern architecture alone has.
  public record Own(Optional<String> attentionMode, Optional<String> posEmbed, OptionalDouble ropeTemperature, Optional<String> mlpType,
      Optional<String> normType, OptionalDouble normEps, Optional<Boolean> attnGated, Optional<Boolean> preNorm,
      Optional<String> normPlacement, Optional<Boolean> zeroInitResidual, OptionalInt regTokens, Optional<Boolean> valueResidual,
      Optional<Boolean> attentionBias, Optional<Boolean> mlpBias, Optional<Boolean> gateBias) {
    public static final Own DEFAULTS = new Own(Optional.empty(), Optional.empty(), OptionalDouble.empty(), Optional.empty(),
        Optional.empty(), OptionalDouble.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
        OptionalInt.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  public ModernTextConfig {
    Settings.atLeast("context_length", context, 1);
    Settings.atLeast("vocab_size", vocabulary, 1);
    Settings.atLeast("width", width, 1);
    Settings.atLeast("heads", heads, 1);
    Settings.atLeast("layers", layers, 1);
    Settings.atLeast("pad_id", pad, 0);
    if (!(mlpRatio > 0 && mlpRatio < 1000)) throw new IllegalArgumentException("mlp_ratio is " + mlpRatio + ", expected a positive ratio");
    if (width % heads != 0) throw new IllegalArgumentException("heads is " + heads + ", expected a divisor of the width " + width);
    if (pool == Pool.EOS && eosId.isEmpty()) throw new IllegalArgumentException("pool_type is eos: eos_id is missing");
  }

  @Override public ModernTextConfig defaults() { return DEFAULTS; }

  @Override public TextInput input() { return tokens.input(context, "clip"); }

  @Override public boolean custom() { return true; }
}
