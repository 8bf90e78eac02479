package jacquard.clip.model;

import jacquard.clip.settings.Settings;
import jacquard.clip.settings.Settings.Flat;
import jacquard.clip.settings.Settings.Key;
import jacquard.clip.settings.Settings.Stated;
import jacquard.tensor.Grid;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// The image tower (`vision_cfg`), with OpenCLIP's defaults: a vision transformer, or a ModifiedResNet where `layers` lists four stages.
///
/// @param counts blocks of the transformer, or blocks of the four stages
/// @param width channels of the transformer, or of the ResNet's stem
/// @param headWidth channels a head
/// @param mlpRatio MLP channels to width; their number is truncated
/// @param patchSize side of a patch in pixels; empty for a ResNet
/// @param size height and width in pixels
/// @param patchDropout the share of patches left out in training
/// @param pooler queries that attend to the tokens in place of pooling one
/// @param noPreNorm without the layer norm before the blocks
/// @param finalNormAfterPool the last layer norm after pooling, not before
/// @param outputTokens the tower yields its tokens too (CoCa)
/// @param timm the tower of the timm library in its place; native where it names none
/// @param imageSeqLen patches of a NaFlex tower
/// @param inChans channels of a NaFlex tower's image
public record VisionConfig(@Stated @Key("image_size") ImageSize size, @Stated @Key("layers") Layers counts, @Stated int width,
    @Stated OptionalInt patchSize, int headWidth, double mlpRatio, double patchDropout, @Key("attentional_pool") Pooler pooler,
    @Key("attn_pooler_queries") int poolerQueries, @Key("attn_pooler_heads") int poolerHeads, @Key("no_ln_pre") boolean noPreNorm,
    @Key("pos_embed_type") PositionEmbedding positionEmbedding, @Key("final_ln_after_pool") boolean finalNormAfterPool,
    @Key("pool_type") Pool pool, boolean outputTokens, @Flat BlockConfig options, @Flat(prefix = "timm_") Timm timm,
        OptionalInt imageSeqLen,
    OptionalInt inChans) implements Settings.Terse {
  public static final VisionConfig DEFAULTS = new VisionConfig(new ImageSize(224, 224), new Layers(List.of(12)), 768, OptionalInt.of(16),
      64, 4, 0, Pooler.NONE, 256, 8, false, PositionEmbedding.LEARNABLE, false, Pool.TOKEN, false, BlockConfig.DEFAULTS,
      Timm.DEFAULTS, OptionalInt.empty(), OptionalInt.empty());

  /// Height and width; JSON has one number for a square, else `[height, width]`.
  public record ImageSize(int height, int width) implements Settings.Form {
    public static ImageSize of(Object json) {
      if (json instanceof Integer side && side > 0) return new ImageSize(side, side);
      if (json instanceof List<?> list && list.size() == 2 && list.get(0) instanceof Integer h && list.get(1) instanceof Integer w
          && h > 0 && w > 0)
        return new ImageSize(h, w);
      throw new IllegalArgumentException("expected a side in pixels or [height, width]");
    }

    @Override public Object json() { return height == width ? (Object) height : List.of(height, width); }

    public boolean square() { return height == width; }
  }

  /// One count for a transformer, four for a ResNet.
  public record Layers(List<Integer> counts) implements Settings.Form {
    public static Layers of(Object json) {
      if (json instanceof Integer n && n > 0) return new Layers(List.of(n));
      if (json instanceof List<?> list && list.size() == 4 && list.stream().allMatch(n -> n instanceof Integer i && i > 0))
        return new Layers(list.stream().map(n -> (Integer) n).toList());
      throw new IllegalArgumentException("expected a number of blocks, or a list of four for a ResNet");
    }

    public Layers {
      if (counts.size() != 1 && counts.size() != 4) throw new IllegalArgumentException("layers are " + counts + ", expected one or four");
      counts = List.copyOf(counts);
    }

    @Override public Object json() { return counts.size() == 1 ? (Object) counts.getFirst() : counts; }
  }

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

  /// The `timm_…` options.
  public record Timm(Optional<String> modelName, boolean modelPretrained, String pool, Optional<String> proj, boolean projBias, double drop,
      Optional<Double> dropPath, Map<String, Object> modelKwargs) {
    public static final Timm DEFAULTS = new Timm(Optional.empty(), false, "avg", Optional.of("linear"), false, 0, Optional.empty(),
        Map.of());
  }

  public VisionConfig {
    atLeast("width", width, 1);
    atLeast("head_width", headWidth, 1);
    atLeast("attn_pooler_queries", poolerQueries, 1);
    atLeast("attn_pooler_heads", poolerHeads, 1);
    if (!(mlpRatio > 0 && mlpRatio < 1000)) throw new IllegalArgumentException("mlp_ratio is " + mlpRatio + ", expected a positive ratio");
    if (!(patchDropout >= 0 && patchDropout < 1))
      throw new IllegalArgumentException("patch_dropout is " + patchDropout + ", expected 0 ≤ p < 1");
    if (timm.modelName.isEmpty()) {
      boolean resnet = counts.counts.size() == 4;
      int heads = (int) ((resnet ? 32L * width : width) / headWidth);
      if (heads < 1 || (resnet ? 32L * width : width) % heads != 0)
        throw new IllegalArgumentException("head_width is " + headWidth + ": " + heads + " heads do not divide a width of " + width);
      if (resnet && (!size.square() || size.height < 32 || width % 2 != 0))
        throw new IllegalArgumentException("layers are " + counts.counts
            + ": a ResNet needs an even width and a square image of at least 32 pixels, found " + width + " and " + size.json());
      if (!resnet) checkPatches(size, patchSize, positionEmbedding, width);
    }
  }

  private static void checkPatches(ImageSize image, OptionalInt patch, PositionEmbedding position, int width) {
    int p = patch.orElseThrow(() -> new IllegalArgumentException("patch_size is null, expected a side in pixels (null is for ResNets)"));
    if (p < 1 || p > image.height || p > image.width)
      throw new IllegalArgumentException("patch_size is " + p + ", expected a side within the image of " + image.json());
    if (position == PositionEmbedding.SIN_COS_2D && (image.height / p != image.width / p || width % 4 != 0))
      throw new IllegalArgumentException("pos_embed_type is sin_cos_2d: needs a square grid and a width divisible by 4");
  }

  static void atLeast(String key, int value, int least) {
    if (value < least) throw new IllegalArgumentException(key + " is " + value + ", expected at least " + least);
  }

  /// Blocks: one number for a transformer, one of each of four stages for a ResNet.
  public List<Integer> layers() { return counts.counts; }

  /// Whether it is a ModifiedResNet.
  public boolean resnet() { return layers().size() == 4; }

  /// Attention heads: `width / head_width`; for a ResNet those of its attention pool, `32·width / head_width`.
  public int heads() { return (int) ((resnet() ? 32L * width : width) / headWidth); }

  /// MLP channels: `width·mlp_ratio`, truncated.
  public int mlpWidth() { return (int) (width * mlpRatio); }

  /// The side of a patch in pixels; for a ResNet that of the square that a row of its last feature map covers.
  public int patch() { return resnet() ? 32 : patchSize.orElseThrow(); }

  /// The image's pixels.
  public Grid image() { return new Grid(size.height, size.width); }

  /// Patches, or rows of the last feature map; remainder pixels are dropped.
  public Grid grid() { return new Grid(size.height / patch(), size.width / patch()); }

  /// Whether queries attend to the tokens in place of pooling one.
  public boolean attentionalPool() { return pooler != Pooler.NONE; }

  /// Whether positions are sines and cosines, which are not trained.
  public boolean sinCos() { return positionEmbedding == PositionEmbedding.SIN_COS_2D; }

  public boolean tanhGelu() { return options.tanhGelu(); }

  /// The layer norms' epsilon.
  public float epsilon() { return (float) options.norm().eps(); }

  /// What a layer scale starts from; 0 without one.
  public double layerScale() { return options.layerScale().orElse(0); }

  /// Whether it is one of OpenCLIP's own towers, not timm's.
  public boolean builtIn() { return timm.modelName.isEmpty(); }

  @Override public boolean terse() { return !builtIn(); }
}
