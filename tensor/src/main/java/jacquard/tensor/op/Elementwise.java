package jacquard.tensor.op;

import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import jacquard.tensor.Type;
import java.util.List;

/// One result element from one element of each input; binary ops broadcast as NumPy does.
public sealed interface Elementwise extends Op {

  /// Of two floating tensors.
  sealed interface Binary extends Elementwise {
    @Override default List<Type> infer(List<Type> in) {
      if (!Op.floating(in, 2) || in.get(0).dtype() != in.get(1).dtype())
        throw Op.mismatch(this, in, "two tensors of one floating dtype");
      return List.of(in.getFirst().with(broadcast(this, in)));
    }
  }

  /// Of one floating tensor.
  sealed interface Unary extends Elementwise {
    @Override default List<Type> infer(List<Type> in) {
      if (!Op.floating(in, 1)) throw Op.mismatch(this, in, "one floating tensor");
      return in;
    }
  }

  record Add() implements Binary {}
  record Subtract() implements Binary {}
  record Multiply() implements Binary {}
  record Divide() implements Binary {}
  /// 1 where the two are equal, else 0; a NaN equals nothing
  record Equal() implements Binary {}

  /// scale·x + shift
  record Affine(float scale, float shift) implements Unary {}
  record Exp() implements Unary {}
  record Log() implements Unary {}
  record Sqrt() implements Unary {}
  /// 1/(1 + e⁻ˣ)
  record Sigmoid() implements Unary {}
  record Tanh() implements Unary {}
  /// log(1 + eˣ)
  record Softplus() implements Unary {}
  /// min(max(x, low), high); the gradient passes within the bounds, as PyTorch
  record Clamp(float low, float high) implements Unary {}
  record Activate(Activation activation) implements Unary {}

  record Cast(DType to) implements Elementwise {
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 1) throw Op.mismatch(this, in, "one tensor");
      return List.of(new Type(to, in.getFirst().shape()));
    }
  }

  private static Shape broadcast(Op op, List<Type> in) {
    Shape a = in.get(0).shape(), b = in.get(1).shape();
    if (a.equals(b)) return a;
    int rank = Math.max(a.rank(), b.rank());
    int[] d = new int[rank];
    for (int i = 1; i <= rank; i++) {
      int x = i <= a.rank() ? a.dim(-i) : 1, y = i <= b.rank() ? b.dim(-i) : 1;
      if (x != y && x != 1 && y != 1) throw Op.mismatch(op, in, "shapes that broadcast");
      d[rank - i] = x == 1 ? y : x;
    }
    return Shape.of(d);
  }
}
