package jacquard.kernels.cuda;

import jacquard.tensor.Tensor;
import java.util.List;

/// Softmax, layer norm, L2 norm and their gradients: `cuda-src/kernels/rows.cu`.
final class CudaRows {
  /// Rows a block takes, columns a block takes, and rows that one partial sum of weight gradients takes in.
  private static final int ROWS = 4, COLUMNS = 128, PIECE = 64;

  private CudaRows() {}

  private static int width(Tensor x) { return x.dim(-1); }
  private static int rows(Tensor x) { return (int) (x.shape().size() / Math.max(1, width(x))); }

  /// Launches over the rows: x, w, b, μ, 1/σ, dy → y, μ, 1/σ.
  private static void rows(CudaDevice device, String kernel, Tensor like, float epsilon, long x, long w, long b, long mean, long deviation, long dy, long y, long meanOut, long deviationOut) {
    device.call(kernel).pointer(x).pointer(w).pointer(b).pointer(mean).pointer(deviation).pointer(dy).pointer(y).pointer(meanOut).pointer(deviationOut)
        .i32(rows(like)).i32(width(like)).i32(0).f32(epsilon).blocks(Math.ceilDiv(rows(like), ROWS), 1, 1, 0);
  }

  static void softmax(CudaDevice device, Tensor x, Tensor y) {
    rows(device, "softmax_f32", x, 0, device.dense(x), 0, 0, 0, 0, 0, CudaDevice.address(y), 0, 0);
  }

  static void softmaxGradient(CudaDevice device, Tensor y, Tensor dy, Tensor dx) {
    rows(device, "softmax_backward_f32", y, 0, device.dense(y), 0, 0, 0, 0, device.dense(dy), CudaDevice.address(dx), 0, 0);
  }

  /// in: x, γ, β; out: y[, μ, 1/σ]
  static void layerNorm(CudaDevice device, float epsilon, List<Tensor> in, List<Tensor> out) {
    boolean recorded = out.size() > 1;
    rows(device, "layer_norm_f32", in.get(0), epsilon, device.dense(in.get(0)), device.dense(in.get(1)), device.dense(in.get(2)), 0, 0, 0,
        CudaDevice.address(out.getFirst()), recorded ? CudaDevice.address(out.get(1)) : 0, recorded ? CudaDevice.address(out.get(2)) : 0);
  }

  /// in: x, γ, μ, 1/σ, dy; out: dx, dγ, dβ
  static void layerNormGradient(CudaDevice device, List<Tensor> in, List<Tensor> out) {
    var x = in.getFirst();
    int rows = rows(x), d = width(x), pieces = Math.ceilDiv(rows, PIECE);
    long xs = device.dense(x), w = device.dense(in.get(1)), mean = device.dense(in.get(2)), deviation = device.dense(in.get(3)), dy = device.dense(in.get(4));
    rows(device, "layer_norm_backward_f32", x, 0, xs, w, 0, mean, deviation, dy, CudaDevice.address(out.getFirst()), 0, 0);
    if (rows == 0) {
      for (int i = 1; i < 3; i++) device.context().clear(CudaDevice.address(out.get(i)), 4L * d);
      return;
    }
    long partial = device.temporary(8L * pieces * d), sums = device.temporary(8L * d);
    device.call("layer_norm_weights_f32").pointer(xs).pointer(w).pointer(0).pointer(mean).pointer(deviation).pointer(dy).pointer(partial).pointer(0).pointer(0)
        .i32(rows).i32(d).i32(PIECE).f32(0).blocks(Math.ceilDiv(d, COLUMNS), pieces, 1, 0);
    CudaReduction.columns(device, "_f32", false, partial, pieces, 2 * d, sums);
    device.context().copy(CudaDevice.address(out.get(1)), sums, 4L * d);
    device.context().copy(CudaDevice.address(out.get(2)), sums + 4L * d, 4L * d);
  }

  static void normalize(CudaDevice device, float epsilon, Tensor x, Tensor y) {
    rows(device, "normalize_f32", x, epsilon, device.dense(x), 0, 0, 0, 0, 0, CudaDevice.address(y), 0, 0);
  }

  static void normalizeGradient(CudaDevice device, float epsilon, Tensor x, Tensor dy, Tensor dx) {
    rows(device, "normalize_backward_f32", x, epsilon, device.dense(x), 0, 0, 0, 0, device.dense(dy), CudaDevice.address(dx), 0, 0);
  }
}
