package jacquard.kernels.cuda.launch;

import static jacquard.kernels.cuda.CudaDevice.suffix;

import jacquard.kernels.cuda.Axes;
import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.DType;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Elementwise;
import java.util.List;

/// One element from one element: `cuda-src/kernels/elementwise.cu`, whose enums the numbers here are.
public final class CudaElementwise {
  /// Elements a thread: two accesses of 16 bytes.
  private static final int EACH = 8;

  private CudaElementwise() {}

  public static void run(CudaDevice device, Elementwise op, List<Tensor> in, Tensor out) {
    switch (op) {
      case Elementwise.Binary b -> binary(device, b, in.get(0), in.get(1), out);
      case Elementwise.Unary u  -> unary(device, u, in.getFirst(), out);
      case Elementwise.Cast _   -> cast(device, in.getFirst(), out);
    }
  }

  private static void unary(CudaDevice device, Elementwise.Unary op, Tensor x, Tensor y) {
    switch (op) {
      case Elementwise.Affine(var k, var c) -> unary(device, 0, 0, k, c, x, y);
      case Elementwise.Exp _      -> unary(device, 1, 0, 0, 0, x, y);
      case Elementwise.Log _      -> unary(device, 2, 0, 0, 0, x, y);
      case Elementwise.Sqrt _     -> unary(device, 3, 0, 0, 0, x, y);
      case Elementwise.Sigmoid _  -> unary(device, 4, 0, 0, 0, x, y);
      case Elementwise.Tanh _     -> unary(device, 5, 0, 0, 0, x, y);
      case Elementwise.Softplus _ -> unary(device, 6, 0, 0, 0, x, y);
      case Elementwise.Clamp(var low, var high) -> unary(device, 7, 0, low, high, x, y);
      case Elementwise.Activate(var f) -> unary(device, 8, f.ordinal(), 0, 0, x, y);
    }
  }

  private static void unary(CudaDevice device, int op, int activation, float a, float b, Tensor x, Tensor y) {
    long n = y.shape().size(), from = device.dense(x);
    device.call("unary" + suffix(x.dtype())).pointer(from).pointer(y).i64(n).i32(op).i32(activation).f32(a).f32(b)
        .over(n, EACH);
  }

  private static void binary(CudaDevice device, Elementwise.Binary op, Tensor a, Tensor b, Tensor y) {
    int code = switch (op) {
      case Elementwise.Add _ -> 0;
      case Elementwise.Subtract _ -> 1;
      case Elementwise.Multiply _ -> 2;
      case Elementwise.Divide _ -> 3;
      case Elementwise.Equal _ -> 4;
    };
    long n = y.shape().size();
    boolean flat = a.shape().equals(b.shape()) && a.layout().dense() && b.layout().dense();
    var axes = flat ? Axes.NONE : Axes.merged(op, y.shape(), a.layout().expand(y.shape()),
        b.layout().expand(y.shape()));
    device.call((flat ? "binary" : "broadcast") + suffix(y.dtype())).pointer(a).pointer(b).pointer(y).i64(n).i32(code)
        .i32(axes.rank())
        .i32s(Axes.MOST, axes.dims()).i32s(Axes.MOST, axes.first()).i32s(Axes.MOST, axes.second())
            .over(n, flat ? EACH : 1);
  }

  /// y = a + b, of so many floats.
  public static void add(CudaDevice device, long a, long b, long y, long n) {
    device.call("binary" + suffix(DType.F32)).pointer(a).pointer(b).pointer(y).i64(n).i32(0).i32(0).i32s(Axes.MOST)
        .i32s(Axes.MOST).i32s(Axes.MOST).over(n, EACH);
  }

  /// y = factor·y, of so many floats.
  public static void scale(CudaDevice device, float factor, long y, long n) {
    device.call("unary" + suffix(DType.F32)).pointer(y).pointer(y).i64(n).i32(0).i32(0).f32(factor).f32(0)
        .over(n, EACH);
  }

  /// dx = dy·f′(x)
  public static void activationGradient(CudaDevice device, Activation f, Tensor x, Tensor dy, Tensor dx) {
    long n = x.shape().size(), a = device.dense(x), b = device.dense(dy);
    device.call("activation_backward" + suffix(x.dtype())).pointer(a).pointer(b).pointer(dx).i64(n).i32(f.ordinal())
        .over(n, EACH);
  }

  public static void cast(CudaDevice device, Tensor x, Tensor y) {
    long n = x.shape().size(), from = device.dense(x);
    var kernel = x.dtype() == DType.F32 && y.dtype() == DType.BF16 ? "cast_f32_bf16"
        : x.dtype() == DType.BF16 && y.dtype() == DType.F32 ? "cast_bf16_f32" : "cast";
    device.call(kernel).pointer(from).pointer(y).i64(n).i32(x.dtype().ordinal()).i32(y.dtype().ordinal()).over(n, EACH);
  }
}
