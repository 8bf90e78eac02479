package jacquard.clip.tune;

import jacquard.clip.train.task.Task;
import jacquard.clip.tune.task.Anchored;
import jacquard.clip.tune.task.Averaged;
import jacquard.clip.tune.task.BothWays;
import jacquard.clip.tune.task.OldNames;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/// What holds on to what was known before.
public sealed interface Keep {
  /// The task with what keeps the old around it.
  Task around(Task task, Start start) throws IOException;

  /// Nothing beside the method itself; or old pairs in every batch, which the data see to.
  record Nothing() implements Keep {
    @Override public Task around(Task task, Start start) { return task; }
  }

  /// Learning without forgetting over the guard's names; see [OldNames].
  record Names(double weight, double temperature) implements Keep {
    @Override public Task around(Task task, Start start) throws IOException {
      var before = start.model();
      return new OldNames(task, before, start.bank(before, start.guard().names()), weight, temperature);
    }
  }

  /// ZSCL: over the guard's names both ways, and the mean of the weights along the way; see [BothWays], [Averaged].
  record Both(double weight, double temperature) implements Keep {
    /// How often weights are taken into the mean.
    private static final int TIMES = 20;

    @Override public Task around(Task task, Start start) throws IOException {
      return Averaged.of(new BothWays((OldNames) new Names(weight, temperature).around(task, start)),
          Math.max(1, start.epochs().steps() / TIMES));
    }
  }

  /// Weights stay near the old ones, all the same; see [Anchored].
  record Near(double weight) implements Keep {
    @Override public Task around(Task task, Start start) { return new Anchored(task, copies(task), null, weight); }
  }

  /// Weights that matter to old pairs stay nearer to the old ones; see [Fisher].
  record Important(double weight) implements Keep {
    @Override public Task around(Task task, Start start) throws IOException {
      return new Anchored(task, copies(task), Fisher.of(task, start), weight);
    }
  }

  private static Map<String, Tensor> copies(Task task) {
    var r = new LinkedHashMap<String, Tensor>();
    task.parameters().trained().forEach((path, t) -> r.put(path, t.copy()));
    return r;
  }
}
