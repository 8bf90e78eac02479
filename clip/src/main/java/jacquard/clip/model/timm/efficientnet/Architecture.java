package jacquard.clip.model.timm.efficientnet;

import jacquard.clip.model.timm.Keywords;
import jacquard.clip.model.timm.TimmConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An EfficientNet-Lite of TensorFlow's (0 to 4), as its name says it: stem and last layer keep their widths, first and
/// last stage their depth.
///
/// @param stages from the stem to the last layer
record Architecture(List<Stage> stages) {
  /// @param expansion how many times as wide as its input a block is between; 1 without
  record Stage(int depth, int kernel, int stride, int expansion, int channels) {
    Stage scaled(double width, double depth) {
      return new Stage((int) Math.ceil(this.depth * depth), kernel, stride, expansion, eights(channels * width));
    }

    /// The nearest multiple of 8; never less than nine tenths.
    private static int eights(double channels) {
      int near = Math.max(8, (int) (channels + 4) / 8 * 8);
      return near < 0.9 * channels ? near + 8 : near;
    }
  }

  static final int STEM = 32, LAST = 1280;
  static final float EPSILON = 1e-3f;
  private static final String NAME = "tf_efficientnet_lite";
  private static final List<Stage> STAGES =
      List.of(new Stage(1, 3, 1, 1, 16), new Stage(2, 3, 2, 6, 24), new Stage(2, 5, 2, 6, 40),
      new Stage(3, 3, 2, 6, 80), new Stage(3, 5, 1, 6, 112), new Stage(4, 5, 2, 6, 192), new Stage(1, 3, 1, 6, 320));

  /// Times as wide, times as deep.
  private static final Map<String, double[]> SCALES =
      Map.of(NAME + 0, new double[] {1, 1}, NAME + 1, new double[] {1, 1.1},
      NAME + 2, new double[] {1.1, 1.2}, NAME + 3, new double[] {1.2, 1.4}, NAME + 4, new double[] {1.4, 1.8});

  static boolean known(String name) { return SCALES.containsKey(name); }

  /// Why the config's options cannot be had; empty if they can.
  static Optional<String> refused(TimmConfig c) {
    return Keywords.unknown(c, List.of()).or(() -> Keywords.averages(c));
  }

  static Architecture of(TimmConfig c) {
    double width = SCALES.get(c.name())[0], depth = SCALES.get(c.name())[1];
    var stages = new ArrayList<Stage>();
    for (int i = 0; i < STAGES.size(); i++)
      stages.add(STAGES.get(i).scaled(width, i == 0 || i == STAGES.size() - 1 ? 1 : depth));
    return new Architecture(List.copyOf(stages));
  }
}
