package jacquard.clip.train;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.autograd.Schedule;
import jacquard.clip.nn.PatchDropout;
import jacquard.clip.train.parameter.Rates;
import jacquard.clip.train.task.Task;
import java.util.function.Supplier;

/// How gradients change parameters.
///
/// @param clip  limit of the gradient norm, 0 for none
/// @param parts micro-batches a step; the step is that of the joined batch
/// @param watch what is looked after meanwhile
public record Optimization(Optimizer.Rule rule, Schedule schedule, Rates rates, double clip, int parts, Watch watch) {
  /// @param wild       steps whose gradient norm is more than this many times the median of those before are left out;
  /// 0:
  ///   none is, and what is not finite ends the run
  /// @param whole      the first step at which the towers see all patches, whatever their patch dropout
  /// @param statistics whether evaluations measure how features lie
  /// @param layers     whether the gradients of each layer are measured
  /// @param recovers   whether the run goes back where the loss has risen
  public record Watch(double wild, long whole, boolean statistics, boolean layers, boolean recovers) {
    public static final Watch NONE = new Watch(0, Long.MAX_VALUE, false);

    public Watch(double wild, long whole, boolean statistics) { this(wild, whole, statistics, false, false); }

    /// What a step computes, with the patch dropout that it should have.
    <T> T during(long step, Supplier<T> f) { return PatchDropout.scaled(step < whole ? 1 : 0, f); }
  }

  public Optimization(Optimizer.Rule rule, Schedule schedule, Rates rates, double clip, int parts) {
    this(rule, schedule, rates, clip, parts, Watch.NONE);
  }

  /// The optimizer of a task's parameters.
  public Optimizer over(Task task) { return over(task, task.parameters()); }

  /// The optimizer of parameters at the paths of a task's.
  public Optimizer over(Task task, Parameters parameters) {
    return new Optimizer(rule, parameters, rates.of(task.model(), task.decayed()));
  }

  /// The limit of the gradient norm that holds: that of clipping, or the rule's own if it is smaller; 0 for none.
  double limit() { return clip <= 0 || rule.limit() > 0 && rule.limit() < clip ? rule.limit() : clip; }

  /// The rule's name, as checkpoints have it.
  String name() { return rule.getClass().getSimpleName(); }
}
