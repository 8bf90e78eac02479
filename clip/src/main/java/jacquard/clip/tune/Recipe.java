package jacquard.clip.tune;

import jacquard.clip.train.task.Task;
import java.io.IOException;

/// An adaptation: a method and what it keeps, from a start. The model as it was is read again by a run that goes on,
/// which keeps only what changed.
public record Recipe(Start start, Method method, Keep keep) implements Task.Recipe {
  @Override public Task make(boolean resumed) throws IOException { return keep.around(method.task(start.model(),
      start), start); }
}
