package jacquard.clip.model.text;

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
import java.util.Optional;
import java.util.OptionalInt;

/// CLIP's text transformer, with OpenCLIP's defaults.
///
/// @param arch `clip`
/// @param context tokens a caption, pads included
/// @param vocabulary token ids, from 0
/// @param mlpRatio MLP channels to width; their number is truncated
/// @param variableText captions of different length in a batch
/// @param classToken a learned class token behind the others, which is pooled (CoCa)
/// @param pad the id that fills a caption up
/// @param bosId the id of the start of text
/// @param eosId the id of the end of text; pool `eos` needs it
/// @param noCausalMask every token attends to all
/// @param finalNormAfterPool the last layer norm after pooling, not before
/// @param pool which token is the caption's (`pool_type`)
/// @param projection linear to the embedding, or none, where the width is the embedding's (`proj_type`)
/// @param projectionBias a bias in that projection
/// @param outputTokens the tower yields its tokens too (CoCa)
/// @param tokens which tokeniser makes the ids
public record ClipTextConfig(@Key("text_arch") Arch arch, @Stated @Key("context_length") int context,
    @Stated @Key("vocab_size") int vocabulary, @Stated int width, @Stated int heads, @Stated int layers,
        double mlpRatio,
    boolean variableText, @Key("embed_cls") boolean classToken, @Key("pad_id") int pad, OptionalInt bosId,
        OptionalInt eosId,
    boolean noCausalMask, @Key("final_ln_after_pool") boolean finalNormAfterPool, @Key("pool_type") Pool pool,
    @Key("proj_type") Projection projection, @Key("proj_bias") boolean projectionBias, boolean outputTokens,
        @Flat BlockConfig options,
    @Flat TokenizerOptions tokens) implements TextConfig {
  public static final ClipTextConfig DEFAULTS = new ClipTextConfig(Arch.CLIP, 77, 49408, 512, 8, 12, 4, false, false, 0,
      OptionalInt.empty(), OptionalInt.empty(), false, false, Pool.ARGMAX, Projection.LINEAR, false, false,
          BlockConfig.DEFAULTS,
      TokenizerOptions.DEFAULTS);

  /// The pooled token: the first of the largest id, the first, the last, the first end of text, or none.
  public enum Pool { ARGMAX, FIRST, LAST, EOS, NONE }

  /// To the embedding: a matrix, or nothing.
  public enum Projection { LINEAR, NONE }

  public ClipTextConfig {
    TextChecks.sizes(context, vocabulary, width, heads, layers, pad, mlpRatio);
    if (pool == Pool.EOS && eosId.isEmpty()) throw new IllegalArgumentException("pool_type is eos: eos_id is missing");
  }

  @Override public void check(int embedding) {
    if (projection == Projection.NONE) TextChecks.unprojected(width, embedding);
  }

  @Override public Optional<String> refused(ClipConfig clip) {
    if (variableText) return Optional.of("captions of variable length (variable_text)");
    if (pool == Pool.NONE) return Optional.of("pool_type none: gives tokens, not a feature");
    if (outputTokens && !clip.captions()) return Optional.of("output_tokens: only a CoCa decoder takes them");
    if (classToken && !clip.customText()) return Optional.of("embed_cls: needs custom_text");
    if (clip.quickGelu() && tanhGelu()) return Optional.of("quick_gelu: has no tanh approximation (act_kwargs)");
    return Optional.empty();
  }

  @Override public ClipTextConfig defaults() { return DEFAULTS; }

  @Override public List<String> elsewhere() { return List.of("hf_model_name", "and with text_arch modern more"); }

  @Override public TextInput input() { return tokens.input(context, "clip"); }

  @Override public int vocabularySize() { return vocabulary; }

  @Override public boolean custom() { return variableText; }

  /// MLP channels: `width·mlp_ratio`, truncated.
  public int mlpWidth() { return (int) (width * mlpRatio); }

  /// Whether a token attends only to itself and those before.
  public boolean causal() { return !noCausalMask; }

  /// Whether the pooled token is projected to the embedding.
  public boolean projected() { return projection == Projection.LINEAR; }

  /// The id of the end of text, for the pool that looks for it.
  public int end() { return eosId.orElseThrow(() -> new IllegalStateException("text_cfg.eos_id is missing")); }

  public boolean tanhGelu() { return options.tanhGelu(); }

  /// The layer norms' epsilon.
  public float epsilon() { return (float) options.norm().eps(); }

  /// What a layer scale starts from; 0 without one.
  public double layerScale() { return options.layerScale().orElse(0); }
}
