package jacquard.kernels.cuda.launch.convolution;

import static jacquard.kernels.cuda.CudaDevice.suffix;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.kernels.cuda.CudaOps;
import jacquard.kernels.cuda.driver.Dnn;
import jacquard.kernels.cuda.launch.CudaMatMul;
import jacquard.kernels.cuda.launch.CudaMatMul.Epilogue;
import jacquard.kernels.cuda.launch.CudaMatMul.Factor;
import jacquard.tensor.DType;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Fused;
import java.util.List;

/// Convolution as im2col and a matrix product, and average pooling: `cuda-src/kernels/conv2d.cu`. A window of weight
/// 1×1 and stride 1 is a row of x as it lies.
public final class CudaConv2d {
  /// Bytes that windows take at a time, whole images at least; what the products of two sizes of GPU differ in, does
  /// not depend on it.
  private static final long WORKSPACE = 128L << 20;

  private CudaConv2d() {}

  /// @param k    elements of a window
  /// @param part images whose windows are made at a time
  private record Windows(Fused.Conv2d op, DType type, Shape w, Grid from, Grid to, int k, int batch, int part) {
    static Windows of(Fused.Conv2d op, DType type, Shape w, int batch) {
      int k = w.dim(1) * w.dim(2) * w.dim(3);
      var to = op.to(w);
      return new Windows(op, type, w, op.grid(), to, k, batch,
          (int) Math.clamp(WORKSPACE / Math.max(1, (long) to.size() * k * type.bytes()), 1, Math.max(1, batch)));
    }
    /// The convolution as a vendor's library sees it, done by that: false where there is none, or it does not do this
    /// one.
    boolean library(CudaDevice device, Dnn.Pass pass, long x, long weight, long y) {
      var dnn = device.vendors().dnn();
      if (dnn == null || batch == 0 || outputs() == 0 || inputs() == 0
          || !op.padding().equals(Padding.of(op.padding().top())))
        return false;
      var c = new Dnn.Convolution(type == DType.BF16, batch, from.height(), from.width(), inputs(), outputs(), w.dim(1),
          w.dim(2), to.height(), to.width(), op.stride(), op.padding().top());
      long bytes = dnn.workspace(c, pass);
      if (bytes < 0) return false;
      dnn.run(c, pass, x, weight, y, bytes == 0 ? 0 : device.temporary(bytes), bytes);
      return true;
    }
    boolean pointwise() {
      return w.dim(1) == 1 && w.dim(2) == 1 && op.stride() == 1 && op.padding().equals(Padding.NONE);
    }
    long bytes(int images) { return (long) images * to.size() * k * type.bytes(); }
    int outputs() { return w.dim(0); }
    int inputs() { return w.dim(3); }

    void move(CudaDevice device, String kernel, long from, long target, long n, int each) {
      device.call(kernel).pointer(from).pointer(target).i64(n / each).i32(this.from.height()).i32(this.from.width())
          .i32(inputs() / each).i32(to.height()).i32(to.width())
          .i32(w.dim(1)).i32(w.dim(2)).i32(op.stride()).i32(op.padding().top()).i32(op.padding().left())
          .over(n / each, 1);
    }

    /// The windows of `images` images from `x` on, in `cols`.
    void im2col(CudaDevice device, long x, long cols, int images) {
      int unit = 16;
      while ((inputs() * type.bytes() | x) % unit != 0) unit /= unit == 16 ? 4 : 2;
      move(device, "im2col_" + unit, x, cols, (long) images * to.size() * k, unit / type.bytes());
    }

    void col2im(CudaDevice device, long dcols, long dx, int images) {
      boolean packed = inputs() % 4 == 0 && dx % (4 * type.bytes()) == 0;
      move(device, "col2im" + suffix(type) + (packed ? "x4" : ""), dcols, dx, (long) images * from.size() * inputs(),
          packed ? 4 : 1);
    }
  }

  private static Factor rows(long address, int stride) { return new Factor(address, stride, false); }
  private static Factor columns(long address, int stride) { return new Factor(address, stride, true); }

  /// in: x, W, `[b]`. Groups of several channels each are convolutions of their own.
  public static void forward(CudaDevice device, Fused.Conv2d op, List<Tensor> in, List<Tensor> out) {
    if (op.depthwise(in.get(1).shape())) CudaDepthwise.forward(device, op, in, out.getFirst());
    else if (op.groups() > 1) CudaOps.defined(device, op::define, in, out);
    else forward(device, op, in.get(0), in.get(1), op.biased() ? in.get(2) : null, out.getFirst());
  }

  public static void inputGradient(CudaDevice device, Adjoint.Conv2dInput op, List<Tensor> in, List<Tensor> out) {
    if (op.conv().depthwise(in.getFirst().shape()))
      CudaDepthwise.inputGradient(device, op.conv(), in.get(0), in.get(1), out.getFirst());
    else if (op.conv().groups() > 1) CudaOps.defined(device, op::define, in, out);
    else inputGradient(device, op.conv(), in.get(0), in.get(1), out.getFirst());
  }

  public static void weightGradient(CudaDevice device, Adjoint.Conv2dWeight op, List<Tensor> in, List<Tensor> out) {
    if (op.conv().depthwise(op.weight()))
      CudaDepthwise.weightGradient(device, op.conv(), in.get(0), in.get(1), out.getFirst());
    else if (op.conv().groups() > 1) CudaOps.defined(device, op::define, in, out);
    else weightGradient(device, op.conv(), in.get(0), in.get(1), out.getFirst());
  }

  private static void forward(CudaDevice device, Fused.Conv2d op, Tensor x, Tensor weight, Tensor bias, Tensor y) {
    var v = Windows.of(op, x.dtype(), weight.shape(), x.dim(0) / op.grid().size());
    long xs = device.dense(x), w = device.dense(weight);
    long b0 = bias == null ? 0 : device.dense(bias);
    if (bias == null && v.library(device, Dnn.Pass.OUTPUT, xs, w, CudaDevice.address(y))) return;
    long cols = v.pointwise() ? 0 : device.temporary(v.bytes(v.part));
    int size = x.dtype().bytes();
    for (int b = 0; b < v.batch; b += v.part) {
      int n = Math.min(v.part, v.batch - b);
      long at = xs + (long) b * v.from.size() * v.inputs() * size;
      if (!v.pointwise()) v.im2col(device, at, cols, n);
      CudaMatMul.product(device, x.dtype(), n * v.to.size(), v.outputs(), v.k, rows(v.pointwise() ? at : cols, v.k),
          columns(w, v.k),
          CudaDevice.address(y) + (long) b * v.to.size() * v.outputs() * size,
          new Epilogue(b0, Activation.NONE, 0, 0, 0, false, bias != null && bias.dtype() != x.dtype(), 0));
    }
  }

  private static void inputGradient(CudaDevice device, Fused.Conv2d op, Tensor weight, Tensor dy, Tensor dx) {
    var v = Windows.of(op, dy.dtype(), weight.shape(), dx.dim(0) / op.grid().size());
    long w = device.dense(weight), ds = device.dense(dy);
    if (v.library(device, Dnn.Pass.INPUT, CudaDevice.address(dx), w, ds)) return;
    long cols = v.pointwise() ? 0 : device.temporary(v.bytes(v.part));
    int size = dy.dtype().bytes();
    for (int b = 0; b < v.batch; b += v.part) {
      int n = Math.min(v.part, v.batch - b);
      long to = CudaDevice.address(dx) + (long) b * v.from.size() * v.inputs() * size;
      CudaMatMul.product(device, dy.dtype(), n * v.to.size(), v.k, v.outputs(),
          rows(ds + (long) b * v.to.size() * v.outputs() * size, v.outputs()), rows(w, v.k),
          v.pointwise() ? to : cols, Epilogue.NONE);
      if (!v.pointwise()) v.col2im(device, cols, to, n);
    }
  }

  /// dW in F32; the images' parts are added one after another. A vendor's library would round the sum of BF16 products
  /// to BF16: it has the F32 ones alone.
  private static void weightGradient(CudaDevice device, Fused.Conv2d op, Tensor x, Tensor dy, Tensor dw) {
    var v = Windows.of(op, x.dtype(), dw.shape(), x.dim(0) / op.grid().size());
    boolean half = x.dtype() == DType.BF16;
    int size = x.dtype().bytes();
    if (v.batch == 0) { device.context().clear(CudaDevice.address(dw), dw.shape().size() * Float.BYTES); return; }
    long xs = device.dense(x), ds = device.dense(dy);
    if (!half && v.library(device, Dnn.Pass.WEIGHT, xs, CudaDevice.address(dw), ds)) return;
    long cols = v.pointwise() ? 0 : device.temporary(v.bytes(v.part));
    for (int b = 0; b < v.batch; b += v.part) {
      int n = Math.min(v.part, v.batch - b);
      long at = xs + (long) b * v.from.size() * v.inputs() * size;
      if (!v.pointwise()) v.im2col(device, at, cols, n);
      CudaMatMul.product(device, x.dtype(), v.outputs(), v.k, n * v.to.size(),
          columns(ds + (long) b * v.to.size() * v.outputs() * size, v.outputs()),
          rows(v.pointwise() ? at : cols, v.k), CudaDevice.address(dw),
          new Epilogue(0, Activation.NONE, 0, 0, b == 0 ? 0 : 1, half));
    }
  }

  public static void averagePool(CudaDevice device, Fused.AveragePool op, Tensor x, Tensor y) {
    pool(device, "average_pool", op, x, y);
  }
  public static void averagePoolGradient(CudaDevice device, Fused.AveragePool op, Tensor dy, Tensor dx) {
    pool(device, "average_pool_backward", op, dy, dx);
  }

  private static void pool(CudaDevice device, String kernel, Fused.AveragePool op, Tensor from, Tensor to) {
    long n = to.shape().size(), x = device.dense(from);
    device.call(kernel + suffix(to.dtype())).pointer(x).pointer(to).i64(n).i32(op.grid().height())
        .i32(op.grid().width()).i32(to.dim(1))
        .i32(op.to().height()).i32(op.to().width()).i32(op.size()).over(n, 1);
  }
}
