package jacquard.tensor.op;

import jacquard.tensor.Shape;
import jacquard.tensor.Type;
import java.util.List;

/// Sums over a shared axis.
public sealed interface Contraction extends Op {

  /// op(A)·op(B) of matrices, each transposed or not: [m,k]·[k,n] → [m,n], of A's dtype. B is what a layer learns, if
  /// one of the two is: its gradient is F32 whatever the factors are, as [Fused.Linear]'s weight's; A's has A's dtype.
  record MatMul(boolean transposeA, boolean transposeB) implements Contraction {
    @Override public List<Type> infer(List<Type> in) {
      if (!Op.floating(in, 2) || !in.get(0).has(-1, -1) || !in.get(1).has(-1, -1))
        throw Op.mismatch(this, in, "two floating matrices");
      Shape a = in.get(0).shape(), b = in.get(1).shape();
      if (a.dim(transposeA ? 0 : 1) != b.dim(transposeB ? 1 : 0)) throw Op.mismatch(this, in, "equal inner extents");
      return List.of(in.getFirst().with(Shape.of(a.dim(transposeA ? 1 : 0), b.dim(transposeB ? 0 : 1))));
    }
  }
}
