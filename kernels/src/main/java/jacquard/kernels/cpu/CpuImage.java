package jacquard.kernels.cpu;

import jacquard.tensor.Tensor;
import jacquard.tensor.op.Fused;

/// 8-bit pixels as normalised rows of patches: a sample is looked up among its 256 levels.
final class CpuImage {
  /// Elements a task, so that small batches stay on one core.
  private static final int TASK = 16384;

  private CpuImage() {}

  static void patches(Fused.Patches op, Tensor x, Dense y) {
    int channels = op.mean().size(), row = y.dim(1);
    var levels = new float[channels * 256];
    for (int i = 0; i < levels.length; i++)
      levels[i] = ((i & 255) / 255f - op.mean().get(i >> 8)) / op.deviation().get(i >> 8);
    Parallel.rows(y.dim(0), Math.max(1, TASK / Math.max(1, row)), (from, to) -> {
      for (int p = from; p < to; p++) patch(op, x, p, levels, y.a(), y.at() + p * row);
    });
  }

  private static void patch(Fused.Patches op, Tensor x, int p, float[] levels, float[] y, int to) {
    byte[] samples = (byte[]) x.storage().block();
    int[] strides = x.layout().strides();
    int size = op.size();
    int channels = op.mean().size();
    int across = op.to().width();
    int b = p / op.to().size();
    int number = p % op.to().size();
    int first = (b * op.grid().height() + number / across * size) * op.grid().width() + number % across * size;
    for (int ky = 0; ky < size; ky++)
      for (int kx = 0; kx < size; kx++) {
        int at = x.layout().offset() + (first + ky * op.grid().width() + kx) * strides[0];
        for (int c = 0; c < channels; c++) y[to++] = levels[c * 256 + (samples[at + c * strides[1]] & 255)];
      }
  }
}
