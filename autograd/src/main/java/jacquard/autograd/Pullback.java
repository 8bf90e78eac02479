package jacquard.autograd;

import jacquard.tensor.Tensor;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntPredicate;

/// A row of the gradient table: what backward needs of the inputs and outputs, and how the cotangents of the inputs
/// follow.
///
/// @param inputs  numbers of the inputs whose elements backward reads
/// @param outputs numbers of the (recorded) outputs whose elements backward reads
/// @param adding  number of the input to whose cotangent of other origin the row adds its own ([Application#before]);
///   −1: none
/// @param product whether the first two inputs are factors, of which each is read for the other's cotangent alone
/// @param again   how the first output is made anew, of a cheap op; null for all others. Whoever needs that output in
///   backward does not keep it
record Pullback(int[] inputs, int[] outputs, Backward backward, int adding, boolean product, Again again) {
  Pullback(int[] inputs, int[] outputs, Backward backward) { this(inputs, outputs, backward, -1, false, null); }

  /// @param inputs numbers of the inputs that it reads; of the outputs it reads those that the pullback keeps
  record Again(int[] inputs, Function<Application, Tensor> apply) {}

  /// This pullback, of an op that costs little beside what its output takes to keep.
  Pullback again(int[] inputs, Function<Application, Tensor> apply) {
    return new Pullback(this.inputs, outputs, backward, adding, product, new Again(inputs, apply));
  }

  /// This pullback, of an op whose kernel adds as it writes.
  Pullback adding(int input) { return new Pullback(inputs, outputs, backward, input, product, again); }

  /// This pullback, of an op whose first two inputs are factors.
  Pullback ofProduct() { return new Pullback(inputs, outputs, backward, adding, true, again); }

  /// Whether backward reads an input, where some inputs' cotangents are wanted.
  boolean reads(int input, IntPredicate wanted) { return !product || input > 1 || wanted.test(1 - input); }

  interface Backward {
    /// One cotangent an input, null where there is none.
    List<Tensor> of(Application a);
  }

  static final int[] NONE = {};

  static int[] in(int... numbers) { return numbers; }

  static Pullback of(Backward b) { return new Pullback(NONE, NONE, b); }
  static Pullback needing(int[] inputs, Backward b) { return new Pullback(inputs, NONE, b); }
  static Pullback needingOutput(Backward b) { return new Pullback(NONE, new int[] {0}, b); }

  /// No gradient flows back.
  static final Pullback STOP = of(a -> java.util.Collections.nCopies(a.inputs(), null));

  /// One application of an op as backward sees it. Tensors that the row did not ask for are types without elements.
  ///
  /// @param before what has already arrived at the input that the pullback adds to, and the row's result for it
  ///   includes; or null
  record Application(Tensor[] in, Tensor[] out, Tensor[] cotangents, boolean[] wanted, Tensor before) {
    Tensor x(int i) { return in[i]; }
    Tensor x() { return in[0]; }
    Tensor y(int i) { return out[i]; }
    Tensor y() { return out[0]; }
    Tensor dy() { return cotangents[0]; }
    boolean wants(int i) { return wanted[i]; }
    int inputs() { return in.length; }
  }
}
