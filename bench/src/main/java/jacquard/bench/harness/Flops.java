package jacquard.bench.harness;

import jacquard.tensor.Interpreter;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Op;
import java.util.List;

/// Counts the multiply-adds that a call asks for, two operations each: of products, convolutions and attention. What
/// else it does has no place beside a peak of multiply-adds.
public final class Flops implements Interpreter {
  private double sum;

  private Flops() {}

  /// What one call of `work` takes.
  public static double of(Runnable work) {
    var counter = new Flops();
    ScopedValue.where(CURRENT, counter).run(work);
    return counter.sum;
  }

  @Override public List<Tensor> apply(Op op, List<Tensor> in) {
    var out = PLAIN.apply(op, in);
    double x = in.isEmpty() ? 0 : in.getFirst().shape().size(), y = out.getFirst().shape().size();
    sum += switch (op) {
      case Contraction.MatMul(var turned, _) -> 2 * y * in.getFirst().dim(turned ? 0 : 1);
      case Fused.Linear _ -> 2 * x * in.get(1).dim(0);
      case Fused.Conv2d _ -> 2 * y * in.get(1).shape().size() / in.get(1).dim(0);
      case Attention a -> 2 * pairs(a) * (in.get(0).dim(1) + in.get(2).dim(1));
      default -> 0;
    };
    return out;
  }

  private static double pairs(Attention a) {
    int[] from = a.ranges().from(), to = a.ranges().to();
    double n = 0;
    for (int q = 0; q < from.length; q++) n += Math.max(0, to[q] - from[q]);
    return n;
  }
}
