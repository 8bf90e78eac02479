package jacquard.clip.model.timm.vit;

import jacquard.clip.model.timm.Keywords;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.tensor.Grid;
import jacquard.tensor.op.Activation;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// A ViT of timm's, as its name and `timm_model_kwargs` say it.
///
/// @param patch side of a patch in pixels
/// @param classToken a class token first, with a position of its own
/// @param normPre a layer norm before the blocks; then the patches have no bias
/// @param layerScale what the layer scales start from; 0 without
/// @param pool how the blocks' rows become one: `map`, `avg`, `max`, `avgmax` or `token`
/// @param poolNorm the last norm comes after pooling
record Architecture(int width, int depth, int heads, int patch, double mlpRatio, boolean classToken, boolean normPre,
    boolean qkvBias,
    double layerScale, float epsilon, Activation activation, String pool, boolean poolNorm, Grid image) {
  private static final Pattern NAME = Pattern.compile(
      "vit_(xsmall|medium|betwixt|base|large|so400m|giantopt|huge|giant|gigantic)_patch(\\d+)(_plus)?_(siglip_gap|"
      + "siglip|gap|clip_quickgelu|clip)_\\d+");
  private static final List<String> KEYWORDS =
      List.of("img_size", "embed_dim", "depth", "num_heads", "patch_size", "mlp_ratio");

  /// Width, blocks, heads, MLP ratio.
  private record Size(int width, int depth, int heads, double mlpRatio) {}

  private static final Map<String, Size> SIZES =
      Map.of("xsmall", new Size(256, 10, 4, 4), "medium", new Size(512, 12, 8, 4),
      "betwixt", new Size(640, 12, 10, 4), "base", new Size(768, 12, 12, 4), "large", new Size(1024, 24, 16, 4),
      "so400m", new Size(1152, 27, 16, 3.7362), "giantopt", new Size(1536, 40, 16, 4), "huge",
      new Size(1280, 32, 16, 4),
      "giant", new Size(1408, 40, 16, 48 / 11.0), "gigantic", new Size(1664, 48, 16, 64 / 13.0));

  static boolean known(String name) { return NAME.matcher(name).matches(); }

  /// Why the config's options cannot be had; empty if they can.
  static Optional<String> refused(TimmConfig c) {
    var unknown = Keywords.unknown(c, KEYWORDS);
    if (unknown.isPresent()) return unknown;
    var pool = c.timm().pool();
    boolean latent = c.name().contains("_siglip_") && !c.name().contains("_gap_");
    boolean has = switch (pool) {
      case "" -> trunkPools(c);
      case "avg", "max", "avgmax" -> true;
      case "token" -> c.name().contains("_clip_");
      case "map" -> latent;
      default -> false;
    };
    return has ? Optional.empty() : Optional.of("timm_pool \"" + pool + "\" of " + c.name());
  }

  /// Whether OpenCLIP takes the trunk as its name says it, and changes the pool afterwards; else the trunk is made with
  /// the config's pool.
  private static boolean trunkPools(TimmConfig c) {
    var proj = c.timm().proj().orElse("");
    return proj.equals("linear") || proj.equals("mlp");
  }

  static Architecture of(TimmConfig c) {
    var m = NAME.matcher(c.name());
    if (!m.matches()) throw new IllegalArgumentException("no ViT of timm's: " + c.name());
    var kind = m.group(4);
    var size = SIZES.get(m.group(1));
    if (m.group(3) != null) size = new Size(896, 12, 14, 4);
    var keywords = new Keywords(c);
    int patch = Integer.parseInt(m.group(2));
    boolean clip = kind.startsWith("clip"), gap = kind.equals("gap"), small = gap && size.width < 768;
    if (gap && size.width == 768) size = new Size(768, 12, 16, 4);
    var standard = clip ? "token" : kind.equals("siglip") ? "map" : "avg";
    var asked = c.timm().pool();
    // A trunk with OpenCLIP's head behind it keeps the norm of its own pool; one made for the pool puts the norm where
    // timm's default does.
    var pool = asked.isEmpty() && trunkPools(c) ? standard : asked;
    boolean afterPool = !trunkPools(c) && kind.indexOf("gap") < 0 && List.of("avg", "avgmax", "max").contains(pool);
    return new Architecture(keywords.whole("embed_dim", size.width), keywords.whole("depth", size.depth),
        keywords.whole("num_heads", size.heads), keywords.whole("patch_size", patch),
        keywords.number("mlp_ratio", size.mlpRatio), clip, clip,
        !small, small ? 1e-6 : 0, clip ? 1e-5f : 1e-6f, activation(kind, m.group(1), patch, c.name()), pool, afterPool,
        c.input());
  }

  private static Activation activation(String kind, String size, int patch, String name) {
    if (kind.equals("clip_quickgelu")) return Activation.QUICK_GELU;
    if (!kind.startsWith("siglip")) return Activation.GELU;
    boolean tanh = switch (size) {
      case "base" -> patch == 32;
      case "large" -> name.endsWith("_512");
      case "so400m" -> patch == 16;
      default -> true;
    };
    return tanh ? Activation.GELU_TANH : Activation.GELU;
  }

  int hidden() { return (int) (width * mlpRatio); }
}
