package jacquard.kernels.cuda.launch;

import jacquard.kernels.cuda.Call;
import jacquard.kernels.cuda.CudaCollectives;
import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.DType;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Collective;
import java.util.List;

/// Batch norm over the rows of x [r,c]: `cuda-src/kernels/batch_norm.cu`.
public final class CudaBatchNorm {
  /// Rows of a stretch, at least; stretches, at most: a matter of shape alone, so that every device adds in one order.
  private static final int STRETCH = 64, PIECES = 256, COLUMNS = 32, THREADS = 128, SHARED = 8 * 32 * 4;

  private CudaBatchNorm() {}

  /// What the kernels of one pass share; 0 for what one has not.
  private record Pass(CudaDevice device, float epsilon, int rows, int columns, long x, long dy, long gamma, long beta,
      long mean, long variance, long dbeta, long dgamma, long y, long total,
                      long first, boolean share) {
    int stretch() { return Math.max(STRETCH, Math.ceilDiv(rows, PIECES)); }
    int pieces() { return Math.ceilDiv(rows, stretch()); }

    Call call(String kernel) {
      return device.call(kernel).pointer(x).pointer(dy).pointer(gamma).pointer(beta).pointer(mean).pointer(variance)
          .pointer(first).pointer(first + 4L * pieces() * columns)
          .pointer(dbeta).pointer(dgamma).pointer(y).pointer(total).i32(rows).i32(columns).i32(stretch()).i32(pieces())
              .i32(share ? 1 : 0).f32(epsilon);
    }
    void pieces(String kernel) { call(kernel).blocks(Math.ceilDiv(columns, COLUMNS), pieces(), 1, SHARED); }
    void join(String kernel) { call(kernel).blocks(Math.ceilDiv(columns, THREADS), 1, 1, 0); }
    void apply(String kernel) { call(kernel).over((long) rows * columns, 1); }
  }

  private static long partial(CudaDevice device, int rows, int columns) {
    return device.temporary(8L * Math.min(PIECES, Math.ceilDiv(rows, STRETCH)) * columns);
  }

  /// in: x, γ, β; out: y[, μ, σ²]
  public static void forward(CudaDevice device, float epsilon, List<Tensor> in, List<Tensor> out) {
    int rows = in.getFirst().dim(0), c = in.getFirst().dim(1);
    boolean recorded = out.size() > 1;
    long statistics = recorded ? 0 : device.temporary(8L * c);
    long mean = recorded ? CudaDevice.address(out.get(1)) : statistics;
    long variance = recorded ? CudaDevice.address(out.get(2)) : statistics + 4L * c;
    var p = new Pass(device, epsilon, rows, c, device.dense(in.get(0)), 0, device.dense(in.get(1)),
        device.dense(in.get(2)), mean, variance, 0, 0, CudaDevice.address(out.getFirst()), 0,
        partial(device, rows, c), false);
    p.pieces("batch_norm_pieces");
    p.join("batch_norm_statistics");
    p.apply("batch_norm_apply");
  }

  /// Over the rows of all ranks; in: x, γ, β; out: y[, μ, σ², number of rows]
  public static void forward(CudaDevice device, CudaCollectives ranks, Collective.BatchNorm op, String what,
      List<Tensor> in,
      List<Tensor> out) {
    int rows = in.getFirst().dim(0), c = in.getFirst().dim(1), size = op.group().size();
    boolean recorded = out.size() > 1;
    long all = device.temporary(4L * (2 * c + 1));
    long share = device.temporary(4L * (2 * c + 1));
    long shares = device.temporary(4L * (2 * c + 1) * size);
    long mean = recorded ? CudaDevice.address(out.get(1)) : all;
    long variance = recorded ? CudaDevice.address(out.get(2)) : all + 4L * c;
    long total = recorded ? CudaDevice.address(out.get(3)) : all + 8L * c;
    long x = device.dense(in.get(0));
    long gamma = device.dense(in.get(1));
    long beta = device.dense(in.get(2));
    long y = CudaDevice.address(out.getFirst());
    long partial = partial(device, rows, c);
    var mine = new Pass(device, op.epsilon(), rows, c, x, 0, gamma, beta, share, share + 4L * c, 0, 0, y, 0, partial,
        true);
    mine.pieces("batch_norm_pieces");
    mine.join("batch_norm_statistics");
    long[] bytes = new long[size];
    java.util.Arrays.fill(bytes, 4L * (2 * c + 1));
    ranks.gather(op.group(), what, share, shares, bytes);
    device.call("batch_norm_shares").pointer(shares).pointer(mean).pointer(variance).pointer(total).i32(c).i32(size)
        .blocks(Math.ceilDiv(c, THREADS), 1, 1, 0);
    new Pass(device, op.epsilon(), rows, c, x, 0, gamma, beta, mean, variance, 0, 0, y, 0, partial, false)
        .apply("batch_norm_apply");
  }

  /// in: x, γ, μ, σ², number of all rows, dy; out: dx, and this rank's part of dγ, dβ
  public static void backward(CudaDevice device, CudaCollectives ranks, Collective.BatchNorm op, String what,
      List<Tensor> in,
      List<Tensor> out) {
    int rows = in.getFirst().dim(0), c = in.getFirst().dim(1);
    long x = device.dense(in.get(0));
    long gamma = device.dense(in.get(1));
    long mean = device.dense(in.get(2));
    long variance = device.dense(in.get(3));
    long dy = device.dense(in.get(5));
    long dgamma = CudaDevice.address(out.get(1));
    long dbeta = CudaDevice.address(out.get(2));
    long sums = device.temporary(8L * c);
    long partial = partial(device, rows, c);
    var mine = new Pass(device, op.epsilon(), rows, c, x, dy, gamma, 0, mean, variance, dbeta, dgamma, 0, 0, partial,
        false);
    mine.pieces("batch_norm_backward_pieces");
    mine.join("batch_norm_backward_sums");
    ranks.reduce(op.group(), what, DType.F32, 1, new long[] {dbeta, dgamma}, new long[] {sums, sums + 4L * c},
        new long[] {c, c});
    new Pass(device, op.epsilon(), rows, c, x, dy, gamma, 0, mean, variance, sums, sums + 4L * c,
        CudaDevice.address(out.getFirst()), CudaDevice.address(in.get(4)), partial, false)
        .apply("batch_norm_backward_apply");
  }

  /// in: x, γ, μ, σ², dy; out: dx, dγ, dβ
  public static void backward(CudaDevice device, float epsilon, List<Tensor> in, List<Tensor> out) {
    int rows = in.getFirst().dim(0), c = in.getFirst().dim(1);
    var p = new Pass(device, epsilon, rows, c, device.dense(in.get(0)), device.dense(in.get(4)),
        device.dense(in.get(1)), 0, device.dense(in.get(2)), device.dense(in.get(3)),
        CudaDevice.address(out.get(2)), CudaDevice.address(out.get(1)), CudaDevice.address(out.getFirst()), 0,
            partial(device, rows, c), false);
    p.pieces("batch_norm_backward_pieces");
    p.join("batch_norm_backward_sums");
    p.apply("batch_norm_backward_apply");
  }
}
