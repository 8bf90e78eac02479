package jacquard.kernels.cuda.launch;

import static jacquard.kernels.cuda.CudaDevice.suffix;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.Tensor;
import java.util.List;

/// Softmax, layer norm, L2 norm and their gradients: `cuda-src/kernels/rows.cu`.
public final class CudaRows {
  /// Rows that a block takes, and those of which a block makes dx and the partial sums of the weights' gradients.
  private static final int ROWS = 4, PIECE = 32;

  private CudaRows() {}

  private static int width(Tensor x) { return x.dim(-1); }
  private static int rows(Tensor x) { return (int) (x.shape().size() / Math.max(1, width(x))); }

  /// Launches over the rows: x, γ, β, dy → y, μ, 1/σ.
  private static void rows(CudaDevice device, String kernel, Tensor like, float epsilon, long x, long w, long b,
      long dy, long y, long mean, long deviation) {
    device.call(kernel).pointer(x).pointer(w).pointer(b).pointer(dy).pointer(y).pointer(mean).pointer(deviation)
        .i32(rows(like)).i32(width(like)).f32(epsilon).blocks(Math.ceilDiv(rows(like), ROWS), 1, 1, 0);
  }

  public static void softmax(CudaDevice device, Tensor x, Tensor y) {
    rows(device, "softmax_f32", x, 0, device.dense(x), 0, 0, 0, CudaDevice.address(y), 0, 0);
  }

  public static void softmaxGradient(CudaDevice device, Tensor y, Tensor dy, Tensor dx) {
    rows(device, "softmax_backward_f32", y, 0, device.dense(y), 0, 0, device.dense(dy), CudaDevice.address(dx), 0, 0);
  }

  /// in: x, γ, β in F32; out: y in F32 or BF16 [, μ, 1/σ]
  public static void layerNorm(CudaDevice device, float epsilon, List<Tensor> in, List<Tensor> out) {
    boolean recorded = out.size() > 1;
    rows(device, "layer_norm" + suffix(out.getFirst().dtype()), in.get(0), epsilon, device.dense(in.get(0)),
        device.dense(in.get(1)), device.dense(in.get(2)), 0,
        CudaDevice.address(out.getFirst()), recorded ? CudaDevice.address(out.get(1)) : 0,
            recorded ? CudaDevice.address(out.get(2)) : 0);
  }

  /// in: x, γ, μ, 1/σ, dy in F32 or BF16, [what dx is added to]; out: dx, dγ, dβ, [dx in BF16]
  public static void layerNormGradient(CudaDevice device, List<Tensor> in, List<Tensor> out) {
    var x = in.getFirst();
    int rows = rows(x), d = width(x), pieces = Math.ceilDiv(rows, PIECE);
    long xs = device.dense(x);
    long w = device.dense(in.get(1));
    long mean = device.dense(in.get(2));
    long deviation = device.dense(in.get(3));
    long dy = device.dense(in.get(4));
    long before = in.size() > 5 ? device.dense(in.get(5)) : 0;
    long partial = device.temporary(8L * Math.max(1, pieces) * d);
    device.call("layer_norm_backward" + suffix(in.get(4).dtype())).pointer(xs).pointer(w).pointer(mean)
        .pointer(deviation).pointer(dy).pointer(before)
        .pointer(out.getFirst()).pointer(out.size() > 3 ? CudaDevice.address(out.get(3)) : 0).pointer(partial).i32(rows)
            .i32(d).i32(PIECE).blocks(pieces, 1, 1, 0);
    CudaReduction.fold(device, false, partial, pieces, 2 * d, d, CudaDevice.address(out.get(1)),
        CudaDevice.address(out.get(2)));
  }

  public static void normalize(CudaDevice device, float epsilon, Tensor x, Tensor y) {
    rows(device, "normalize_f32", x, epsilon, device.dense(x), 0, 0, 0, CudaDevice.address(y), 0, 0);
  }

  public static void normalizeGradient(CudaDevice device, float epsilon, Tensor x, Tensor dy, Tensor dx) {
    rows(device, "normalize_backward_f32", x, epsilon, device.dense(x), 0, 0, device.dense(dy), CudaDevice.address(dx),
        0, 0);
  }
}
