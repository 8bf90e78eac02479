package jacquard.autograd;

import jacquard.tensor.Interpreter;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/// Gradients by reverse-mode differentiation of whatever a lambda applies.
public final class Grad {
  /// @param value     what the lambda returned
  /// @param gradients by the parameters' names; a parameter that was not reached is absent and named in `unreached`
  public record Step(Tensor value, SequencedMap<String, Tensor> gradients, List<String> unreached) {}

  /// @param values    what the lambda returned
  /// @param gradients one an input, null where nothing flowed back
  public record Vjps(List<Tensor> values, List<Tensor> gradients) {}

  private Grad() {}

  /// Runs `f`, which returns a scalar, and gives its gradient with respect to each trained parameter.
  /// Update ops applied in `f` run once, after backward. Fails if no parameter was reached.
  public static Step valueAndGrad(Parameters parameters, Supplier<Tensor> f) {
    var gradients = new LinkedHashMap<String, Tensor>();
    var step = backward(parameters, f, null, gradients);
    return new Step(step.value(), gradients, step.unreached());
  }

  /// The same, but the gradients never exist all together: they go to `use` in groups, by parameter path, when backward
  /// has finished them, and end then; the result holds none. A parameter may be written there: backward needs it no
  /// more.
  ///
  /// @param elements from how many on a group is handed over; what is left at the end is the last group
  public static Step valueAndGrad(Parameters parameters, Supplier<Tensor> f, long elements,
      Consumer<Map<String, Tensor>> use) {
    var group = new LinkedHashMap<String, Tensor>();
    Runnable hand = () -> {
      try (var _ = Scope.open()) { use.accept(group); } finally {
        group.values().forEach(Tensor::end);
        group.clear();
      }
    };
    try {
      var step = backward(parameters, f, (name, g) -> {
        group.put(name, g);
        if (group.values().stream().mapToLong(t -> t.shape().size()).sum() >= elements) hand.run();
      }, new LinkedHashMap<>());
      if (!group.isEmpty()) hand.run();
      return step;
    } finally { group.values().forEach(Tensor::end); }
  }

  /// With `finished` each gradient goes there as soon as it is whole; without, into `gradients`.
  private static Step backward(Parameters parameters, Supplier<Tensor> f, BiConsumer<String, Tensor> finished,
      Map<String, Tensor> gradients) {
    var trained = parameters.trained();
    try (var tape = new Tape(trained.values(), Interpreter.current().base(), true)) {
      var value = tape.record(f);
      if (value.shape().size() != 1)
        throw new IllegalArgumentException("valueAndGrad needs a scalar, not " + value.type());
      var unreached = trained.entrySet().stream().filter(e -> !tape.reached(e.getValue())).map(Map.Entry::getKey)
          .toList();
      if (unreached.size() == trained.size())
        throw new IllegalStateException("the value depends on none of the " + trained.size() + " trained parameters");
      var names = List.copyOf(trained.keySet());
      var d = tape.backward(List.of(value), List.of(Tensor.full(value.shape(), 1)), List.copyOf(trained.values()),
          finished == null ? null : (i, g) -> finished.accept(names.get(i), g));
      tape.runUpdates();
      for (int i = 0; i < names.size(); i++) if (d.get(i) != null) gradients.put(names.get(i), d.get(i));
      return new Step(value, new LinkedHashMap<>(), unreached);
    }
  }

  /// Runs `f` on `inputs` and pulls `cotangents` (one an output, made from the outputs) back to the inputs. A tensor
  /// given twice is two inputs.
  public static Vjps vjp(List<Tensor> given, Function<List<Tensor>, List<Tensor>> f,
      Function<List<Tensor>, List<Tensor>> cotangents) {
    var inputs = new ArrayList<Tensor>();
    for (var t : given) inputs.add(inputs.stream().noneMatch(x -> x == t) ? t : Scope.current().adopt(t.share()));
    try (var tape = new Tape(inputs, Interpreter.current().base(), true)) {
      var y = tape.record(() -> f.apply(inputs));
      var r = new Vjps(y, tape.backward(y, cotangents.apply(y), inputs));
      tape.runUpdates();
      return r;
    }
  }

  /// Runs `f` on `inputs` without keeping what it computes on the way; backward runs it again. What `f` closes over
  /// must outlive backward (parameters do); everything else that it reads belongs among the inputs.
  public static List<Tensor> checkpoint(List<Tensor> inputs, Function<List<Tensor>, List<Tensor>> f) {
    return Interpreter.current().base() instanceof Tape t ? t.checkpoint(inputs, f) : f.apply(new ArrayList<>(inputs));
  }
}
