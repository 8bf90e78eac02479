package jacquard.tests;

import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/// One way to apply an op: its parameters and what it is applied to. Knows no device; serves the comparison with the
/// [double reference][jacquard.tests.reference.Reference], the views, the 16-bit types, the gradients, the
/// repeatability checks, and the benchmarks.
///
/// @param inputs  how each input is drawn
/// @param arrange makes the op's inputs of what was drawn: a gradient kernel also takes what the forward computed
/// @param large   crosses the kernels' blocks: compared once, left out of slow configurations
public record OpSpec(Op op, List<Input> inputs, UnaryOperator<List<Sample>> arrange, boolean large) {
  public record Input(Type type, Draw.Values values) {
    Input as(DType dtype) { return type.dtype().floating() ? new Input(new Type(dtype, type.shape()), values) : this; }
  }

  public static OpSpec of(Op op, Input... inputs) {
    return new OpSpec(op, List.of(inputs), UnaryOperator.identity(), false);
  }

  /// An input of floats between −1 and 1.
  public static Input f32(int... dims) { return in(-1, 1, dims); }
  /// The same, held in BF16.
  public static Input bf16(int... dims) { return f32(dims).as(DType.BF16); }
  public static Input in(double low, double high, int... dims) { return in(Draw.uniform(low, high), dims); }
  public static Input in(Draw.Values values, int... dims) { return new Input(Type.f32(dims), values); }
  public static Input ints(int... values) {
    double[] v = java.util.Arrays.stream(values).asDoubleStream().toArray();
    return new Input(new Type(DType.I32, Shape.of(values.length)), Draw.these(v.length == 0 ? new double[1] : v));
  }

  public OpSpec asLarge() { return new OpSpec(op, inputs, arrange, true); }

  /// The same with 16-bit floats.
  public OpSpec as(DType dtype) {
    return new OpSpec(op, inputs.stream().map(i -> i.as(dtype)).toList(), arrange, large);
  }

  public String name() {
    return op.getClass().getSimpleName() + " " + op + " of " + inputs.stream().map(i -> i.type().toString()).toList();
  }

  /// Inputs drawn from streams of the seed.
  public List<Sample> draw(long seed) {
    var r = new ArrayList<Sample>();
    for (int i = 0; i < inputs.size(); i++)
      r.add(Draw.sample(seed * 1000 + i, inputs.get(i).type, inputs.get(i).values));
    return arrange.apply(r);
  }

  /// The drawn inputs in the current scope.
  public List<Tensor> tensors(long seed) { return draw(seed).stream().map(Sample::tensor).toList(); }

  /// Floating-point operations and bytes of one application.
  public Work work() { return Work.of(op, draw(0).stream().map(Sample::type).toList()); }
}
