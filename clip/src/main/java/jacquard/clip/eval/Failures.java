package jacquard.clip.eval;

import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.util.List;
import java.util.TreeMap;

/// The inputs that could not be read, by number. Safe for many threads.
public final class Failures {
  private final TreeMap<Integer, Exception> all = new TreeMap<>();

  synchronized void add(int index, Exception e) { all.put(index, e); }

  public synchronized int count() { return all.size(); }

  /// Why the first of them could not be read; null if all could.
  public synchronized String first() { return all.isEmpty() ? null : Reason.of(all.firstEntry().getValue()); }

  /// Why each could not, in the order of the inputs.
  public synchronized List<String> messages() { return all.values().stream().map(Reason::of).toList(); }

  synchronized IOException cause() {
    var e = all.firstEntry().getValue();
    return e instanceof IOException io ? io : new IOException(e.getMessage(), e);
  }
}
