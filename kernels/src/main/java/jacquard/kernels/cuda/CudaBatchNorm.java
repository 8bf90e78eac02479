package jacquard.kernels.cuda;

import jacquard.tensor.Tensor;
import java.util.List;

/// Batch norm over the rows of x [r,c]: `cuda-src/kernels/batch_norm.cu`.
final class CudaBatchNorm {
  /// Rows of a stretch, at least; stretches, at most: a matter of shape alone, so that every device adds in one order.
  private static final int STRETCH = 64, PIECES = 256, COLUMNS = 32, THREADS = 128, SHARED = 8 * 32 * 4;

  private CudaBatchNorm() {}

  /// What the kernels of one pass share; 0 for what one has not.
  private record Pass(CudaDevice device, float epsilon, int rows, int columns, long x, long dy, long gamma, long beta, long mean, long variance, long dbeta, long dgamma, long y, long total,
                      long first, boolean share) {
    int stretch() { return Math.max(STRETCH, Math.ceilDiv(rows, PIECES)); }
    int pieces() { return Math.ceilDiv(rows, stretch()); }

    Call call(String kernel) {
      return device.call(kernel).pointer(x).pointer(dy).pointer(gamma).pointer(beta).pointer(mean).pointer(variance).pointer(first).pointer(first + 4L * pieces() * columns)
          .pointer(dbeta).pointer(dgamma).pointer(y).pointer(total).i32(rows).i32(columns).i32(stretch()).i32(pieces()).i32(share ? 1 : 0).f32(epsilon);
    }
    void pieces(String kernel) { call(kernel).blocks(Math.ceilDiv(columns, COLUMNS), pieces(), 1, SHARED); }
    void join(String kernel) { call(kernel).blocks(Math.ceilDiv(columns, THREADS), 1, 1, 0); }
    void apply(String kernel) { call(kernel).over((long) rows * columns, 1); }
  }

  private static long partial(CudaDevice device, int rows, int columns) { return device.temporary(8L * Math.min(PIECES, Math.ceilDiv(rows, STRETCH)) * columns); }

  /// in: x, γ, β; out: y[, μ, σ²]
  static void forward(CudaDevice device, float epsilon, List<Tensor> in, List<Tensor> out) {
    int rows = in.getFirst().dim(0), c = in.getFirst().dim(1);
    boolean recorded = out.size() > 1;
    long statistics = recorded ? 0 : device.temporary(8L * c), mean = recorded ? CudaDevice.address(out.get(1)) : statistics, variance = recorded ? CudaDevice.address(out.get(2)) : statistics + 4L * c;
    var p = new Pass(device, epsilon, rows, c, device.dense(in.get(0)), 0, device.dense(in.get(1)), device.dense(in.get(2)), mean, variance, 0, 0, CudaDevice.address(out.getFirst()), 0,
        partial(device, rows, c), false);
    p.pieces("batch_norm_pieces");
    p.join("batch_norm_statistics");
    p.apply("batch_norm_apply");
  }

  /// in: x, γ, μ, σ², dy; out: dx, dγ, dβ
  static void backward(CudaDevice device, float epsilon, List<Tensor> in, List<Tensor> out) {
    int rows = in.getFirst().dim(0), c = in.getFirst().dim(1);
    var p = new Pass(device, epsilon, rows, c, device.dense(in.get(0)), device.dense(in.get(4)), device.dense(in.get(1)), 0, device.dense(in.get(2)), device.dense(in.get(3)),
        CudaDevice.address(out.get(2)), CudaDevice.address(out.get(1)), CudaDevice.address(out.getFirst()), 0, partial(device, rows, c), false);
    p.pieces("batch_norm_backward_pieces");
    p.join("batch_norm_backward_sums");
    p.apply("batch_norm_backward_apply");
  }
}
