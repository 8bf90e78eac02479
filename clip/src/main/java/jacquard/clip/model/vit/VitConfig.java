package jacquard.clip.model.vit;

import jacquard.clip.model.BlockConfig;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ImageConfig;
import jacquard.clip.model.ImageSize;
import jacquard.clip.settings.Settings;
import jacquard.clip.settings.Settings.Flat;
import jacquard.clip.settings.Settings.Key;
import jacquard.clip.settings.Settings.Stated;
import jacquard.tensor.Grid;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/// OpenCLIP's vision transformer, with OpenCLIP's defaults.
///
/// @param size height and width in pixels
/// @param layers blocks
/// @param width channels
/// @param patchSize side of a patch in pixels
/// @param headWidth channels a head
/// @param mlpRatio MLP channels to width; their number is truncated
/// @param patchDropout the share of patches left out in training
/// @param pooler queries that attend to the tokens in place of pooling one
/// @param noPreNorm without the layer norm before the blocks
/// @param finalNormAfterPool the last layer norm after pooling, not before
/// @param outputTokens the tower yields its tokens too (CoCa)
public record VitConfig(@Stated @Key("image_size") ImageSize size, @Stated int layers, @Stated int width,
    @Stated OptionalInt patchSize,
    int headWidth, double mlpRatio, double patchDropout, @Key("attentional_pool") Pooler pooler,
    @Key("attn_pooler_queries") int poolerQueries, @Key("attn_pooler_heads") int poolerHeads,
        @Key("no_ln_pre") boolean noPreNorm,
    @Key("pos_embed_type") PositionEmbedding positionEmbedding, @Key("final_ln_after_pool") boolean finalNormAfterPool,
    @Key("pool_type") Pool pool, boolean outputTokens, @Flat BlockConfig options) implements ImageConfig {
  public static final VitConfig DEFAULTS = new VitConfig(new ImageSize(224, 224), 12, 768, OptionalInt.of(16), 64, 4,
      0, Pooler.NONE, 256,
      8, false, PositionEmbedding.LEARNABLE, false, Pool.TOKEN, false, BlockConfig.DEFAULTS);

  /// `attentional_pool`: false, true, `parallel` or `cascade`.
  public enum Pooler implements Settings.Form {
    NONE, SINGLE, PARALLEL, CASCADE;

    public static Pooler of(Object json) {
      if (json instanceof Boolean on) return on ? SINGLE : NONE;
      if ("parallel".equals(json)) return PARALLEL;
      if ("cascade".equals(json)) return CASCADE;
      throw new IllegalArgumentException("expected false, true, parallel or cascade");
    }

    @Override public Object json() {
      return switch (this) {
        case NONE -> false;
        case SINGLE -> true;
        case PARALLEL, CASCADE -> name().toLowerCase(Locale.ROOT);
      };
    }
  }

  /// Positions that are learned, or sines and cosines that stay.
  public enum PositionEmbedding { LEARNABLE, SIN_COS_2D }

  /// `pool_type`: the class token (`tok`), the mean of the patches (`avg`), or nothing.
  public enum Pool implements Settings.Form {
    TOKEN("tok"), AVERAGE("avg"), NONE("none");

    private final String json;

    Pool(String json) { this.json = json; }

    public static Pool of(Object json) {
      for (Pool p : values()) if (p.json.equals(json)) return p;
      throw new IllegalArgumentException("expected tok, avg or none");
    }

    @Override public Object json() { return json; }
  }

  public VitConfig {
    Settings.atLeast("layers", layers, 1);
    Settings.atLeast("width", width, 1);
    Settings.atLeast("head_width", headWidth, 1);
    Settings.atLeast("attn_pooler_queries", poolerQueries, 1);
    Settings.atLeast("attn_pooler_heads", poolerHeads, 1);
    Settings.mlpRatio(mlpRatio);
    if (!(patchDropout >= 0 && patchDropout < 1))
      throw new IllegalArgumentException("patch_dropout is " + patchDropout + ", expected 0 ≤ p < 1");
    int heads = width / headWidth;
    if (heads < 1 || width % heads != 0)
      throw new IllegalArgumentException("head_width is " + headWidth + ": " + heads
          + " heads do not divide a width of " + width);
    int p = patchSize.orElseThrow(() -> new IllegalArgumentException("patch_size is null, expected a side in pixels "
        + "(null is for ResNets)"));
    if (p < 1 || p > size.height() || p > size.width())
      throw new IllegalArgumentException("patch_size is " + p + ", expected a side within the image of " + size.json());
    if (positionEmbedding == PositionEmbedding.SIN_COS_2D && (size.height() / p != size.width() / p || width % 4 != 0))
      throw new IllegalArgumentException("pos_embed_type is sin_cos_2d: needs a square grid and a width divisible by "
          + "4");
  }

  @Override public void check(int embedding) {
    if (attentionalPool() && embedding % poolerHeads != 0)
      throw new IllegalArgumentException("vision_cfg.attn_pooler_heads is " + poolerHeads
          + ", expected a divisor of embed_dim "
          + embedding);
  }

  @Override public Optional<String> refused(ClipConfig clip) {
    if (pooler == Pooler.PARALLEL || pooler == Pooler.CASCADE)
      return Optional.of("attentional_pool " + pooler.name().toLowerCase(Locale.ROOT)
          + ": cannot be built in OpenCLIP either");
    if (pool == Pool.NONE) return Optional.of("pool_type none: gives tokens, not a feature");
    if (outputTokens && !clip.captions()) return Optional.of("output_tokens: only a CoCa decoder takes them");
    if (clip.quickGelu() && tanhGelu()) return Optional.of("quick_gelu: has no tanh approximation (act_kwargs)");
    return Optional.empty();
  }

  @Override public VitConfig defaults() { return DEFAULTS; }

  /// Attention heads: `width / head_width`.
  public int heads() { return width / headWidth; }

  /// MLP channels: `width·mlp_ratio`, truncated.
  public int mlpWidth() { return (int) (width * mlpRatio); }

  /// The side of a patch in pixels.
  public int patch() { return patchSize.orElseThrow(); }

  @Override public Grid input() { return size.grid(); }

  /// Patches; remainder pixels are dropped.
  public Grid grid() { return new Grid(size.height() / patch(), size.width() / patch()); }

  /// Whether queries attend to the tokens in place of pooling one.
  public boolean attentionalPool() { return pooler != Pooler.NONE; }

  /// Whether positions are sines and cosines, which are not trained.
  public boolean sinCos() { return positionEmbedding == PositionEmbedding.SIN_COS_2D; }

  public boolean tanhGelu() { return options.tanhGelu(); }

  /// The layer norms' epsilon.
  public float epsilon() { return (float) options.norm().eps(); }

  /// What a layer scale starts from; 0 without one.
  public double layerScale() { return options.layerScale().orElse(0); }
}
