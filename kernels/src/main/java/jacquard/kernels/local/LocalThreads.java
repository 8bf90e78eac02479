package jacquard.kernels.local;

import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Scope;
import java.util.ArrayList;
import java.util.List;

/// One platform thread a rank.
public final class LocalThreads implements Group.Threads {
  @SuppressWarnings("unchecked")
  @Override public <T, X extends Exception> List<T> run(List<Device> devices, Group.Body<T, X> body) throws X {
    int size = devices.size();
    var meeting = new Meeting(size);
    var results = new Object[size];
    var threads = new ArrayList<Thread>();
    for (int r = 0; r < size; r++) {
      int rank = r;
      threads.add(Thread.ofPlatform().name("rank-" + rank).start(() -> {
        var group = new LocalGroup(rank, size, meeting);
        try (var _ = Scope.open(devices.get(rank))) { results[rank] = ScopedValue.where(Group.CURRENT, group)
            .call(() -> body.run(group)); }
        catch (Throwable t) { meeting.fail("rank " + rank + " failed", t); }
        finally { meeting.end(rank); }
      }));
    }
    boolean interrupted = false;
    for (var t : threads)
      while (true)
        try { t.join(); break; }
        // the ranks learn of it, and this thread waits for them to leave
        catch (InterruptedException e) {
          interrupted = true;
          meeting.fail("interrupted", e);
        }
    if (interrupted) Thread.currentThread().interrupt();
    switch (meeting.cause()) {
      case null -> { return (List<T>) java.util.Arrays.asList(results); }
      case Error e -> throw e;
      case RuntimeException e -> throw e;
      case InterruptedException e -> throw new Group.Failure("interrupted", e);
      case Throwable e -> throw (X) e;
    }
  }
}
