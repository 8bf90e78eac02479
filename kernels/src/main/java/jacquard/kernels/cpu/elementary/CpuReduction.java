package jacquard.kernels.cpu.elementary;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jacquard.kernels.cpu.matmul.CpuLinear;
import jacquard.tensor.Layout;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Reduction;

/// Sums and maxima over axes. Leading axes fold row by row, trailing ones within a row; others are first moved to the
/// end.
public final class CpuReduction {
  /// Elements that a piece of a norm takes, and those that it adds up in FP32 at a time.
  private static final int PIECE = 1 << 16, RUN = 1024;
  /// Neighbouring columns that a piece of a sum over rows takes, at least: eight lines of memory a row.
  private static final int COLUMNS = 128;

  private CpuReduction() {}

  public static void run(Reduction op, Tensor in, Tensor out) {
    boolean sum = op instanceof Reduction.Sum;
    boolean[] folded = op.folded(in.shape().rank());
    int rank = folded.length, lead = 0;
    while (lead < rank && folded[lead]) lead++;
    boolean leading = lead < rank && lead > 0;
    for (int a = lead; a < rank; a++) leading &= !folded[a];
    float[] y = CpuLinear.array(out);
    int to = (int) out.shape().size(), n = (int) (in.shape().size() / Math.max(1, to));
    if (leading && n > 0) { columns(sum, Dense.of(in), n, to, y); return; }
    int[] order = new int[rank];
    int at = 0;
    for (int a = 0; a < rank; a++) if (!folded[a]) order[at++] = a;
    for (int a = 0; a < rank; a++) if (folded[a]) order[at++] = a;
    Layout moved = in.layout().permute(order);
    float[] x;
    int from = 0;
    if (moved.dense()) { x = CpuLinear.array(in); from = moved.offset(); }
    else CpuMovement.copy(CpuLinear.array(in), moved, x = new float[to * n], 0);
    int start = from;
    Parallel.rows(to, Math.max(1, 16384 / Math.max(1, n)), (r0, r1) -> {
      for (int r = r0; r < r1; r++) y[r] = sum ? Simd.sum(x, start + r * n, n) : Simd.max(x, start + r * n, n);
    });
  }

  /// √Σx² over all: runs of 1024 in FP32, their sums in double, tensor by tensor.
  public static void norm(Dense[] in, Dense out) {
    double sum = 0;
    for (var x : in) {
      double[] partial = new double[(x.size() + PIECE - 1) / PIECE];
      Parallel.run(partial.length, p -> {
        for (int i = p * PIECE; i < Math.min(x.size(), p * PIECE + PIECE); i += RUN) {
          int n = Math.min(RUN, x.size() - i);
          partial[p] += Simd.dot(x.a(), x.at() + i, x.a(), x.at() + i, n);
        }
      });
      for (double s : partial) sum += s;
    }
    out.a()[out.at()] = (float) Math.sqrt(sum);
  }

  /// [rows, width] → [width], rows in order.
  private static void columns(boolean sum, Dense in, int rows, int width, float[] y) {
    float[] x = in.a();
    Parallel.rows(width, Math.max(COLUMNS, 65536 / Math.max(1, rows)), (c0, c1) -> {
      System.arraycopy(x, in.at() + c0, y, c0, c1 - c0);
      for (int r = 1; r < rows; r++) {
        int at = in.at() + r * width;
        if (sum) Simd.add(x, at + c0, y, c0, c1 - c0);
        else for (int c = c0; c < c1; c++) y[c] = Math.max(y[c], x[at + c]);
      }
    });
  }
}
