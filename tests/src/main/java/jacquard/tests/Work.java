package jacquard.tests;

import jacquard.tensor.Type;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Indexing;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Reduction;
import jacquard.tensor.op.Update;
import java.util.List;

/// What one application of an op costs at least.
///
/// @param flops additions and multiplications, a fused one counted as two; a root, exponential or quotient as one
/// @param bytes that are read and written if every tensor crosses the memory bus once
public record Work(double flops, long bytes) {

  public static Work of(Op op, List<Type> in) {
    long bytes = bytes(in) + (op instanceof Movement.View ? -bytes(in) : bytes(op.infer(in)));
    if (op instanceof Update u) for (int w : u.written()) bytes += in.get(w).shape().size() * in.get(w).dtype().bytes();
    return new Work(flops(op, in), bytes);
  }

  private static long bytes(List<Type> types) {
    return types.stream().mapToLong(t -> t.shape().size() * t.dtype().bytes()).sum();
  }

  private static double size(Type t) { return t.shape().size(); }

  private static double flops(Op op, List<Type> in) {
    return switch (op) {
      case Elementwise.Cast _ -> 0;
      case Elementwise.Affine _ -> 2 * size(in.getFirst());
      case Elementwise _ -> size(op.infer(in).getFirst());
      case Reduction _ -> size(in.getFirst());
      case Contraction.MatMul(var ta, _) -> 2 * size(op.infer(in).getFirst()) * in.getFirst().shape().dim(ta ? 0 : 1);
      case Movement _, Indexing.Gather _ -> 0;
      case Indexing.ScatterAdd _ -> size(in.getFirst());
      case Fused f -> fused(f, in);
      case Collective.AllGather _ -> 0;
      case Collective.ReduceScatter(var group, _) -> (group.size() - 1) * size(op.infer(in).getFirst());
      case Collective.AllReduce(var group, _, _) -> in.stream().mapToDouble(t -> group.size() * size(t)).sum();
      case Collective.BatchNorm _ -> 5 * size(in.getFirst());
      case Adjoint a -> adjoint(a, in);
      case Update.AdamW _ -> 14 * size(in.getFirst());
      case Update.NAdamW _ -> 16 * size(in.getFirst());
      case Update.Descent _ -> 8 * size(in.getFirst());
      case Update.Blend _ -> 3 * size(in.getFirst());
      case Update.Together t -> {
        var sum = new double[1];
        t.each(in, (u, part) -> sum[0] += flops(u, part));
        yield sum[0];
      }
      case Op.Custom c -> throw new IllegalArgumentException("a custom op is made of others: " + c);
    };
  }

  private static double fused(Fused op, List<Type> in) {
    double x = size(in.getFirst());
    return switch (op) {
      case Fused.Linear l -> 2 * x * in.get(1).shape().dim(0)
          + ((l.bias() ? 1 : 0) + (l.added() ? 1 : 0)) * size(op.infer(in).getFirst());
      case Fused.Softmax _ -> 4 * x;
      case Fused.LayerNorm _ -> 8 * x;
      case Fused.Normalize _ -> 3 * x;
      case Fused.Norm _ -> in.stream().mapToDouble(t -> 2 * size(t)).sum();
      case Fused.BatchNorm _ -> 5 * x;
      case Fused.Conv2d c -> convolution(size(op.infer(in).getFirst()), in.get(1))
          + (c.biased() ? size(op.infer(in).getFirst()) : 0);
      case Fused.AveragePool _ -> x;
      case Fused.Patches _ -> 3 * size(op.infer(in).getFirst());
      case Attention a -> pairs(a) * (2 * in.get(0).shape().dim(1) + 2 * in.get(2).shape().dim(1) + 4 * a.heads());
      case Contrastive c -> (c instanceof Contrastive.Sigmoid(_, _, var withGradients) && withGradients ? 6
          : 2) * x * in.getFirst().shape().dim(0);
    };
  }

  private static double adjoint(Adjoint op, List<Type> in) {
    double x = size(in.getFirst());
    return switch (op) {
      case Adjoint.Activate _ -> 2 * x;
      case Adjoint.Softmax _ -> 4 * x;
      case Adjoint.LinearWeight(var bias) -> 2 * x * in.get(1).shape().dim(1) + (bias ? size(in.get(1)) : 0);
      case Adjoint.LayerNorm _ -> 14 * x;
      case Adjoint.Normalize _ -> 7 * x;
      case Adjoint.BatchNorm _, Adjoint.CollectiveBatchNorm _ -> 10 * x;
      case Adjoint.Conv2dInput _ -> convolution(size(in.get(1)), in.getFirst());
      case Adjoint.Conv2dWeight(_, var w) -> convolution(size(in.get(1)), in.getFirst().with(w));
      case Adjoint.AveragePool _ -> x;
      case Adjoint.Attend(var a, _) ->
          pairs(a) * (6 * in.get(0).shape().dim(1) + 4 * in.get(2).shape().dim(1) + 5 * a.heads());
      case Adjoint.SoftmaxContrastive _ -> 6 * x * in.getFirst().shape().dim(0);
    };
  }

  /// Each output element is a sum over one output channel's weights, padding counted as if it were there.
  private static double convolution(double outputs, Type weight) {
    return 2 * outputs * size(weight) / Math.max(1, weight.shape().dim(0));
  }

  private static double pairs(Attention a) {
    double n = 0;
    for (int q = 0; q < a.ranges().from().length; q++) n += Math.max(0, a.ranges().to()[q] - a.ranges().from()[q]);
    return n;
  }
}
