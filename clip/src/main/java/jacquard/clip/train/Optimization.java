package jacquard.clip.train;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.autograd.Schedule;
import jacquard.clip.train.task.Rates;
import jacquard.clip.train.task.Task;

/// How gradients change parameters.
///
/// @param clip  limit of the gradient norm, 0 for none
/// @param parts micro-batches a step; the step is that of the joined batch
public record Optimization(Optimizer.Rule rule, Schedule schedule, Rates rates, double clip, int parts) {
  /// The optimizer of a task's parameters.
  public Optimizer over(Task task) { return over(task, task.parameters()); }

  /// The optimizer of parameters at the paths of a task's.
  public Optimizer over(Task task, Parameters parameters) {
    return new Optimizer(rule, parameters, rates.of(task.model()));
  }

  /// The rule's name, as checkpoints have it.
  String name() { return rule.getClass().getSimpleName(); }
}
