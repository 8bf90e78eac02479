package jacquard.kernels.cuda.launch;

import static jacquard.kernels.cuda.CudaDevice.suffix;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.DType;
import jacquard.tensor.Layout;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Reduction;

/// Sums and maxima of whole axes: `cuda-src/kernels/reduction.cu`. Axes that come first are folded by columns, others
/// by rows, after a copy that moves them last where they are not.
public final class CudaReduction {
  /// Elements of a row, and rows, that one partial result takes in.
  private static final int ROW_PIECE = 8192, COLUMN_PIECE = 64;
  private static final int FLOATS_OF_A_FOLD = 32 * Float.BYTES;

  private CudaReduction() {}

  public static void run(CudaDevice device, Reduction op, Tensor x, Tensor y) {
    int rank = x.shape().rank();
    boolean[] folded = op.folded(rank);
    boolean max = op instanceof Reduction.Max;
    int[] order = new int[rank];
    int n = 1, kept = 0, first = 0;
    for (int a = 0; a < rank; a++) if (!folded[a]) order[kept++] = a;
    for (int a = 0, at = kept; a < rank; a++)
      if (folded[a]) {
        order[at++] = a;
        n *= x.dim(a);
      }
    while (first < rank && folded[first]) first++;
    int rows = (int) y.shape().size();
    boolean leading = first == rank - kept && kept > 0;                        // the folded axes are the first ones
    if (rows == 0) return;
    boolean half = y.dtype() == DType.BF16;
    long result = half ? device.temporary(4L * rows) : CudaDevice.address(y);
    if (n == 0) device.call("fill_f32").pointer(result).i64(rows).f32(max ? Float.NEGATIVE_INFINITY : 0).over(rows, 4);
    else if (leading) columns(device, suffix(x.dtype()), max, device.dense(x), n, rows, result);
    else rows(device, suffix(x.dtype()), max, moved(device, x, x.layout().permute(order)), rows, n, result);
    if (half)
      device.call("cast_f32_bf16").pointer(result).pointer(y).i64(rows).i32(DType.F32.ordinal())
          .i32(DType.BF16.ordinal()).over(rows, 8);
  }

  private static long moved(CudaDevice device, Tensor x, Layout layout) {
    long here = CudaDevice.address(x);
    if (layout.dense()) return here;
    long copy = device.temporary(x.shape().size() * x.dtype().bytes());
    CudaMovement.move(device, here, x.dtype().bytes(), layout, copy, Layout.dense(layout.shape()));
    return copy;
  }

  /// x [rows, n] → y [rows], F32.
  static void rows(CudaDevice device, String suffix, boolean max, long x, int rows, int n, long y) {
    int pieces = Math.ceilDiv(n, ROW_PIECE), threads = n <= 256 ? 32 : 256;
    long to = pieces == 1 ? y : device.temporary(4L * rows * pieces);
    device.call("reduce_rows" + suffix).pointer(x).pointer(to).i32(rows).i32(n).i32(ROW_PIECE).i32(max ? 1 : 0)
        .launch(rows * pieces, 1, 1, threads, FLOATS_OF_A_FOLD);
    if (pieces > 1) rows(device, "_f32", max, to, rows, pieces, y);
  }

  /// x [rows, n] → y [n], F32.
  static void columns(CudaDevice device, String suffix, boolean max, long x, int rows, int n, long y) {
    int pieces = Math.ceilDiv(rows, COLUMN_PIECE);
    long to = pieces == 1 ? y : device.temporary(4L * n * pieces);
    device.call("reduce_columns" + suffix).pointer(x).pointer(to).i32(rows).i32(n).i32(COLUMN_PIECE).i32(max ? 1 : 0)
        .launch(Math.ceilDiv(n, 128), pieces, 1, 128, 0);
    if (pieces > 1) fold(device, max, to, pieces, n, n, y, 0);
  }

  /// x [rows, n] → [n] in one launch, for the partial results of another: columns up to `first` go to y, the others to
  /// z.
  public static void fold(CudaDevice device, boolean max, long x, int rows, int n, int first, long y, long z) {
    device.call("fold_columns").pointer(x).pointer(y).pointer(z).i32(rows).i32(n).i32(first).i32(max ? 1 : 0)
        .blocks(Math.ceilDiv(n, 32), 1, 1, 256 * Float.BYTES);
  }
}
