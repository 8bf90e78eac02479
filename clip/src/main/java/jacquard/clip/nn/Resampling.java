package jacquard.clip.nn;

/// How a row of cells becomes one of another length: each new cell a weighted mean of old ones. The filter is widened
/// where it shrinks, as PyTorch's `interpolate(antialias=True)`, but for the last.
public enum Resampling {
  /// Between two neighbours.
  LINEAR(1),
  /// Keys 1981 with a = −½.
  CUBIC(2),
  /// Keys 1981 with a = −¾, never widened, the ends held: PyTorch's `interpolate(mode="bicubic")`.
  CUBIC_OF_FOUR(2);

  /// Half the width of the filter, in source cells.
  private final double support;

  Resampling(double support) { this.support = support; }

  /// For each new cell the weight of every old one. `[to][from]`
  public double[][] weights(int from, int to) {
    double[][] w = new double[to][from];
    if (this == CUBIC_OF_FOUR) return ofFour(w, from);
    double scale = (double) from / to, wide = Math.max(scale, 1), reach = support * wide;
    for (int i = 0; i < to; i++) {
      double centre = scale * (i + 0.5), total = 0;
      int first = Math.max((int) (centre - reach + 0.5), 0), end = Math.min((int) (centre + reach + 0.5), from);
      for (int j = first; j < end; j++) total += w[i][j] = at((j - centre + 0.5) / wide);
      for (int j = first; j < end; j++) w[i][j] /= total;
    }
    return w;
  }

  private static double[][] ofFour(double[][] w, int from) {
    double a = -0.75;
    for (int i = 0; i < w.length; i++) {
      double centre = (double) from / w.length * (i + 0.5) - 0.5;
      int low = (int) Math.floor(centre);
      for (int j = low - 1; j <= low + 2; j++) {
        double x = Math.abs(centre - j);
        w[i][Math.clamp(j, 0, from - 1)] += x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1
            : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
      }
    }
    return w;
  }

  private double at(double x) {
    x = Math.abs(x);
    if (this == LINEAR) return Math.max(0, 1 - x);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  }
}
