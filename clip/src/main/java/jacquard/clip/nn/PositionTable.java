package jacquard.clip.nn;

import jacquard.tensor.Grid;
import java.util.Arrays;

/// Learned positions of a model whose images or captions have another size, as OpenCLIP resizes them on loading.
public final class PositionTable {
  private PositionTable() {}

  /// Rows of an image tower: the first `prefix` stay, the others are a picture of `from` cells that becomes one of
  /// `to`: bicubic with a = −½, antialiased where it shrinks, as PyTorch's
  /// `interpolate(mode="bicubic", antialias=True)`.
  ///
  /// @param table `[prefix + from, width]`
  /// @return `[prefix + to, width]`
  public static float[] ofGrid(float[] table, int prefix, int width, Grid from, Grid to) {
    return ofGrid(table, prefix, width, from, to, Resampling.CUBIC);
  }

  /// The same, resampled in another way.
  public static float[] ofGrid(float[] table, int prefix, int width, Grid from, Grid to, Resampling how) {
    double[][] across = how.weights(from.width(), to.width()), down = how.weights(from.height(), to.height());
    float[] r = new float[(prefix + to.size()) * width];
    System.arraycopy(table, 0, r, 0, prefix * width);
    for (int y = 0; y < to.height(); y++)
      for (int x = 0; x < to.width(); x++)
        for (int c = 0; c < width; c++) {
          double sum = 0;
          for (int j = 0; j < from.height(); j++) {
            if (down[y][j] == 0) continue;
            double row = 0;
            for (int i = 0; i < from.width(); i++)
              if (across[x][i] != 0) row += across[x][i] * table[(prefix + j * from.width() + i) * width + c];
            sum += down[y][j] * row;
          }
          r[(prefix + y * to.width() + x) * width + c] = (float) sum;
        }
    return r;
  }

  /// Kernels over patches `[out, height, width, channels]`, each a picture of `from` pixels that becomes one of `to`,
  /// as EVA-CLIP begins towers of 16 pixels a patch from students of 14.
  public static float[] ofKernels(float[] kernels, int channels, Grid from, Grid to) {
    int each = channels * from.size(), more = channels * to.size(), n = kernels.length / each;
    float[] r = new float[n * more];
    for (int k = 0; k < n; k++)
      System.arraycopy(ofGrid(Arrays.copyOfRange(kernels, k * each, (k + 1) * each), 0, channels, from, to,
          Resampling.CUBIC_OF_FOUR), 0, r, k * more, more);
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
      for (int c = 0; c < width; c++)
        r[i * width + c] = (float) ((1 - share) * table[low * width + c] + share * table[high * width + c]);
    }
    return r;
  }
}
