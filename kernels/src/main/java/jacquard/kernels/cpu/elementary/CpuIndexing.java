package jacquard.kernels.cpu.elementary;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jacquard.kernels.cpu.matmul.CpuLinear;
import jacquard.tensor.DType;
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
    float[] y = CpuLinear.array(out);
    if (op instanceof Indexing.Gather && gathered(in.getFirst(), index, y)) return;
    var x = Dense.of(in.getFirst());
    switch (op) {
      case Indexing.Gather _ -> gather(index, d, y, (row, to) ->
          System.arraycopy(x.a(), x.at() + row * d, y, to, d));
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

  private interface Row { void copy(int row, int to); }

  private static void gather(int[] index, int d, float[] y, Row rows) {
    Parallel.rows(index.length, Math.max(1, 16384 / Math.max(1, d)), (from, to) -> {
      for (int i = from; i < to; i++)
        if (index[i] < 0) Arrays.fill(y, i * d, i * d + d, 0);
        else rows.copy(index[i], i * d);
    });
  }

  /// Rows of a table that still lies in a file: the others stay there.
  private static boolean gathered(Tensor table, int[] index, float[] y) {
    int d = table.dim(1);
    return table.dtype() == DType.F32 && table.layout().dense() && table.storage().elsewhere(source ->
        gather(index, d, y, (row, to) -> source.copy(table.layout().offset() + (long) row * d, y, to, d)));
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
