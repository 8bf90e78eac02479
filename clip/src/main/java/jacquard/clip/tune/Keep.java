package jacquard.clip.tune;

import jacquard.clip.tune.task.OldNames;
import jacquard.clip.train.task.Task;
import java.io.IOException;

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
}
