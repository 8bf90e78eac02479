package jacquard.clip.model.tower;

import jacquard.clip.nn.Conv2d;
import jacquard.tensor.DType;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Fused;
import java.util.List;

/// A batch of images of one size: one row a pixel `[count·height·width, 3]`, row-major. Normalised floats, or samples
/// of 8 bits (a quarter of the bytes to move) that the device normalises: (x/255 − mean)/deviation; with floats these
/// two are null.
public record ImageBatch(Tensor rows, int count, Grid grid, List<Float> mean, List<Float> deviation) {
  /// From NCHW floats, as PyTorch lays them out.
  public static ImageBatch ofChannelsFirst(float[] nchw, int count, Grid grid) {
    int n = grid.size();
    float[] rows = new float[count * n * 3];
    for (int b = 0; b < count; b++)
      for (int c = 0; c < 3; c++) for (int p = 0; p < n; p++) rows[(b * n + p) * 3 + c] = nchw[(b * 3 + c) * n + p];
    return of(rows, count, grid);
  }

  /// From NHWC floats.
  public static ImageBatch of(float[] nhwc, int count, Grid grid) {
    return new ImageBatch(Tensor.of(Shape.of(count * grid.size(), 3), nhwc), count, grid, null, null);
  }

  /// From NHWC samples of 8 bits.
  public static ImageBatch ofSamples(byte[] nhwc, int count, Grid grid, List<Float> mean, List<Float> deviation) {
    return new ImageBatch(Tensor.ofArray(new Type(DType.U8, Shape.of(count * grid.size(), 3)), nhwc), count, grid, mean,
        deviation);
  }

  /// The convolution of the normalised pixels. One whose windows are patches takes them as rows of a matrix.
  public Tensor through(Conv2d convolution) {
    if (mean == null) return convolution.apply(rows, grid);
    var w = convolution.weight();
    int k = convolution.stride();
    if (w.dim(1) != k || w.dim(2) != k || !convolution.padding().equals(Padding.NONE) || convolution.groups() > 1)
      return convolution.apply(patches(1), grid);
    var rows = w.reshape(w.dim(0), k * k * 3);
    return convolution.bias() == null ? Tensor.apply(new Fused.Linear(Activation.NONE, false, false), patches(k), rows)
        : Tensor.apply(new Fused.Linear(Activation.NONE, true, false), patches(k), rows, convolution.bias());
  }

  /// One row a patch, its normalised pixels row by row: `[count·patches, size·size·3]`.
  public Tensor patches(int size) {
    if (mean != null) return Tensor.apply(new Fused.Patches(grid, size, mean, deviation), rows);
    int h = grid.height() / size, w = grid.width() / size;
    return rows.reshape(count, h, size, w, size, 3).permute(0, 1, 3, 2, 4, 5).reshape(count * h * w, size * size * 3);
  }
}
