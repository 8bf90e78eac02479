package jacquard.tests;

import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// One way to apply an op: its parameters and what it is applied to. Serves the comparison with its definition, the gradient checks, the
/// repeatability checks.
///
/// @param low,high    the range of the floating inputs' values
/// @param inputs      shapes of the floating inputs
/// @param more        further inputs that carry no gradient
/// @param definition  the meaning by simpler ops, or null where the op is elementary
public record OpSpec(Op op, float low, float high, List<Shape> inputs, Function<OpSpec, List<Tensor>> more, Function<List<Tensor>, List<Tensor>> definition) {

  public String name() { return op.getClass().getSimpleName() + " " + op + " of " + inputs; }

  /// Inputs drawn from a stream of the seed, in the current scope.
  public List<Tensor> draw(long seed) {
    var r = new ArrayList<Tensor>();
    for (int i = 0; i < inputs.size(); i++) r.add(Draw.uniform(seed + i, inputs.get(i), low, high));
    r.addAll(more.apply(this));
    return r;
  }
}
