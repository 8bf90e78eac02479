package jacquard.clip.model.timm.convnext;

import jacquard.clip.model.timm.Keywords;
import jacquard.clip.model.timm.TimmConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A ConvNeXt of timm's, as its name and `timm_model_kwargs` say it.
///
/// @param depths blocks of the four stages
/// @param dims channels of the four stages
record Architecture(List<Integer> depths, List<Integer> dims, float epsilon) {
  private static final List<String> KEYWORDS = List.of("depths", "dims");
  private static final Map<String, Architecture> ALL =
      Map.of("convnext_tiny", of(3, 9, 96, 1e-6f), "convnext_small", of(3, 27, 96, 1e-6f),
      "convnext_base", of(3, 27, 128, 1e-6f), "convnext_large", of(3, 27, 192, 1e-6f), "convnext_xlarge",
      of(3, 27, 256, 1e-6f),
      "convnext_xxlarge", of(4, 30, 384, 1e-5f));

  /// Three blocks in the first stage and the last; twice the channels from stage to stage.
  private static Architecture of(int second, int third, int width, float epsilon) {
    return new Architecture(List.of(3, second, third, 3), List.of(width, 2 * width, 4 * width, 8 * width), epsilon);
  }

  static boolean known(String name) { return ALL.containsKey(name); }

  /// Why the config's options cannot be had; empty if they can.
  static Optional<String> refused(TimmConfig c) { return Keywords.unknown(c, KEYWORDS).or(() -> Keywords.averages(c)); }

  static Architecture of(TimmConfig c) {
    var a = ALL.get(c.name());
    var k = new Keywords(c);
    var grid = c.input();
    if (Math.min(grid.height(), grid.width()) < 32)
      throw new IllegalArgumentException("image_size is " + grid + ": " + c.name()
          + " needs at least 32 pixels a side");
    return new Architecture(k.wholes("depths", a.depths, 4), k.wholes("dims", a.dims, 4), a.epsilon);
  }
}
