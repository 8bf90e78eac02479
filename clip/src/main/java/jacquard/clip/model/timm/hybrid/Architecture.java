package jacquard.clip.model.timm.hybrid;

import jacquard.clip.model.timm.Keywords;
import jacquard.clip.model.timm.TimmConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A transformer behind convolutions, as its name and `timm_model_kwargs` say it.
///
/// @param stem what the convolutions are
/// @param positions whether there is a table of positions
record Architecture(int width, int depth, int heads, Stem stem, boolean positions) {
  /// What comes before the transformer.
  sealed interface Stem {
    /// MobileCLIP-B's: three convolutions of patches, the first two of `channels`; a class token, which pools.
    record Patches(int channels) implements Stem {}
    /// ViTamin's: a stem of `channels`, stages of as many and of `second`, of `depths` blocks; the mean pools.
    record Stages(int channels, int second, List<Integer> depths) implements Stem {}
  }

  static final float EPSILON = 1e-6f;
  private static final String MOBILE = "vit_base_mci_224";
  private static final Pattern VITAMIN = Pattern.compile("vitamin_(small|base|large|large2|xlarge)_(224|256|336|384)");
  private static final List<String> KEYWORDS = List.of("img_size", "embed_dim", "depth", "num_heads");
  private static final Map<String, Architecture> VITAMINS =
      Map.of("small", vitamin(384, 14, 6, 64), "base", vitamin(768, 14, 12, 128),
      "large", vitamin(1024, 31, 16, 160), "large2", vitamin(1024, 31, 16, 160), "xlarge", vitamin(1152, 32, 16, 192));

  private static Architecture vitamin(int width, int depth, int heads, int channels) {
    return new Architecture(width, depth, heads, new Stem.Stages(channels, 2 * channels, List.of(2, 4)), width < 1152);
  }

  static boolean known(String name) { return name.equals(MOBILE) || VITAMIN.matcher(name).matches(); }

  /// Why the config's options cannot be had; empty if they can.
  static Optional<String> refused(TimmConfig c) {
    var unknown = Keywords.unknown(c, KEYWORDS);
    if (unknown.isPresent()) return unknown;
    if (!c.name().equals(MOBILE)) return Keywords.averages(c);
    return c.timm().pool().equals("token") ? Optional.empty()
        : Optional.of("timm_pool \"" + c.timm().pool() + "\" of " + c.name());
  }

  static Architecture of(TimmConfig c) {
    var m = VITAMIN.matcher(c.name());
    var a = m.matches() ? VITAMINS.get(m.group(1)) : new Architecture(768, 12, 12, new Stem.Patches(768 / 4), true);
    var k = new Keywords(c);
    int width = k.whole("embed_dim", a.width), heads = k.whole("num_heads", a.heads);
    if (width % heads != 0)
      throw new IllegalArgumentException("timm_model_kwargs: " + heads + " heads do not divide a width of " + width);
    if (width % 4 != 0)
      throw new IllegalArgumentException("timm_model_kwargs.embed_dim is " + width + ", expected a multiple of 4");
    if (Math.min(c.input().height(), c.input().width()) < 16)
      throw new IllegalArgumentException("image_size is " + c.input() + ": " + c.name()
          + " needs at least 16 pixels a side");
    return new Architecture(width, k.whole("depth", a.depth), heads, width == a.width ? a.stem : narrow(width, m),
        a.positions);
  }

  /// timm's stems have fixed channels, so that it knows no narrower trunk; these are of a trunk of another width: the
  /// patches' as a share of it, the stages' narrow ones whatever it is.
  private static Stem narrow(int width, Matcher vitamin) {
    if (!vitamin.matches()) return new Stem.Patches(width / 4);
    int channels = vitamin.group(1).equals("xlarge") ? 8 : 16;
    return new Stem.Stages(channels, 2 * channels, List.of(1, 2));
  }
}
