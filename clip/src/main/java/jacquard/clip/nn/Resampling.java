package jacquard.clip.nn;

/// How a row of cells becomes one of another length: each new cell a weighted mean of old ones, the filter widened
/// where it shrinks, as PyTorch's `interpolate(antialias=True)`.
public enum Resampling {
  /// Between two neighbours.
  LINEAR(1),
  /// Keys 1981 with a = −½.
  CUBIC(2);

  /// Half the width of the filter, in source cells.
  private final double support;

  Resampling(double support) { this.support = support; }

  /// For each new cell the weight of every old one. `[to][from]`
  public double[][] weights(int from, int to) {
    double[][] w = new double[to][from];
    double scale = (double) from / to, wide = Math.max(scale, 1), reach = support * wide;
    for (int i = 0; i < to; i++) {
      double centre = scale * (i + 0.5), total = 0;
      int first = Math.max((int) (centre - reach + 0.5), 0), end = Math.min((int) (centre + reach + 0.5), from);
      for (int j = first; j < end; j++) total += w[i][j] = at((j - centre + 0.5) / wide);
      for (int j = first; j < end; j++) w[i][j] /= total;
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
