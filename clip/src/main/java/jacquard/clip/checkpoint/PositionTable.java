package jacquard.clip.checkpoint;

import jacquard.tensor.Grid;

/// Learned positions of a model whose images or captions have another size, as OpenCLIP resizes them on loading.
public final class PositionTable {
  /// Half the width of the cubic filter, in source cells.
  private static final double SUPPORT = 2;

  private PositionTable() {}

  /// Rows of an image tower: the first `prefix` stay, the others are a picture of `from` cells that becomes one of `to`: bicubic with
  /// a = −½, antialiased where it shrinks, as PyTorch's `interpolate(mode="bicubic", antialias=True)`.
  ///
  /// @param table `[prefix + from, width]`
  /// @return `[prefix + to, width]`
  public static float[] ofGrid(float[] table, int prefix, int width, Grid from, Grid to) {
    double[][] across = filters(from.width(), to.width()), down = filters(from.height(), to.height());
    float[] r = new float[(prefix + to.size()) * width];
    System.arraycopy(table, 0, r, 0, prefix * width);
    for (int y = 0; y < to.height(); y++)
      for (int x = 0; x < to.width(); x++)
        for (int c = 0; c < width; c++) {
          double sum = 0;
          for (int j = 0; j < from.height(); j++) {
            if (down[y][j] == 0) continue;
            double row = 0;
            for (int i = 0; i < from.width(); i++) if (across[x][i] != 0) row += across[x][i] * table[(prefix + j * from.width() + i) * width + c];
            sum += down[y][j] * row;
          }
          r[(prefix + y * to.width() + x) * width + c] = (float) sum;
        }
    return r;
  }

  /// Rows of a text tower: linear between neighbours, not antialiased, ends held.
  ///
  /// @param table `[from, width]`
  /// @return `[to, width]`
  public static float[] ofText(float[] table, int width, int to) {
    int from = table.length / width;
    float[] r = new float[to * width];
    for (int i = 0; i < to; i++) {
      double at = Math.max(0, (i + 0.5) * from / to - 0.5);
      int low = Math.min((int) at, from - 1), high = Math.min(low + 1, from - 1);
      double share = at - low;
      for (int c = 0; c < width; c++) r[i * width + c] = (float) ((1 - share) * table[low * width + c] + share * table[high * width + c]);
    }
    return r;
  }

  /// For each target cell the weight of every source cell.
  private static double[][] filters(int from, int to) {
    double[][] w = new double[to][from];
    double scale = (double) from / to, wide = Math.max(scale, 1), support = SUPPORT * wide;
    for (int i = 0; i < to; i++) {
      double centre = scale * (i + 0.5), total = 0;
      int first = Math.max((int) (centre - support + 0.5), 0), end = Math.min((int) (centre + support + 0.5), from);
      for (int j = first; j < end; j++) total += w[i][j] = cubic((j - centre + 0.5) / wide);
      for (int j = first; j < end; j++) w[i][j] /= total;
    }
    return w;
  }

  /// Keys 1981 with a = −½.
  private static double cubic(double x) {
    x = Math.abs(x);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  }
}
