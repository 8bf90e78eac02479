package jacquard.kernels.local;

import jacquard.tensor.Group;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Where the ranks of one JVM wait for each other. A meeting takes place when all have come; the next one begins when
/// all have left, because it needs them all again.
final class Meeting {
  private final String[] said;
  private final Object[] brought;
  private final boolean[] here, ended;
  private final List<Runnable> actions = new ArrayList<>();
  private List<Object> result;
  private int arrived;
  private long held;
  private Throwable cause;
  private String failure;

  Meeting(int size) {
    said = new String[size];
    brought = new Object[size];
    here = new boolean[size];
    ended = new boolean[size];
  }

  synchronized List<Object> meet(int rank, String what, Object mine) {
    for (int r = 0; r < ended.length; r++)
      if (ended[r]) broken("rank " + r + " has ended, rank " + rank + " is at " + what, null);
    check();
    said[rank] = what;
    brought[rank] = mine;
    here[rank] = true;
    if (++arrived == said.length) {
      for (var s : said) if (!s.equals(what)) disagree();
      check();
      result = Collections.unmodifiableList(java.util.Arrays.asList(brought.clone()));
      arrived = 0;
      java.util.Arrays.fill(here, false);
      held++;
      notifyAll();
    } else {
      long before = held;
      while (held == before && failure == null) {
        try { wait(); } catch (InterruptedException e) {
          broken("rank " + rank + " was interrupted at " + what, e);
          Thread.currentThread().interrupt();
        }
      }
      // a meeting that took place is over, even if a rank has failed since
      if (held == before) check();
    }
    return result;
  }

  private void disagree() {
    var all = new StringBuilder("the ranks do not do the same:");
    for (int r = 0; r < said.length; r++)
      all.append(r == 0 ? " rank " : "; rank ").append(r).append(": ").append(said[r]);
    broken(all.toString(), null);
  }

  /// A rank threw: all others leave.
  synchronized void fail(String who, Throwable t) { broken(who + ": " + t, t); }

  /// A rank is through; whoever still waits for it waits in vain.
  synchronized void end(int rank) {
    ended[rank] = true;
    for (int r = 0; r < here.length; r++)
      if (here[r]) broken("rank " + rank + " has ended, rank " + r + " is at " + said[r], null);
  }

  synchronized void whenFailed(Runnable action) {
    if (failure != null) action.run();
    else actions.add(action);
  }

  /// What the first failure was; null if there was none.
  synchronized Throwable cause() {
    return failure == null ? null : cause != null ? cause : new Group.Failure(failure, null);
  }

  private void broken(String message, Throwable t) {
    if (failure != null) return;
    failure = message;
    cause = t;
    notifyAll();
    actions.forEach(Runnable::run);
  }

  private void check() { if (failure != null) throw new Group.Failure(failure, cause); }
}
