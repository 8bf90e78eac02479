package jacquard.clip.model.timm.naflex;

import jacquard.clip.model.timm.Keywords;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.nn.Resampling;
import jacquard.tensor.Grid;
import jacquard.tensor.op.Activation;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A NaFlex ViT, as its name and `timm_model_kwargs` say it.
///
/// @param patch side of a patch in pixels
/// @param classToken whether a learned row stands first, which is pooled; then a norm comes before the blocks and
/// patches have no bias
/// @param registers learned rows before the patches, which lie nowhere
/// @param layerScale what the layer scales start from; 0 without
/// @param grid cells of the table of positions
/// @param resampling how positions of other grids come of it
/// @param latent whether a learned query pools, of an MLP of `poolRatio`; else the mean, and the last norm comes after
///   it
/// @param gated whether the blocks have gated MLPs
record Architecture(int width, int depth, int heads, int patch, double mlpRatio, boolean qkvBias, double layerScale,
    int registers, Activation activation,
    Grid grid, Resampling resampling, boolean latent, double poolRatio, boolean gated, boolean classToken) {
  /// The name under which OpenCLIP makes its own ViT a NaFlex one, with `use_naflex` among the keywords.
  static final String FORCED = "vit_base_patch16_clip_224";
  private static final List<String> FORCED_KEYWORDS = List.of("img_size", "use_naflex", "patch_size", "embed_dim",
      "depth", "num_heads", "mlp_ratio", "class_token", "reg_tokens", "global_pool", "pool_include_prefix", "pos_embed",
      "pos_embed_grid_size", "pre_norm", "final_norm", "fc_norm", "embed_proj_type", "enable_patch_interpolator",
      "qkv_bias", "proj_bias", "act_layer", "init_values");
  private static final List<String> KEYWORDS =
      List.of("embed_dim", "depth", "num_heads", "patch_size", "mlp_ratio", "pos_embed_grid_size", "swiglu_mlp",
      "attn_pool_mlp_ratio", "init_values", "reg_tokens", "enable_patch_interpolator");

  private static final Grid GRID = new Grid(16, 16);
  private static final Map<String, Architecture> KNOWN = Map.of(
      "naflexvit_base_patch16_gap",
      new Architecture(768, 12, 12, 16, 4, true, 1e-5, 4, Activation.GELU, GRID, Resampling.CUBIC, false, 0, false,
          false),
      "naflexvit_base_patch16_map",
      new Architecture(768, 12, 12, 16, 4, true, 1e-5, 1, Activation.GELU, GRID, Resampling.CUBIC, true, 0, false,
          false),
      "naflexvit_so150m2_patch16_reg1_gap", new Architecture(832, 21, 13, 16, 34 / 13.0, false, 1e-5, 1,
      Activation.GELU, GRID, Resampling.CUBIC, false, 0, false, false),
      "naflexvit_so150m2_patch16_reg1_map", new Architecture(832, 21, 13, 16, 34 / 13.0, false, 1e-5, 1,
      Activation.GELU, GRID, Resampling.CUBIC, true, 0, false, false),
      "naflexvit_base_patch16_siglip", new Architecture(768, 12, 12, 16, 4, true, 0, 0, Activation.GELU_TANH, GRID,
      Resampling.LINEAR, true, 0, false, false),
      "naflexvit_so400m_patch16_siglip", new Architecture(1152, 27, 16, 16, 3.7362, true, 0, 0, Activation.GELU_TANH,
      GRID, Resampling.LINEAR, true, 0, false, false));

  static boolean known(TimmConfig c) { return KNOWN.containsKey(c.name()) || forced(c); }

  private static boolean forced(TimmConfig c) {
    return c.name().equals(FORCED) && Boolean.TRUE.equals(c.timm().modelKwargs().get("use_naflex"));
  }

  float epsilon() { return classToken ? 1e-5f : 1e-6f; }

  /// Rows before the patches.
  int prefix() { return registers + (classToken ? 1 : 0); }

  /// Why the config's options cannot be had; empty if they can.
  static Optional<String> refused(TimmConfig c) {
    var unknown = Keywords.unknown(c, forced(c) ? FORCED_KEYWORDS : KEYWORDS);
    if (unknown.isPresent()) return unknown;
    if (forced(c)) return refusedForced(c);
    var own = KNOWN.get(c.name()).latent ? "map" : "avg";
    if (!c.timm().pool().equals(own)) return Optional.of("timm_pool \"" + c.timm().pool() + "\" of " + c.name());
    if (c.timm().proj().isEmpty()) return Optional.of("timm_proj null of " + c.name());
    if (c.patchDropout() > 0) return Optional.of("patch_dropout of " + c.name());
    var given = c.timm().modelKwargs();
    if (Boolean.TRUE.equals(given.get("swiglu_mlp")) && of(c).layerScale == 0)
      return Optional.of("swiglu_mlp without init_values of " + c.name());
    return Optional.empty();
  }

  /// Of a ViT of OpenCLIP's, what its own description cannot say.
  private static Optional<String> refusedForced(TimmConfig c) {
    var given = c.timm().modelKwargs();
    for (var e : Map.of("class_token", true, "pos_embed", "learned", "pre_norm", true, "final_norm", true, "fc_norm",
        false, "qkv_bias", true, "proj_bias", true, "reg_tokens", 0).entrySet())
      if (!e.getValue().equals(given.getOrDefault(e.getKey(), e.getValue())))
        return Optional.of("timm_model_kwargs." + e.getKey() + " " + given.get(e.getKey()) + " with use_naflex");
    if (!c.timm().pool().equals("token") || !c.timm().proj().orElse("").equals("linear"))
      return Optional.of("use_naflex with another timm_pool than token or another timm_proj than linear");
    return c.patchDropout() > 0 ? Optional.of("patch_dropout of " + c.name()) : Optional.empty();
  }

  static Architecture of(TimmConfig c) {
    var k = new Keywords(c);
    if (forced(c))
      return new Architecture(k.whole("embed_dim", 768), k.whole("depth", 12), k.whole("num_heads", 12),
          k.whole("patch_size", 16), k.number("mlp_ratio", 4), true, k.number("init_values", 0), 0,
          "quick_gelu".equals(c.timm().modelKwargs().get("act_layer")) ? Activation.QUICK_GELU : Activation.GELU,
          grid(c), Resampling.CUBIC, false, 0, false, true);
    var a = KNOWN.get(c.name());
    double ratio = k.number("mlp_ratio", a.mlpRatio);
    return new Architecture(k.whole("embed_dim", a.width), k.whole("depth", a.depth), k.whole("num_heads", a.heads),
        k.whole("patch_size", a.patch), ratio,
        a.qkvBias, k.number("init_values", a.layerScale), k.whole("reg_tokens", a.registers), a.activation, grid(c),
        a.resampling, a.latent,
        k.number("attn_pool_mlp_ratio", ratio), Boolean.TRUE.equals(c.timm().modelKwargs().get("swiglu_mlp")), false);
  }

  private static Grid grid(TimmConfig c) {
    var v = c.timm().modelKwargs().get("pos_embed_grid_size");
    if (v == null) return GRID;
    if (v instanceof List<?> l && l.size() == 2 && l.get(0) instanceof Integer h && l.get(1) instanceof Integer w
        && h > 0 && w > 0)
      return new Grid(h, w);
    throw new IllegalArgumentException("vision_cfg.timm_model_kwargs.pos_embed_grid_size is " + v
        + ", expected two whole numbers above 0");
  }
}
