package jacquard.tensor.op;

import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.util.List;

/// Every operation there is. An op is a value: its parameters, nothing else. This page is the index of the families;
/// the interface is sealed so that a new record fails to compile in exactly the places that owe it an answer: the
/// gradient table and the kernel tables.
public sealed interface Op permits Elementwise, Reduction, Contraction, Movement, Indexing, Fused, Collective, Adjoint,
    Update, Op.Custom {

  /// The types of the results, given those of the inputs. The only place that checks them: it refuses whatever no
  /// kernel could do, and the fields that do not fit.
  List<Type> infer(List<Type> in);

  /// The variant that also yields what backward needs, as further outputs after [#outputs] of them.
  default Op recorded() { return this; }

  /// How many outputs a caller sees.
  default int outputs() { return 1; }

  /// The door for ops that live outside this module: the definition is meaning, gradient and kernel.
  non-sealed interface Custom extends Op {
    List<Tensor> define(List<Tensor> in);
  }

  /// Whether these are so many floating types.
  static boolean floating(List<Type> in, int count) { return in.size() == count && floating(in); }

  static boolean floating(List<Type> in) { return in.stream().allMatch(t -> t.dtype().floating()); }

  /// Fails with the op, what it was given and what it expected.
  static IllegalArgumentException mismatch(Op op, List<Type> in, String expected) {
    return new IllegalArgumentException(op + " of " + in + ": expected " + expected);
  }
}
