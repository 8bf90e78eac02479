package jacquard.kernels.mpi;

import jacquard.tensor.Group;
import java.time.Duration;

/// Ranks that `mpirun` or `srun` started.
public final class MpiProcesses implements Group.Processes {
  @Override public String name() { return "mpi"; }

  /// Who fails tells the others why and throws; they leave with it at their next exchange. Whoever does not come to
  /// one, and is ended by the launcher, says the cause as it ends.
  @Override public <T, X extends Exception> T run(Duration patience, Group.Body<T, X> body) throws X {
    var group = new MpiGroup(Mpi.load(), patience);
    var last = new Thread(() -> {
      if (group.failure() != null) System.err.println("jacquard: " + group + " is ended: " + group.failure());
    }, "last words");
    Runtime.getRuntime().addShutdownHook(last);
    try {
      T result = ScopedValue.where(Group.CURRENT, group).call(() -> body.run(group));
      group.end();
      return result;
    } catch (Throwable t) {
      group.fail(t);
      throw t;
    } finally {
      try { Runtime.getRuntime().removeShutdownHook(last); }
      catch (IllegalStateException ending) { System.err.flush(); }
    }
  }
}
