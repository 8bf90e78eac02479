package jacquard.kernels.cpu.attention;

import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import java.util.List;

/// Tiled attention, one head of one sequence at a time; heads that are neighbours in memory go to one core, which reads
/// them ahead. Everything is computed transposed, [keys, queries], for a panel of NR queries at a time: scores are K·Qᵀ
/// with rows of K where they lie, their softmax runs down columns, a query a lane and without a fold,
public final class CpuAttention {
  private CpuAttention() {}

  /// in: q, k, v, [bias]; out: o, [log-sum-exp]
  public static void forward(Attention op, List<Tensor> in, List<Tensor> out) { AttentionForward.run(op, in, out); }

  /// in: q, k, v, [bias], o, log-sum-exp, do; out: dq, dk, dv, or those side by side in one matrix, then [dbias]
  public static void backward(Attention op, boolean sideBySide, List<Tensor> in, List<Tensor> out) {
    AttentionBackward.run(op, sideBySide, in, out);
  }
}
