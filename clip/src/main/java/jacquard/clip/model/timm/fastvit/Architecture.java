package jacquard.clip.model.timm.fastvit;

import jacquard.clip.model.timm.Keywords;
import jacquard.clip.model.timm.TimmConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A FastViT of MobileCLIP's, as its name and `timm_model_kwargs` say it.
///
/// @param depths blocks of each stage
/// @param widths channels of each stage
/// @param attending how many stages, the last ones, attend and have positions; the others mix by convolution
/// @param excited how many downsamplings, the last ones, squeeze and excite
/// @param layerNorm whether what attends has a layer norm before, else a batch norm
/// @param scaledStem whether the stem has branches of single pixels
/// @param folded whether the branches are one convolution already (`inference_mode`)
record Architecture(List<Integer> depths, List<Integer> widths, int mlpRatio, int attending, int excited,
    boolean layerNorm, boolean scaledStem,
    boolean folded) {
  static final int HEAD = 32;
  private static final List<String> KEYWORDS = List.of("layers", "embed_dims", "inference_mode");
  private static final Map<String, Architecture> ALL = Map.of("fastvit_mci0", small(List.of(2, 6, 10, 2), 64),
      "fastvit_mci1", small(List.of(4, 12, 20, 4), 64), "fastvit_mci2", small(List.of(4, 12, 24, 4), 80),
      "fastvit_mci3", large(List.of(2, 12, 24, 4, 2), 96), "fastvit_mci4", large(List.of(2, 12, 24, 4, 4), 128));

  private static Architecture small(List<Integer> depths, int width) {
    return new Architecture(depths, doubled(width, 4), 3, 1, 2, false, true, false);
  }

  private static Architecture large(List<Integer> depths, int width) {
    return new Architecture(depths, doubled(width, 5), 4, 2, 0, true, false, false);
  }

  private static List<Integer> doubled(int width, int stages) {
    return java.util.stream.IntStream.range(0, stages).mapToObj(i -> width << i).toList();
  }

  static boolean known(String name) { return ALL.containsKey(name); }

  /// Why the config's options cannot be had; empty if they can.
  static Optional<String> refused(TimmConfig c) { return Keywords.unknown(c, KEYWORDS).or(() -> Keywords.averages(c)); }

  static Architecture of(TimmConfig c) {
    var a = ALL.get(c.name());
    var k = new Keywords(c);
    int stages = a.depths.size();
    var r = new Architecture(k.wholes("layers", a.depths, stages), k.wholes("embed_dims", a.widths, stages), a.mlpRatio,
        a.attending, a.excited,
        a.layerNorm, a.scaledStem, k.truth("inference_mode"));
    for (int i = 0; i < stages; i++) {
      if (i > 0 && r.widths.get(i) % r.widths.get(i - 1) != 0)
        throw new IllegalArgumentException("timm_model_kwargs.embed_dims is " + r.widths
            + ", expected each a multiple of the one before");
      if (r.attends(i) && r.widths.get(i) % HEAD != 0)
        throw new IllegalArgumentException("timm_model_kwargs.embed_dims is " + r.widths + ", expected a multiple of "
            + HEAD + " at stage " + (i + 1));
    }
    return r;
  }

  boolean attends(int stage) { return stage >= depths.size() - attending; }
  boolean excites(int stage) { return stage >= depths.size() - excited; }
}
