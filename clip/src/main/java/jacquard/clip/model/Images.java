package jacquard.clip.model;

import jacquard.tensor.Grid;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;

/// A batch of normalised images of one size: one row a pixel `[count·height·width, 3]`, row-major.
public record Images(Tensor rows, int count, Grid grid) {
  /// From NCHW floats, as PyTorch lays them out.
  public static Images ofChannelsFirst(float[] nchw, int count, Grid grid) {
    int n = grid.size();
    float[] rows = new float[count * n * 3];
    for (int b = 0; b < count; b++) for (int c = 0; c < 3; c++) for (int p = 0; p < n; p++) rows[(b * n + p) * 3 + c] = nchw[(b * 3 + c) * n + p];
    return of(rows, count, grid);
  }

  /// From NHWC floats.
  public static Images of(float[] nhwc, int count, Grid grid) { return new Images(Tensor.of(Shape.of(count * grid.size(), 3), nhwc), count, grid); }
}
