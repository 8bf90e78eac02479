package jacquard.clip.model;

import jacquard.clip.settings.Settings.Key;
import java.util.OptionalDouble;

/// What both native towers may vary in their transformer blocks, with OpenCLIP's defaults.
///
/// A block is `x + ls1(attn(ln1(x)))`, then `x + ls2(mlp(ln2(x)))`.
///
/// @param gelu which form of GELU the MLP has (`act_kwargs`)
/// @param norm the layer norms' options (`norm_kwargs`)
/// @param layerScale the start value of `ls1` and `ls2`, a factor a channel; empty without (`ls_init_value`)
/// @param blockType `custom` asks for the block with the options below; each of them implies it
/// @param queryKeyNorm a layer norm on queries and keys, head by head
/// @param cosine cosine similarity with a learned scale a head in place of `q·k / √d`
/// @param scaleHeads a learned factor a head after attention
/// @param innerNorm a layer norm before the output projection of attention
/// @param attentionNorm a layer norm after it
/// @param mlpNorm a layer norm after the MLP's activation
public record BlockConfig(@Key("act_kwargs") Gelu gelu, @Key("norm_kwargs") Norm norm,
    @Key("ls_init_value") OptionalDouble layerScale,
    BlockType blockType, @Key("qk_norm") boolean queryKeyNorm, @Key("scaled_cosine_attn") boolean cosine,
        boolean scaleHeads,
    @Key("scale_attn_inner") boolean innerNorm, @Key("scale_attn") boolean attentionNorm,
        @Key("scale_fc") boolean mlpNorm) {
  public static final BlockConfig DEFAULTS = new BlockConfig(new Gelu(Approximation.NONE), new Norm(1e-5),
      OptionalDouble.empty(),
      BlockType.DEFAULT, false, false, false, false, false, false);

  /// The plain block, or the one with options.
  public enum BlockType { DEFAULT, CUSTOM }

  /// GELU with the error function, or `½x(1 + tanh(√(2/π)(x + 0.044715x³)))`.
  public record Gelu(Approximation approximate) {}

  /// None, or by the hyperbolic tangent.
  public enum Approximation { NONE, TANH }

  /// A layer norm divides by `√(variance + eps)`.
  public record Norm(double eps) {
    public Norm {
      if (!(eps > 0 && eps < 1)) throw new IllegalArgumentException("eps is " + eps + ", expected between 0 and 1");
    }
  }

  public boolean tanhGelu() { return gelu.approximate == Approximation.TANH; }

  /// Whether the block has any option that OpenCLIP's plain block lacks.
  public boolean custom() {
    return blockType == BlockType.CUSTOM || queryKeyNorm || cosine || scaleHeads || innerNorm || attentionNorm
        || mlpNorm;
  }
}
