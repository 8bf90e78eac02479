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
/// @param registers learned rows before the patches, which lie nowhere
/// @param layerScale what the layer scales start from; 0 without
/// @param grid cells of the table of positions
/// @param resampling how positions of other grids come of it
/// @param latent whether a learned query pools, of an MLP of `poolRatio`; else the mean, and the last norm comes after
///   it
/// @param gated whether the blocks have gated MLPs
record Architecture(int width, int depth, int heads, int patch, double mlpRatio, boolean qkvBias, double layerScale,
    int registers, Activation activation,
    Grid grid, Resampling resampling, boolean latent, double poolRatio, boolean gated) {
  static final float EPSILON = 1e-6f;
  private static final List<String> KEYWORDS =
      List.of("embed_dim", "depth", "num_heads", "patch_size", "mlp_ratio", "pos_embed_grid_size", "swiglu_mlp",
      "attn_pool_mlp_ratio", "init_values", "reg_tokens");

  private static final Grid GRID = new Grid(16, 16);
  private static final Map<String, Architecture> KNOWN = Map.of(
      "naflexvit_base_patch16_gap",
      new Architecture(768, 12, 12, 16, 4, true, 1e-5, 4, Activation.GELU, GRID, Resampling.CUBIC, false, 0, false),
      "naflexvit_base_patch16_map",
      new Architecture(768, 12, 12, 16, 4, true, 1e-5, 1, Activation.GELU, GRID, Resampling.CUBIC, true, 0, false),
      "naflexvit_so150m2_patch16_reg1_gap", new Architecture(832, 21, 13, 16, 34 / 13.0, false, 1e-5, 1,
      Activation.GELU, GRID, Resampling.CUBIC, false, 0, false),
      "naflexvit_so150m2_patch16_reg1_map", new Architecture(832, 21, 13, 16, 34 / 13.0, false, 1e-5, 1,
      Activation.GELU, GRID, Resampling.CUBIC, true, 0, false),
      "naflexvit_base_patch16_siglip", new Architecture(768, 12, 12, 16, 4, true, 0, 0, Activation.GELU_TANH, GRID,
      Resampling.LINEAR, true, 0, false),
      "naflexvit_so400m_patch16_siglip", new Architecture(1152, 27, 16, 16, 3.7362, true, 0, 0, Activation.GELU_TANH,
      GRID, Resampling.LINEAR, true, 0, false));

  static boolean known(String name) { return KNOWN.containsKey(name); }

  /// Why the config's options cannot be had; empty if they can.
  static Optional<String> refused(TimmConfig c) {
    var unknown = Keywords.unknown(c, KEYWORDS);
    if (unknown.isPresent()) return unknown;
    var own = KNOWN.get(c.name()).latent ? "map" : "avg";
    if (!c.timm().pool().equals(own)) return Optional.of("timm_pool \"" + c.timm().pool() + "\" of " + c.name());
    if (c.timm().proj().isEmpty()) return Optional.of("timm_proj null of " + c.name());
    if (c.patchDropout() > 0) return Optional.of("patch_dropout of " + c.name());
    var given = c.timm().modelKwargs();
    if (Boolean.TRUE.equals(given.get("swiglu_mlp")) && of(c).layerScale == 0)
      return Optional.of("swiglu_mlp without init_values of " + c.name());
    return Optional.empty();
  }

  static Architecture of(TimmConfig c) {
    var k = new Keywords(c);
    var a = KNOWN.get(c.name());
    double ratio = k.number("mlp_ratio", a.mlpRatio);
    return new Architecture(k.whole("embed_dim", a.width), k.whole("depth", a.depth), k.whole("num_heads", a.heads),
        k.whole("patch_size", a.patch), ratio,
        a.qkvBias, k.number("init_values", a.layerScale), k.whole("reg_tokens", a.registers), a.activation, grid(c),
        a.resampling, a.latent,
        k.number("attn_pool_mlp_ratio", ratio), Boolean.TRUE.equals(c.timm().modelKwargs().get("swiglu_mlp")));
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
