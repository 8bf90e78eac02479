package jacquard.autograd;

import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// Turns gradients into changes of the parameters, in place, by a [Rule]. The moments are made at construction, in the
/// scope current then.
public final class Optimizer {
  /// How one parameter changes. A step follows from its number alone, so that resuming needs the moments and the count.
  public sealed interface Rule permits Fused, Composed {
    /// What is kept for a parameter of a shape, 0 at first, with its shape.
    SequencedMap<String, Shape> moments(Shape parameter);

    /// The rule of one parameter: this one, or another where this one does not fit it.
    default Rule of(String path, Shape parameter) { return this; }

    /// The largest norm of all gradients together that the rule allows itself, beside any clipping; 0 for no limit.
    default double limit() { return 0; }
  }

  /// A rule that is one op, whatever the shape.
  public non-sealed interface Fused extends Rule {
    /// Of the parameter's shape; in the order of [#update]'s inputs.
    List<String> moments();

    @Override default SequencedMap<String, Shape> moments(Shape parameter) {
      var r = new LinkedHashMap<String, Shape>();
      for (var name : moments()) r.put(name, parameter);
      return r;
    }

    /// The op of step `t`, from 1, on parameter, moments and gradient.
    Update update(long t, double rate, double decay, float factor);
  }

  /// A rule that is several ops.
  public non-sealed interface Composed extends Rule {
    /// Changes parameter and moments in place.
    ///
    /// @param moments in the order of [#moments(Shape)]
    void move(Tensor parameter, List<Tensor> moments, Tensor gradient, At at);

    /// target ← value.
    static void write(Tensor target, Tensor value) { blend(target, 1, 1, value); }

    /// target ← (1 − share)·target + share·scale·value.
    static void blend(Tensor target, float share, float scale, Tensor value) {
      Tensor.applyAll(new Update.Blend(share, scale), List.of(target, value));
    }
  }

  /// The circumstances of a step.
  ///
  /// @param t      its number, from 1
  /// @param factor by which the gradient is multiplied first: clipping
  public record At(long t, double rate, double decay, float factor) {}

  /// Decoupled weight decay (Loshchilov and Hutter 2019); see [Update.AdamW].
  public record AdamW(double beta1, double beta2, double epsilon) implements Fused {
    @Override public List<String> moments() { return List.of("m", "v"); }
    @Override public Update update(long t, double rate, double decay, float factor) {
      return new Update.AdamW(rate, beta1, beta2, epsilon, decay, t, factor);
    }
  }

  /// Adam with Nesterov momentum (Dozat 2016) and decoupled decay, as PyTorch's NAdam: μₜ = β₁·(1 − ½·0.96^(t·growth));
  /// see [Update.NAdamW].
  ///
  /// @param growth PyTorch's `momentum_decay`, 4e-3 there
  public record NAdamW(double beta1, double beta2, double epsilon, double growth) implements Fused {
    @Override public List<String> moments() { return List.of("m", "v"); }

    @Override public Update update(long t, double rate, double decay, float factor) {
      // Π of μ₁ … μₜ; below 1e-20 it no longer shows in 1 − Π
      double product = 1, next = momentum(t + 1);
      for (long i = 1; i <= t && product > 1e-20; i++) product *= momentum(i);
      double ofGradient = (1 - momentum(t)) / (1 - product), ofMoment = next / (1 - product * next);
      return new Update.NAdamW(rate, beta1, beta2, epsilon, decay, t, ofGradient, ofMoment, factor);
    }

    private double momentum(long t) { return beta1 * (1 - 0.5 * StrictMath.pow(0.96, t * growth)); }
  }

  /// Gradient descent with momentum, after Nesterov or Polyak; the decay is added to the gradient. See
  /// [Update.Descent].
  public record Sgd(double momentum, boolean nesterov) implements Fused {
    public Sgd {
      if (nesterov && momentum == 0) throw new IllegalArgumentException("Nesterov's step needs a momentum above 0");
    }
    @Override public List<String> moments() { return List.of("m"); }
    @Override public Update update(long t, double rate, double decay, float factor) {
      return new Update.Descent(rate, momentum, nesterov, decay, factor);
    }
  }

  /// How a parameter differs from the others.
  ///
  /// @param factor on the learning rate
  /// @param decay  its weight decay
  public record Rate(double factor, double decay) {}

  private final Rule rule;
  private final SequencedMap<String, Tensor> parameters;
  private final SequencedMap<String, Tensor> moments = new LinkedHashMap<>();
  private final Map<String, Rate> rates = new HashMap<>();
  private final Map<String, Rule> rules = new HashMap<>();
  private long steps;

  /// @param decayed which paths decay
  public Optimizer(Rule rule, Parameters parameters, double decay, Predicate<String> decayed) {
    this(rule, parameters, path -> new Rate(1, decayed.test(path) ? decay : 0));
  }

  /// @param rates of each path
  public Optimizer(Rule rule, Parameters parameters, Function<String, Rate> rates) {
    this.rule = rule;
    this.parameters = parameters.trained();
    this.parameters.keySet().forEach(path -> this.rates.put(path, rates.apply(path)));
    // Weights that still lie in a file come out of it now: its pages and the moments need not be there together. Frozen
    // ones come when they are used, a table of which few rows are read never.
    this.parameters.values().forEach(p -> p.storage().block());
    this.parameters.forEach((path, p) -> {
      var own = rule.of(path, p.shape());
      rules.put(path, own);
      own.moments(p.shape()).forEach((name, shape) -> moments.put(path + "." + name, Tensor.zeros(shape)));
    });
  }

  /// @param gradients by parameter path; what is absent is left as it is
  /// @param factor    by which every gradient is multiplied first: clipping
  public void step(Map<String, Tensor> gradients, double rate, float factor) { step(rate, factor).accept(gradients); }

  /// The same step in parts: what is returned takes some of the gradients at a time, as
  /// [Grad#valueAndGrad(Parameters, Supplier, long, Consumer)] hands them over.
  public Consumer<Map<String, Tensor>> step(double rate, float factor) {
    steps++;
    record Kind(Fused rule, Rate rate) {}
    var kinds = new HashMap<Kind, Update>();
    return gradients -> {
      var updates = new ArrayList<Update>();
      var in = new ArrayList<Tensor>();
      parameters.forEach((path, p) -> {
        var g = gradients.get(path);
        if (g == null) return;
        var r = rates.get(path);
        var own = rules.get(path);
        var kept = own.moments(p.shape()).keySet().stream().map(name -> moments.get(path + "." + name)).toList();
        switch (own) {
          case Fused fused -> {
            updates.add(kinds.computeIfAbsent(new Kind(fused, r), _ ->
                fused.update(steps, rate * r.factor, r.decay, factor)));
            in.add(p);
            in.addAll(kept);
            in.add(g);
          }
          case Composed composed -> {
            try (var _ = Scope.open()) { composed.move(p, kept, g, new At(steps, rate * r.factor, r.decay, factor)); }
          }
        }
      });
      if (!updates.isEmpty()) Tensor.applyAll(new Update.Together(updates), in);
    };
  }

  public Rule rule() { return rule; }

  /// What a checkpoint must hold to go on: names → tensors, written in place on resume, and [#steps].
  public SequencedMap<String, Tensor> state() { return moments; }

  public long steps() { return steps; }

  public void restore(long steps) { this.steps = steps; }
}
