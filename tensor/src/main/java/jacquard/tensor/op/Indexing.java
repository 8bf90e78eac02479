package jacquard.tensor.op;

import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import jacquard.tensor.Type;
import java.util.List;

/// Rows by number. The index is an I32 vector.
public sealed interface Indexing extends Op {

  /// table `[n,d]`, index `[r]` → `[r,d]`; index −1 gives a row of zeros.
  record Gather() implements Indexing {
    @Override public List<Type> infer(List<Type> in) {
      check(this, in);
      return List.of(in.getFirst().with(Shape.of(in.get(1).shape().dim(0), in.getFirst().shape().dim(1))));
    }
  }

  /// values `[r,d]`, index `[r]` → `[rows,d]`: each value added to the row it names, in the order of r; −1 is dropped.
  record ScatterAdd(int rows) implements Indexing {
    @Override public List<Type> infer(List<Type> in) {
      check(this, in);
      if (!in.get(0).dtype().floating() || in.get(0).shape().dim(0) != in.get(1).shape().dim(0))
        throw Op.mismatch(this, in, "an index a row");
      return List.of(in.getFirst().with(Shape.of(rows, in.getFirst().shape().dim(1))));
    }
  }

  private static void check(Op op, List<Type> in) {
    if (in.size() != 2 || !in.get(0).has(-1, -1) || !in.get(1).has(-1) || in.get(1).dtype() != DType.I32)
      throw Op.mismatch(op, in, "a matrix and an I32 vector");
  }
}
