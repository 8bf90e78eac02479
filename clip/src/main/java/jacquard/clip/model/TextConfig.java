package jacquard.clip.model;

import jacquard.clip.settings.Settings;
import jacquard.clip.settings.Settings.Flat;
import jacquard.clip.settings.Settings.Key;
import jacquard.clip.settings.Settings.Stated;
import jacquard.clip.text.ClipTokenizer;
import jacquard.clip.text.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// The text tower (`text_cfg`), with OpenCLIP's defaults.
///
/// @param arch `clip`, the transformer of CLIP, or `modern` (`text_arch`)
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
/// @param huggingFace the tower of the transformers library in its place
/// @param modern the options of the modern architecture, as they were given
public record TextConfig(@Key("text_arch") Arch arch, @Stated @Key("context_length") int context, @Stated @Key("vocab_size") int vocabulary,
    @Stated int width, @Stated int heads, @Stated int layers, double mlpRatio, boolean variableText, @Key("embed_cls") boolean classToken,
    @Key("pad_id") int pad, OptionalInt bosId, OptionalInt eosId, boolean noCausalMask,
        @Key("final_ln_after_pool") boolean finalNormAfterPool,
    @Key("pool_type") Pool pool, @Key("proj_type") Projection projection, @Key("proj_bias") boolean projectionBias, boolean outputTokens,
    @Flat BlockConfig options, @Flat Tokenizer tokens, @Flat(prefix = "hf_") HuggingFace huggingFace, @Flat Modern modern)
    implements Settings.Terse {
  public static final TextConfig DEFAULTS = new TextConfig(Arch.CLIP, 77, 49408, 512, 8, 12, 4, false, false, 0, OptionalInt.empty(),
      OptionalInt.empty(), false, false, Pool.ARGMAX, Projection.LINEAR, false, false, BlockConfig.DEFAULTS, Tokenizer.DEFAULTS,
      HuggingFace.DEFAULTS, Modern.DEFAULTS);

  public enum Arch { CLIP, MODERN }

  /// The pooled token: the first of the largest id, the first, the last, the first end of text, or none; `mean` and `map` are modern.
  public enum Pool { ARGMAX, FIRST, LAST, EOS, NONE, MEAN, MAP }

  public enum Projection { LINEAR, NONE }

  /// The tokeniser's options.
  public record Tokenizer(Optional<String> tokenizerType, Optional<String> hfTokenizerName, Optional<String> tiktokenName,
      Map<String, Object> tokenizerKwargs) {
    public static final Tokenizer DEFAULTS = new Tokenizer(Optional.empty(), Optional.empty(), Optional.empty(), Map.of());
  }

  /// The `hf_…` options.
  public record HuggingFace(Optional<String> modelName, boolean modelPretrained, Map<String, Object> modelConfig, String projType,
      String poolerType) {
    public static final HuggingFace DEFAULTS = new HuggingFace(Optional.empty(), true, Map.of(), "mlp", "mean_pooler");
  }

  /// The options of `text_arch: modern`; empty where not given.
  public record Modern(Optional<String> attentionMode, Optional<String> posEmbed, OptionalDouble ropeTemperature, Optional<String> mlpType,
      Optional<String> normType, OptionalDouble normEps, Optional<Boolean> attnGated, Optional<Boolean> preNorm,
      Optional<String> normPlacement, Optional<Boolean> zeroInitResidual, OptionalInt regTokens, Optional<Boolean> valueResidual,
      Optional<Boolean> attentionBias, Optional<Boolean> mlpBias, Optional<Boolean> gateBias) {
    public static final Modern DEFAULTS = new Modern(Optional.empty(), Optional.empty(), OptionalDouble.empty(), Optional.empty(),
        Optional.empty(), OptionalDouble.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
            OptionalInt.empty(),
        Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  public TextConfig {
    VisionConfig.atLeast("context_length", context, 1);
    VisionConfig.atLeast("vocab_size", vocabulary, 1);
    VisionConfig.atLeast("width", width, 1);
    VisionConfig.atLeast("heads", heads, 1);
    VisionConfig.atLeast("layers", layers, 1);
    VisionConfig.atLeast("pad_id", pad, 0);
    if (!(mlpRatio > 0 && mlpRatio < 1000)) throw new IllegalArgumentException("mlp_ratio is " + mlpRatio + ", expected a positive ratio");
    if (huggingFace.modelName.isEmpty()) {
      if (width % heads != 0) throw new IllegalArgumentException("heads is " + heads + ", expected a divisor of the width " + width);
      if (pool == Pool.EOS && eosId.isEmpty()) throw new IllegalArgumentException("pool_type is eos: eos_id is missing");
      if (arch == Arch.CLIP && !modern.equals(Modern.DEFAULTS))
        throw new IllegalArgumentException(
            "text_arch is clip: only modern has the options " + Settings.write(modern, Modern.DEFAULTS).keySet());
      if (arch == Arch.CLIP && (pool == Pool.MEAN || pool == Pool.MAP))
        throw new IllegalArgumentException("pool_type is " + pool.name().toLowerCase(Locale.ROOT) + ": only text_arch modern has it");
    }
  }

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

  /// Whether it is OpenCLIP's own CLIP transformer.
  public boolean builtIn() { return huggingFace.modelName.isEmpty() && arch == Arch.CLIP && !variableText; }

  /// The tokeniser that this tower's captions need: `clip` for CLIP's byte-pair encoding, else its name on the hub or among tiktoken's.
  public String tokenizer() {
    return tokens.hfTokenizerName.or(() -> tokens.tiktokenName).or(() -> tokens.tokenizerType).or(huggingFace::modelName).orElse("clip");
  }

  /// CLIP's tokenizer as `tokenizer_kwargs` set it.
  ///
  /// @throws IllegalArgumentException if captions need another tokenizer, or at an unknown option
  public ClipTokenizer captions() {
    if (!tokenizer().equals("clip")) throw new IllegalArgumentException("this model needs the tokenizer " + tokenizer() + ", which is not built yet");
    return ClipTokenizer.of(tokens.tokenizerKwargs);
  }

  /// The tokenizer that this tower's captions need, from a folder with its files (see [TokenizerFiles]).
  ///
  /// @throws IOException naming the file, if it is missing or cannot be read
  public jacquard.clip.text.Tokenizer captions(Path folder) throws IOException { return TokenizerFiles.of(folder, tokenizer(), tokens.tokenizerKwargs); }

  @Override public boolean terse() { return huggingFace.modelName.isPresent(); }
}
