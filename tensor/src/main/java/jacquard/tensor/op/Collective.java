package jacquard.tensor.op;

import jacquard.tensor.Group;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.util.Arrays;
import java.util.List;

/// Ops that all ranks of a group apply together, each to its own tensors. Backward differentiates the sum of all ranks'
/// values: what a rank's tensor did for another rank flows back to it. Where each rank computes its part of a loss, the
/// sum over ranks of a parameter's gradients ([AllReduce]) is that of one rank with the joined batch.
public sealed interface Collective extends Op {
  Group group();

  /// What all ranks have to agree on.
  default String agreed(List<Type> in) { return getClass().getSimpleName() + " of " + in; }

  /// x `[rows[rank], …]` → `[Σ rows, …]`: the rows of all ranks, in rank order.
  record AllGather(Group group, int[] rows) implements Collective {
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 1 || in.getFirst().shape().rank() == 0 || in.getFirst().shape().dim(0) != share(this, rows))
        throw Op.mismatch(this, in, "x [" + share(this, rows) + ", …]");
      return List.of(ofRows(in.getFirst(), Arrays.stream(rows).sum()));
    }
    @Override public String agreed(List<Type> in) {
      return "AllGather of rows " + Arrays.toString(rows) + " of " + ofRows(in.getFirst(), 1);
    }
    @Override public String toString() { return "AllGather[" + group + ", rows=" + Arrays.toString(rows) + "]"; }
  }

  /// x `[Σ rows, …]` → `[rows[rank], …]`: the sum over all ranks of this rank's rows.
  record ReduceScatter(Group group, int[] rows) implements Collective {
    @Override public List<Type> infer(List<Type> in) {
      int all = Arrays.stream(rows).sum();
      if (in.size() != 1 || in.getFirst().shape().rank() == 0 || in.getFirst().shape().dim(0) != all
          || !in.getFirst().dtype().floating())
        throw Op.mismatch(this, in, "floating x [" + all + ", …]");
      return List.of(ofRows(in.getFirst(), share(this, rows)));
    }
    @Override public String agreed(List<Type> in) {
      return "ReduceScatter to rows " + Arrays.toString(rows) + " of " + ofRows(in.getFirst(), 1);
    }
    @Override public String toString() { return "ReduceScatter[" + group + ", rows=" + Arrays.toString(rows) + "]"; }
  }

  /// Each of `tensors` inputs → factor·Σ of it over all ranks.
  record AllReduce(Group group, float factor, int tensors) implements Collective {
    @Override public int outputs() { return tensors; }
    @Override public List<Type> infer(List<Type> in) {
      if (!Op.floating(in, tensors)) throw Op.mismatch(this, in, tensors + " floating tensors");
      return in;
    }
    @Override public String agreed(List<Type> in) { return "AllReduce by " + factor + " of " + in; }
  }

  /// As [Fused.BatchNorm], with the mean and variance over the rows of all ranks, which may differ in number: x
  /// `[r,c]`, γ `[c]`, β `[c]` → y `[r,c]`. Recorded: also μ `[c]`, σ² `[c]` and the number of all rows `[]`, visible
  /// as there.
  record BatchNorm(Group group, float epsilon, boolean isRecorded) implements Collective {
    @Override public Op recorded() { return new BatchNorm(group, epsilon, true); }
    @Override public int outputs() { return isRecorded ? 4 : 1; }
    @Override public String agreed(List<Type> in) {
      return "BatchNorm of " + in.getFirst().shape().dim(1) + " columns";
    }
    @Override public List<Type> infer(List<Type> in) {
      new Fused.BatchNorm(epsilon, false).infer(in);
      var column = in.getFirst().with(in.get(1).shape());
      return isRecorded ? List.of(in.getFirst(), column, column, in.getFirst().with(Shape.SCALAR))
          : List.of(in.getFirst());
    }

    public List<Tensor> define(List<Tensor> in) {
      var x = in.getFirst();
      var sum = new AllReduce(group, 1, 1);
      var n = Tensor.apply(sum, Tensor.scalar(x.dim(0)));
      var mean = Tensor.apply(sum, x.sum(0)).divide(n);
      var c = x.subtract(mean);
      var variance = Tensor.apply(sum, c.mul(c).sum(0)).divide(n);
      var y = c.divide(variance.add(epsilon).sqrt()).mul(in.get(1)).add(in.get(2));
      return isRecorded ? List.of(y, mean, variance, n) : List.of(y);
    }
  }

  private static int share(Collective op, int[] rows) {
    if (rows.length != op.group().size())
      throw new IllegalArgumentException(op + ": rows of " + rows.length + " ranks, expected " + op.group().size());
    return rows[op.group().rank()];
  }

  private static Type ofRows(Type t, int rows) { return t.with(t.shape().with(0, rows)); }
}
