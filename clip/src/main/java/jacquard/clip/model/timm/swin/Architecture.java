package jacquard.clip.model.timm.swin;

import jacquard.clip.model.timm.Keywords;
import jacquard.clip.model.timm.TimmConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// A Swin of timm's, as its name and `timm_model_kwargs` say it.
///
/// @param width channels of the first stage; each has twice as many as the one before
/// @param depths blocks of each stage
/// @param heads of each stage
/// @param window cells a side
record Architecture(int width, List<Integer> depths, List<Integer> heads, int window) {
  static final int PATCH = 4;
  static final float EPSILON = 1e-5f;
  /// How often the last block is left out in training, where the config does not say.
  static final double DROP_PATH = 0.1;
  private static final Pattern NAME = Pattern.compile("swin_(tiny|small|base|large)_patch4_window(7_224|12_384)");
  private static final List<String> KEYWORDS = List.of("img_size", "embed_dim", "depths", "num_heads", "window_size");
  private static final Map<String, Architecture> ALL =
      Map.of("tiny", of(96, 6, 3), "small", of(96, 18, 3), "base", of(128, 18, 4),
      "large", of(192, 18, 6));

  private static Architecture of(int width, int third, int heads) {
    return new Architecture(width, List.of(2, 2, third, 2), List.of(heads, 2 * heads, 4 * heads, 8 * heads), 7);
  }

  static boolean known(String name) { return NAME.matcher(name).matches(); }

  /// Why the config's options cannot be had; empty if they can.
  static Optional<String> refused(TimmConfig c) { return Keywords.unknown(c, KEYWORDS).or(() -> Keywords.averages(c)); }

  static Architecture of(TimmConfig c) {
    var m = NAME.matcher(c.name());
    if (!m.matches()) throw new IllegalArgumentException("no Swin of timm's: " + c.name());
    var a = ALL.get(m.group(1));
    var k = new Keywords(c);
    var depths = k.wholes("depths", a.depths, 0);
    var r = new Architecture(k.whole("embed_dim", a.width), depths, k.wholes("num_heads", a.heads, depths.size()),
        k.whole("window_size", m.group(2).startsWith("12") ? 12 : a.window));
    for (int i = 0; i < depths.size(); i++)
      if (r.width(i) % r.heads.get(i) != 0)
        throw new IllegalArgumentException("timm_model_kwargs: " + r.heads.get(i) + " heads do not divide a width of "
            + r.width(i));
    if (Math.min(c.input().height(), c.input().width()) < PATCH)
      throw new IllegalArgumentException("image_size is " + c.input() + ": " + c.name() + " needs at least " + PATCH
          + " pixels a side");
    return r;
  }

  /// Channels of a stage.
  int width(int stage) { return width << stage; }
}
