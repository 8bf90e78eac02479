package jacquard.tensor;

import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Update;
import java.util.ArrayList;
import java.util.List;

/// What "apply an op" means right now: run it, or run it and remember it. Found by context, so that tensors know
/// nothing of gradients.
@FunctionalInterface
public interface Interpreter {
  List<Tensor> apply(Op op, List<Tensor> in);

  /// What stands below a pass's precision and layer; itself where there are none.
  default Interpreter base() { return this; }

  /// What a pass puts above whoever applies ops: it changes what these read, and is differentiated.
  @FunctionalInterface
  interface Layer {
    Interpreter over(Interpreter below);

    Layer NONE = below -> below;
  }

  ScopedValue<Interpreter> CURRENT = ScopedValue.newInstance();

  static Interpreter current() { return CURRENT.orElse(PLAIN); }

  /// Runs the op on the device of its inputs; the results belong to the current scope.
  Interpreter PLAIN = (op, in) -> {
    var types = new ArrayList<Type>(in.size());
    for (var t : in) types.add(t.type());
    var outTypes = op.infer(types);
    if (op instanceof Movement.View view) return in.getFirst().views(view.view(in.getFirst().layout()));
    if (op instanceof Elementwise.Cast(var to) && kept(to, in.getFirst())) return List.of(in.getFirst().half());
    if (op instanceof Movement.Concat(var axis) && adjoining(axis, in) instanceof Layout whole)
      return in.getFirst().views(List.of(whole));
    if (op instanceof Op.Custom custom) return custom.define(in);
    var out = new ArrayList<Tensor>(outTypes.size());
    for (var t : outTypes) out.add(Tensor.empty(t));
    var device = in.isEmpty() ? Scope.current().device() : in.getFirst().device();
    device.run(op, in, out);
    if (op instanceof Update u) for (int i : u.written()) in.get(i).storage().changed();
    return out;
  };

  /// Whether a cast is a policy's, of a parameter or of what a kernel gave in BF16 too: it follows the elements, where
  /// a cast by hand is a copy of what was there.
  private static boolean kept(DType to, Tensor of) {
    return to == DType.BF16 && of.dtype() == DType.F32 && (of.storage().lasting() || of.storage().halved())
        && Pass.current().precision() == Precision.BF16;
  }

  /// Where the parts lie side by side in one storage, so that joining them is a view: gradients that a kernel wrote as
  /// one matrix. Otherwise null.
  private static Layout adjoining(int axis, List<Tensor> parts) {
    for (var t : parts) if (t.storage() != parts.getFirst().storage()) return null;
    return Layout.joined(axis < 0 ? axis + parts.getFirst().shape().rank() : axis,
        parts.stream().map(Tensor::layout).toList());
  }
}
