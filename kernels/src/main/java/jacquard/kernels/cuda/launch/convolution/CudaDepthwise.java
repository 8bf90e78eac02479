package jacquard.kernels.cuda.launch.convolution;

import static jacquard.kernels.cuda.CudaDevice.suffix;

import jacquard.kernels.cuda.Call;
import jacquard.kernels.cuda.CudaDevice;
import jacquard.kernels.cuda.launch.CudaMovement;
import jacquard.kernels.cuda.launch.CudaReduction;
import jacquard.tensor.Grid;
import jacquard.tensor.Layout;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Fused;
import java.util.List;

/// Depthwise convolution: `cuda-src/kernels/depthwise.cu`.
final class CudaDepthwise {
  /// Pixels of a thread, outputs and taps of a block of the weight gradient; rows that a piece of it sums at least, and
  /// pieces that there are at most.
  private static final int STRIP = 4, OUTPUTS = 32, TAPS = 8, FEWEST = 8, PIECES = 64;
  private static final int SUMS = 8 * TAPS * 32 * Float.BYTES;

  private CudaDepthwise() {}

  /// in: x, W, `[b]`
  static void forward(CudaDevice device, Fused.Conv2d op, List<Tensor> in, Tensor y) {
    Tensor x = in.get(0), weight = in.get(1);
    strips(device, "depthwise", op, device.dense(x), weight, op.biased() ? device.dense(in.get(2).cast(x.dtype())) : 0,
        y, op.to(weight.shape()));
  }

  static void inputGradient(CudaDevice device, Fused.Conv2d op, Tensor weight, Tensor dy, Tensor dx) {
    strips(device, "depthwise_backward", op, device.dense(dy), weight, 0, dx, op.grid());
  }

  /// Strips of the rows of `to`, whose grid is `grid`.
  private static void strips(CudaDevice device, String kernel, Fused.Conv2d op, long from, Tensor weight, long bias,
      Tensor to, Grid grid) {
    long turned = turned(device, weight);
    boolean packed = weight.dim(0) == op.groups() && to.dim(1) % 4 == 0
        && (from | turned | bias | CudaDevice.address(to)) % (4 * to.dtype().bytes()) == 0;
    long n = (long) to.dim(0) / grid.width() * Math.ceilDiv(grid.width(), STRIP) * to.dim(1) / (packed ? 4 : 1);
    var call = device.call(kernel + suffix(to.dtype()) + (packed ? "x4" : "")).pointer(from).pointer(turned)
        .pointer(bias).pointer(to).i64(n);
    shape(call, op, weight.shape()).over(n, 1);
  }

  private static Call shape(Call call, Fused.Conv2d op, Shape w) {
    return call.i32(op.grid().height()).i32(op.grid().width()).i32(op.groups()).i32(op.to(w).height())
        .i32(op.to(w).width()).i32(w.dim(0))
        .i32(w.dim(1)).i32(w.dim(2)).i32(op.stride()).i32(op.padding().top()).i32(op.padding().left());
  }

  /// W [o, kh, kw, 1] as [kh, kw, o].
  private static long turned(CudaDevice device, Tensor weight) {
    int o = weight.dim(0), taps = weight.dim(1) * weight.dim(2), size = weight.dtype().bytes();
    long w = device.dense(weight), to = device.temporary((long) o * taps * size);
    CudaMovement.move(device, w, size, Layout.dense(Shape.of(o, taps)).permute(1, 0), to,
        Layout.dense(Shape.of(taps, o)));
    return to;
  }

  /// Pieces of the rows, added in FP32 and in order.
  static void weightGradient(CudaDevice device, Fused.Conv2d op, Tensor x, Tensor dy, Tensor dw) {
    var w = dw.shape();
    int n = (int) w.size(), rows = dy.dim(0) / op.to(w).width(), stretch = Math.max(FEWEST, Math.ceilDiv(rows, PIECES)),
        pieces = Math.ceilDiv(rows, stretch);
    if (rows == 0) { device.context().clear(CudaDevice.address(dw), (long) n * dw.dtype().bytes()); return; }
    long xs = device.dense(x), ds = device.dense(dy), sum = CudaDevice.address(dw), to = pieces == 1 ? sum
        : device.temporary(4L * n * pieces);
    shape(device.call("depthwise_weight" + suffix(x.dtype())).pointer(xs).pointer(ds).pointer(to).i32(rows)
        .i32(stretch), op, w)
        .blocks(Math.ceilDiv(w.dim(0), OUTPUTS), pieces, w.dim(1) * Math.ceilDiv(w.dim(2), TAPS), SUMS);
    if (pieces > 1) CudaReduction.fold(device, false, to, pieces, n, n, sum, 0);
  }
}
