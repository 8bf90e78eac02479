package jacquard.kernels.nccl;

import jacquard.tensor.Group;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// A rank whose tensors on a GPU go through NCCL. All else goes through the group of its process (Open MPI's, or
/// TCP's): host arrays, failures and their causes, the deadline. Before each exchange the ranks agree there on what it
/// is, so that whoever waits in a kernel waits for ranks that have come.
///
/// NCCL moves bytes; who adds up in rank order does it with [#exchange]. NCCL's own sums, in an order of its choice,
/// are there for who asks for them.
public final class NcclGroup implements Group {
  private static final int SPINS = 2000, NAP = 20_000;
  private static final long LATER = 2_000_000_000L;

  private final Group host;
  private final Nccl nccl;
  private final long patience;
  private volatile MemorySegment communicator;
  private volatile boolean failed, told;

  /// @param host of the same ranks
  public NcclGroup(Group host, Nccl nccl, Duration patience) {
    this.host = host;
    this.nccl = nccl;
    this.patience = patience.toNanos();
    host.whenFailed(() -> {
      told = true;
      abort();
    });
  }

  @Override public int rank() { return host.rank(); }
  @Override public int size() { return host.size(); }
  @Override public boolean together() { return false; }
  @Override public void whenFailed(Runnable action) { host.whenFailed(action); }
  @Override public void away(String what) { host.away(what); }
  @Override public void allGather(String what, Stretch part, Stretch all) { host.allGather(what, part, all); }
  @Override public double[] sum(String what, double... values) { return host.sum(what, values); }
  @Override public String toString() { return host.toString(); }

  @Override public void reduceScatter(String what, Stretch all, int[] counts, Stretch part) {
    host.reduceScatter(what, all, counts, part);
  }

  @Override public void allReduce(String what, float factor, List<Stretch> in, List<Stretch> out) {
    host.allReduce(what, factor, in, out);
  }

  @Override public List<Object> meet(String what, Object mine) {
    throw new UnsupportedOperationException("ranks of several processes have no objects in common: " + what);
  }

  // Device memory

  /// What is exchanged: begun on all ranks by [#agree] with the same text.
  public interface Work { void on(Nccl nccl, Nccl.On on); }

  /// Brings the ranks to one place, before work on a stream of this rank's device, which is current.
  public void agree(String what) {
    host.sum(what);
    if (communicator == null) begin(what);
  }

  private void begin(String what) {
    var id = host.strings("NCCL's id", rank() == 0 ? Base64.getEncoder().encodeToString(nccl.uniqueId()) : "");
    communicator = nccl.communicator(Base64.getDecoder().decode(id.getFirst()), rank(), size());
    if (failed) abort();
    await(what);
  }

  /// The parts of all ranks, so many bytes each, one after another.
  public void gather(String what, long x, long y, long[] bytes, long stream) {
    var on = Nccl.On.of(communicator, stream);
    if (Arrays.stream(bytes).distinct().count() == 1) {
      if (bytes[0] > 0) nccl.allGather(x, y, bytes[0], on);
    } else nccl.together(() -> {
      long at = 0;
      for (int r = 0; r < size(); at += bytes[r++]) {
        if (bytes[rank()] > 0) nccl.send(x, bytes[rank()], r, on);
        if (bytes[r] > 0) nccl.receive(y + at, bytes[r], r, on);
      }
    });
    await(what);
  }

  /// Rank k gets part k of each rank's `x`: y is what all have for this one, by rank.
  ///
  /// @param bytes of each part
  public void exchange(String what, long x, long y, long[] bytes, long stream) {
    var on = Nccl.On.of(communicator, stream);
    long mine = bytes[rank()];
    nccl.together(() -> {
      long at = 0;
      for (int r = 0; r < size(); at += bytes[r++]) {
        if (bytes[r] > 0) nccl.send(x + at, bytes[r], r, on);
        if (mine > 0) nccl.receive(y + r * mine, mine, r, on);
      }
    });
    await(what);
  }

  /// Σ over ranks of floats, in NCCL's order: of each of these stretches.
  public void sums(String what, long[] x, long[] y, long[] floats, long stream) {
    var on = Nccl.On.of(communicator, stream);
    nccl.together(() -> {
      for (int i = 0; i < x.length; i++) if (floats[i] > 0) nccl.allReduce(x[i], y[i], floats[i], on);
    });
    await(what);
  }

  /// The same of this rank's part of so many floats of each.
  public void part(String what, long x, long y, long floats, long stream) {
    nccl.reduceScatter(x, y, floats, Nccl.On.of(communicator, stream));
    await(what);
  }

  /// A stretch of one rank to all.
  public void broadcast(String what, long x, long y, long bytes, int root, long stream) {
    nccl.broadcast(x, y, bytes, root, Nccl.On.of(communicator, stream));
    await(what);
  }

  /// Until the work is asked for in full. A rank's failure ends it, as the deadline does.
  private void await(String what) {
    long since = System.nanoTime();
    for (int turn = 0; ; turn++) {
      int state = state(what);
      if (state == Nccl.OK) return;
      if (System.nanoTime() - since > patience) {
        abort();
        throw new Failure("no end of %s through NCCL within %.0f s".formatted(what, patience / 1e9), null);
      }
      if (turn < SPINS) Thread.onSpinWait();
      else LockSupport.parkNanos(NAP);
    }
  }

  private int state(String what) {
    String error;
    synchronized (this) {
      int state = failed ? Nccl.OK : nccl.state(communicator);
      if (!failed && (state == Nccl.OK || state == Nccl.IN_PROGRESS)) return state;
      error = failed ? null : "NCCL's error " + state + ": " + nccl.meaning(state, communicator);
    }
    abort();
    // what NCCL sees of another rank's failure may come before its cause
    for (long since = System.nanoTime(); error != null && !told && System.nanoTime() - since < LATER; )
      LockSupport.parkNanos(NAP);
    if (told) left(what);
    throw new IllegalStateException(what + ": " + error);
  }

  /// Some rank has failed: the host's group says why.
  private void left(String what) {
    host.sum(what);
    throw new Failure(what + ": NCCL's communicator was given up", null);
  }

  /// Frees whoever waits in NCCL, in its kernels too.
  private synchronized void abort() {
    failed = true;
    var c = communicator;
    if (c == null) return;
    communicator = null;
    nccl.abort(c);
  }

  /// All ranks are through.
  public synchronized void end() {
    var c = communicator;
    communicator = null;
    if (c != null && !failed) nccl.end(c);
  }
}
