package jacquard.clip.model.timm.eva;

import jacquard.clip.model.timm.Keywords;
import jacquard.clip.model.timm.TimmConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An EVA of timm's (Fang et al. 2022 and 2023; the perception encoders, Bolya et al. 2025), as its name and
/// `timm_model_kwargs` say it.
///
/// @param kind what its blocks are
/// @param classToken a class token first, with a position of its own
/// @param rotation how queries and keys are rotated; null where they are not
record Architecture(int width, int depth, int heads, int patch, double mlpRatio, Kind kind, boolean classToken,
    GridRotation rotation) {
  enum Kind {
    /// Queries and values with a bias, keys without.
    EVA01(1e-6f),
    /// The same, layer norms behind attention and MLP.
    POST_NORM(1e-6f),
    /// SwiGLU, a norm within attention and one within the MLP, rotated queries and keys.
    EVA02(1e-6f),
    /// Rotated queries and keys, a norm before the blocks, a learned query that pools.
    PERCEPTION(1e-5f);

    final float epsilon;

    Kind(float epsilon) { this.epsilon = epsilon; }
  }

  private static final List<String> KEYWORDS = List.of("img_size", "embed_dim", "depth", "num_heads", "patch_size");
  private static final Map<String, Architecture> ALL = Map.ofEntries(
      Map.entry("eva_giant_patch14_224", giant()), Map.entry("eva_giant_patch14_336", giant()),
          Map.entry("eva_giant_patch14_560", giant()),
      Map.entry("eva_giant_patch14_clip_224", giant()),
          Map.entry("eva02_base_patch16_clip_224", eva02(768, 12, 12, 16)),
      Map.entry("eva02_large_patch14_clip_224", eva02(1024, 24, 16, 14)),
          Map.entry("eva02_large_patch14_clip_336", eva02(1024, 24, 16, 14)),
      Map.entry("eva02_enormous_patch14_clip_224", new Architecture(1792, 64, 16, 14, 15360 / 1792.0, Kind.POST_NORM,
          true, null)),
      Map.entry("vit_pe_core_tiny_patch16_384", perception(192, 12, 3, 16, 4, 24, true)),
      Map.entry("vit_pe_core_small_patch16_384", perception(384, 12, 6, 16, 4, 24, true)),
      Map.entry("vit_pe_core_base_patch16_224", perception(768, 12, 12, 16, 4, 14, true)),
      Map.entry("vit_pe_core_large_patch14_336", perception(1024, 24, 16, 14, 4, 24, true)),
      Map.entry("vit_pe_core_gigantic_patch14_448", perception(1536, 50, 16, 14, 8960 / 1536.0, 32, false)));

  private static Architecture giant() {
    return new Architecture(1408, 40, 16, 14, 6144 / 1408.0, Kind.EVA01, true, null);
  }

  private static Architecture eva02(int width, int depth, int heads, int patch) {
    return new Architecture(width, depth, heads, patch, 8 / 3.0, Kind.EVA02, true, new GridRotation(16, 0, false));
  }

  private static Architecture perception(int width, int depth, int heads, int patch, double mlpRatio, int reference,
      boolean classToken) {
    return new Architecture(width, depth, heads, patch, mlpRatio, Kind.PERCEPTION, classToken,
        new GridRotation(reference, classToken ? 1 : 0, true));
  }

  static boolean known(String name) { return ALL.containsKey(name); }

  /// Why the config's options cannot be had; empty if they can.
  static Optional<String> refused(TimmConfig c) {
    var unknown = Keywords.unknown(c, KEYWORDS);
    if (unknown.isPresent()) return unknown;
    var proj = c.timm().proj().orElse("");
    if (!proj.isEmpty() && !proj.equals("none")) return Optional.of("timm_proj " + proj + " of " + c.name());
    var pool = ALL.get(c.name()).kind == Kind.PERCEPTION ? "map" : "token";
    return c.timm().pool().equals(pool) ? Optional.empty() : Optional.of("timm_pool \"" + c.timm().pool() + "\" of "
        + "" + c.name());
  }

  static Architecture of(TimmConfig c) {
    var a = ALL.get(c.name());
    var k = new Keywords(c);
    var r = new Architecture(k.whole("embed_dim", a.width), k.whole("depth", a.depth), k.whole("num_heads", a.heads),
        k.whole("patch_size", a.patch),
        a.mlpRatio, a.kind, a.classToken, a.rotation);
    if (r.width % r.heads != 0 || r.rotation != null && r.width / r.heads % 4 != 0)
      throw new IllegalArgumentException("timm_model_kwargs: " + r.heads + " heads do not divide a width of " + r.width
          + (r.rotation == null ? "" : " into heads of a multiple of 4 channels"));
    return r;
  }

  int hidden() { return (int) (width * mlpRatio); }

  boolean normPre() { return kind == Kind.PERCEPTION; }
}
