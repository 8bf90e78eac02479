package jacquard.kernels.cuda.launch;

import jacquard.kernels.cuda.Axes;
import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.Layout;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Movement;
import java.util.List;

/// Copies between layouts: `cuda-src/kernels/elementwise.cu`.
public final class CudaMovement {
  private CudaMovement() {}

  public static void run(CudaDevice device, Movement op, List<Tensor> in, Tensor y) {
    switch (op) {
      case Movement.Copy _ -> copy(device, in.getFirst(), CudaDevice.address(y));
      case Movement.Concat(var axis) -> {
        int a = axis < 0 ? axis + y.shape().rank() : axis, at = 0;
        for (var t : in) {
          move(device, t, CudaDevice.address(y), y.layout().slice(a, at, at + t.dim(a)), y.layout().strides()[a] * at);
          at += t.dim(a);
        }
      }
      case Movement.Pad(var axis, var before, _) -> {
        long bytes = y.shape().size() * y.dtype().bytes();
        if (bytes > 0) device.context().clear(CudaDevice.address(y), bytes);
        var x = in.getFirst();
        move(device, x, CudaDevice.address(y), y.layout().slice(axis, before, before + x.dim(axis)),
            y.layout().strides()[axis] * before);
      }
      case Movement.Fill(_, var value) -> device.call("fill_f32").pointer(y).i64(y.shape().size()).f32(value)
          .over(y.shape().size(), 4);
      case Movement.View v -> throw new IllegalStateException("a view runs on no device: " + v);
    }
  }

  /// The elements of a tensor, row-major, to an address.
  public static void copy(CudaDevice device, Tensor x, long to) {
    long bytes = x.shape().size() * x.dtype().bytes();
    if (bytes == 0) return;
    if (x.layout().dense()) device.context().copy(to, CudaDevice.address(x), bytes);
    else move(device, x, to, Layout.dense(x.shape()), 0);
  }

  /// The elements of a tensor to those of a layout of the same shape that begins `offset` elements after an address.
  private static void move(CudaDevice device, Tensor x, long to, Layout layout, int offset) {
    int size = x.dtype().bytes();
    move(device, CudaDevice.address(x), size, x.layout(), to + (long) offset * size, layout);
  }

  /// Elements of `size` bytes from one layout to another of the same shape; the addresses are those of the layouts'
  /// first elements.
  public static void move(CudaDevice device, long from, int size, Layout x, long to, Layout y) {
    long n = x.shape().size();
    var axes = Axes.merged(null, x.shape(), x, y);
    device.call("copy_" + size).pointer(from).pointer(to).i64(n).i32(axes.rank())
        .i32s(Axes.MOST, axes.dims()).i32s(Axes.MOST, axes.first()).i32s(Axes.MOST, axes.second()).over(n, 4);
  }
}
