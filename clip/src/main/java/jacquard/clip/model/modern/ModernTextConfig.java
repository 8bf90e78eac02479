package jacquard.clip.model.modern;

import jacquard.clip.model.BlockConfig;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.TextChecks;
import jacquard.clip.model.TextConfig;
import jacquard.clip.model.TokenizerOptions;
import jacquard.clip.model.tower.TextInput;
import jacquard.clip.settings.Settings.Flat;
import jacquard.clip.settings.Settings.Key;
import jacquard.clip.settings.Settings.Stated;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// OpenCLIP's modern text transformer (`text_arch` `modern`); what is empty was not given.
public record ModernTextConfig(@Stated @Key("text_arch") Arch arch, @Stated @Key("context_length") int context,
    @Stated @Key("vocab_size") int vocabulary, @Stated int width, @Stated int heads, @Stated int layers,
        double mlpRatio,
    boolean variableText, @Key("pad_id") int pad, OptionalInt bosId, OptionalInt eosId, @Key("pool_type") Pool pool,
    @Key("proj_type") Projection projection, @Key("proj_bias") boolean projectionBias, boolean outputTokens,
        @Flat BlockConfig options,
    @Flat TokenizerOptions tokens, @Flat Own own) implements TextConfig {
  public static final ModernTextConfig DEFAULTS = new ModernTextConfig(Arch.MODERN, 77, 49408, 512, 8, 12, 4, false, 0,
      OptionalInt.empty(),
      OptionalInt.empty(), Pool.ARGMAX, Projection.LINEAR, false, false, BlockConfig.DEFAULTS,
          TokenizerOptions.DEFAULTS, Own.DEFAULTS);

  /// The pooled token, the mean of all, or what a learned query takes of all (`map`).
  public enum Pool { ARGMAX, FIRST, LAST, EOS, NONE, MEAN, MAP }

  /// To the embedding: a matrix, or nothing.
  public enum Projection { LINEAR, NONE }

  /// What the modern architecture alone has.
  public record Own(Optional<String> attentionMode, Optional<String> posEmbed, OptionalDouble ropeTemperature,
      Optional<String> mlpType,
      Optional<String> normType, OptionalDouble normEps, Optional<Boolean> attnGated, Optional<Boolean> preNorm,
      Optional<String> normPlacement, Optional<Boolean> zeroInitResidual, OptionalInt regTokens,
          Optional<Boolean> valueResidual,
      Optional<Boolean> attentionBias, Optional<Boolean> mlpBias, Optional<Boolean> gateBias) {
    public static final Own DEFAULTS = new Own(Optional.empty(), Optional.empty(), OptionalDouble.empty(),
        Optional.empty(),
        Optional.empty(), OptionalDouble.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
            Optional.empty(),
        OptionalInt.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  public ModernTextConfig {
    TextChecks.sizes(context, vocabulary, width, heads, layers, pad, mlpRatio);
    if (pool == Pool.EOS && eosId.isEmpty()) throw new IllegalArgumentException("pool_type is eos: eos_id is missing");
  }

  @Override public void check(int embedding) {
    if (projection == Projection.NONE) TextChecks.unprojected(width, embedding);
  }

  @Override public Optional<String> refused(ClipConfig clip) {
    if (outputTokens) return Optional.of("output_tokens: only a CoCa decoder takes them");
    if (pool == Pool.FIRST || pool == Pool.LAST || pool == Pool.NONE)
      return Optional.of("pool_type " + pool.name().toLowerCase(Locale.ROOT)
          + " of text_arch modern: cannot be built in OpenCLIP either");
    if (poolsOne() && eosId.isEmpty()) return Optional.of("pool_type argmax of text_arch modern: eos_id is missing");
    if (rotated() && width / heads % 2 != 0)
      return Optional.of("pos_embed rope: heads of " + width / heads + " channels, an odd number");
    return one("attention_mode", own.attentionMode, "causal", "bidirectional")
        .or(() -> one("pos_embed", own.posEmbed, "rope", "none", ""))
        .or(() -> one("mlp_type", own.mlpType, "swiglu", "mlp", "relu2"))
            .or(() -> one("norm_type", own.normType, "rmsnorm", "layernorm"))
        .or(() -> one("norm_placement", own.normPlacement, "pre", "sandwich"));
  }

  private static Optional<String> one(String key, Optional<String> value, String... known) {
    return value.filter(v -> !List.of(known).contains(v)).map(v -> key + " " + v + " (known: " + String.join(", "
        + "", known) + ")");
  }

  boolean causal() { return own.attentionMode.orElse("causal").equals("causal"); }

  boolean rotated() { return own.posEmbed.orElse("rope").equals("rope"); }

  double temperature() { return own.ropeTemperature.orElse(10000); }

  boolean swiglu() { return own.mlpType.orElse("swiglu").equals("swiglu"); }

  boolean squared() { return own.mlpType.orElse("").equals("relu2"); }

  boolean layerNorm() { return own.normType.orElse("").equals("layernorm"); }

  float epsilon() { return (float) own.normEps.orElse(1e-6); }

  boolean gated() { return own.attnGated.orElse(false); }

  boolean preNorm() { return own.preNorm.orElse(false); }

  boolean sandwich() { return own.normPlacement.orElse("pre").equals("sandwich"); }

  boolean zeroResidual() { return own.zeroInitResidual.orElse(false); }

  int registers() { return Math.max(0, own.regTokens.orElse(0)); }

  boolean valueResidual() { return own.valueResidual.orElse(false); }

  boolean attentionBias() { return own.attentionBias.orElse(false); }

  boolean mlpBias() { return own.mlpBias.orElse(false); }

  boolean gateBias() { return own.gateBias.orElse(attentionBias()); }

  /// Whether the pooled row is one of the caption's: its end of text.
  boolean poolsOne() { return pool == Pool.ARGMAX || pool == Pool.EOS; }

  @Override public ModernTextConfig defaults() { return DEFAULTS; }

  @Override public TextInput input() { return tokens.input(context, "clip"); }

  @Override public int vocabularySize() { return vocabulary; }

  @Override public boolean custom() { return true; }
}
