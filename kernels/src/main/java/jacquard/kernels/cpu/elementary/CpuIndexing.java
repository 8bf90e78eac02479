package jacquard.kernels.cpu.elementary;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jacquard.kernels.cpu.matmul.CpuLinear;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Indexing;
import java.util.Arrays;
import java.util.List;

/// Rows by number.
public final class CpuIndexing {
  private CpuIndexing() {}

  public static void run(Indexing op, List<Tensor> in, Tensor out) {
    int[] index = in.get(1).ints();
    int d = in.getFirst().dim(1), rows = op instanceof Indexing.ScatterAdd ? out.dim(0) : in.getFirst().dim(0);
    for (int i = 0; i < index.length; i++)
      if (index[i] < -1 || index[i] >= rows)
        throw new IllegalArgumentException(op + ": index[" + i + "] is " + index[i] + ", expected −1 … " + (rows - 1));
    if (!in.getFirst().dtype().floating()) {
      integers(in.getFirst(), index, out);
      return;
    }
    var x = Dense.of(in.getFirst());
    float[] y = CpuLinear.array(out);
    switch (op) {
      case Indexing.Gather _ -> Parallel.rows(index.length, Math.max(1, 16384 / Math.max(1, d)), (from, to) -> {
        for (int i = from; i < to; i++)
          if (index[i] < 0) Arrays.fill(y, i * d, i * d + d, 0);
          else System.arraycopy(x.a(), x.at() + index[i] * d, y, i * d, d);
      });
      case Indexing.ScatterAdd _ -> {
        Parallel.rows(rows * d, 65536, (from, to) -> Arrays.fill(y, from, to, 0));
        // columns are independent; rows keep their order
        Parallel.rows(d, Math.max(64, 65536 / Math.max(1, index.length)), (from, to) -> {
          for (int i = 0; i < index.length; i++)
            if (index[i] >= 0) Simd.add(x.a(), x.at() + i * d + from, y, index[i] * d + from, to - from);
        });
      }
    }
  }

  /// Gathers rows of any other dtype.
  private static void integers(Tensor table, int[] index, Tensor out) {
    var t = table.layout().dense() ? table : table.copy();
    int d = t.dim(1);
    CpuMovement.zero(out);
    for (int i = 0; i < index.length; i++)
      if (index[i] >= 0)
        System.arraycopy(t.storage().block(), t.layout().offset() + index[i] * d, out.storage().block(), i * d, d);
  }
}
