package jacquard.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// A region of memory with a beginning and an end: tensors made inside it end with it. Scopes nest, device → model →
/// step → block.
///
/// ```java
/// try (var scope = Scope.open(device)) { var y = x.matmul(w); … }
/// ```
public final class Scope implements AutoCloseable {
  private static final ThreadLocal<Scope> CURRENT = new ThreadLocal<>();

  private final Device device;
  private final Scope parent;
  private final Thread thread;                           // null for a detached scope
  private final StackTraceElement place;
  private List<Tensor> owned = new ArrayList<>();

  private Scope(Device device, Scope parent, Thread thread) {
    this.device = device;
    this.parent = parent;
    this.thread = thread;
    this.place = StackWalker.getInstance().walk(s -> s.filter(f -> !f.getClassName().equals(Scope.class.getName()))
        .findFirst().map(StackWalker.StackFrame::toStackTraceElement).orElse(null));
  }

  /// A scope inside the current one, on its device.
  public static Scope open() { return open(current().device); }

  public static Scope open(Device device) {
    var s = new Scope(device, CURRENT.get(), Thread.currentThread());
    CURRENT.set(s);
    return s;
  }

  /// A scope that stands beside the nest: it owns what is given to it by [#adopt] or made in [#within], and any thread
  /// may close it.
  public static Scope detached(Device device) { return new Scope(device, null, null); }

  public static Scope current() {
    var s = CURRENT.get();
    if (s == null)
      throw new IllegalStateException("no open scope: wrap the call in try (var scope = Scope.open(device))");
    return s;
  }

  /// Runs `f` in a scope of its own and ends all that it made but its result.
  public static Tensor result(Supplier<Tensor> f) {
    try (var s = open()) { return s.keep(f.get()); }
  }

  public static List<Tensor> results(Supplier<List<Tensor>> f) {
    try (var s = open()) {
      var r = f.get();
      r.forEach(s::keep);
      return r;
    }
  }

  /// Runs `f` with this scope as the current one, so that what `f` makes belongs to it. One thread at a time.
  public <T> T within(Supplier<T> f) {
    var before = CURRENT.get();
    CURRENT.set(this);
    try { return f.get(); } finally { if (before == null) CURRENT.remove(); else CURRENT.set(before); }
  }

  public Device device() { return device; }

  /// Moves a tensor that this scope owns to the enclosing scope; does nothing to one it does not own.
  public Tensor keep(Tensor t) {
    if (t.owner == this) {
      if (parent == null)
        throw new IllegalStateException("tensor " + t.type()
            + " cannot leave the outermost scope: adopt it into a detached scope");
      parent.own(t);
    }
    return t;
  }

  /// Takes a tensor over from whichever scope owns it.
  public Tensor adopt(Tensor t) {
    own(t);
    return t;
  }

  synchronized void own(Tensor t) {
    if (owned == null) throw new IllegalStateException("the scope opened at " + place + " is closed");
    t.owner = this;
    owned.add(t);
  }

  @Override public void close() {
    List<Tensor> mine;
    synchronized (this) {
      if (owned == null) return;
      mine = owned;
      owned = null;
    }
    try {
      if (thread != null && (Thread.currentThread() != thread || CURRENT.get() != this))
        throw new IllegalStateException(
            "scopes close in the order they were opened, on their own thread; this one was opened at " + place);
    } finally {
      if (thread != null && CURRENT.get() == this) { if (parent == null) CURRENT.remove(); else CURRENT.set(parent); }
      for (int i = mine.size() - 1; i >= 0; i--) if (mine.get(i).owner == this) mine.get(i).end();
    }
  }

  @Override public String toString() { return "scope opened at " + place; }
}
