package jacquard.kernels.mpi;

import jacquard.tensor.Group;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// How the ranks learn of each other's failures, which MPI's own calls do not tell: a thread that reads small messages
/// on a communicator of its own, looks whether the processes on this machine are alive, and keeps the deadline. Who
/// waits asks [#check].
///
/// Messages: `F` and a cause; `H`, a number and a text: the exchange that a rank has long been waiting at; `A` and `B`:
/// a rank is away from the others' work for a while, and is back.
final class Mailbox implements AutoCloseable {
  private static final Duration LOOK = Duration.ofMillis(20);
  /// How long a rank that has failed may take to leave by itself before all processes are ended.
  private static final Duration GRACE = Duration.ofSeconds(5);

  private final Mpi mpi;
  private final MemorySegment world, on;
  private final int rank, size;
  private final long patience;
  private final List<Runnable> actions = new ArrayList<>();
  private final List<Mpi.Sent> sent = new ArrayList<>();
  private final long[] seen;
  private final String[] where;
  private final boolean[] away;
  private final ProcessHandle[] peers;
  private final Thread watch;
  private volatile String failure;
  private volatile boolean through;
  // of this rank's wait
  private volatile long number, since;
  private volatile String text;
  private volatile boolean waiting;
  private long told;

  Mailbox(Mpi mpi, MemorySegment world, Duration patience) {
    this.mpi = mpi;
    this.world = world;
    this.on = mpi.twin(world);
    this.rank = mpi.rank(world);
    this.size = mpi.size(world);
    this.patience = patience.toNanos();
    seen = new long[size];
    where = new String[size];
    away = new boolean[size];
    peers = new ProcessHandle[size];
    watch = Thread.ofPlatform().daemon().name("ranks").start(this::watch);
  }

  /// This process and its machine.
  static String here() { return ProcessHandle.current().pid() + " " + host(); }

  private static String host() {
    try { return InetAddress.getLocalHost().getHostName(); }
    catch (UnknownHostException e) { return "unknown " + ProcessHandle.current().pid(); }
  }

  /// Looks from now on whether those of the ranks' processes live that are on this machine.
  synchronized void watch(List<String> processes) {
    for (int r = 0; r < size; r++) {
      var words = processes.get(r).split(" ", 2);
      if (words[1].equals(host())) peers[r] = ProcessHandle.of(Long.parseLong(words[0])).orElse(null);
    }
  }

  private void watch() {
    while (!through) {
      synchronized (this) {
        if (through) return;
        read();
        if (failure == null && waiting) {
          long waited = System.nanoTime() - since;
          if (told != number && waited > Math.min(patience / 4, 1_000_000_000L)) tell('H', told = number, text);
          for (int r = 0; r < size; r++) if (peers[r] != null && r != rank && !peers[r].isAlive()) ended(r);
          if (waited > patience) late();
        }
      }
      try { Thread.sleep(LOOK); } catch (InterruptedException e) { return; }
    }
  }

  private void read() {
    for (Mpi.Message m; (m = mpi.receive(on)) != null; ) read(m);
  }

  /// Its last words come first.
  private void ended(int r) {
    read();
    fail("rank " + r + " has ended (process " + peers[r].pid() + "): exit, crash or kill; rank " + rank + " waits at "
        + text, true);
  }

  private void read(Mpi.Message m) {
    var b = ByteBuffer.wrap(m.text());
    char kind = b.getChar();
    long at = b.getLong();
    var says = new String(m.text(), b.position(), b.remaining(), StandardCharsets.UTF_8);
    switch (kind) {
      case 'F' -> fail(says, false);
      case 'H' -> {
        seen[m.from()] = at;
        where[m.from()] = says;
      }
      case 'A', 'B' -> {
        away[m.from()] = kind == 'A';
        where[m.from()] = says;
        since = System.nanoTime();
      }
      default -> throw new IllegalStateException("a message " + kind);
    }
  }

  /// The deadline has passed. While some rank is away with a word, time does not count.
  private void late() {
    if (IntStream.range(0, size).anyMatch(r -> away[r])) return;
    var who = IntStream.range(0, size).filter(r -> r != rank && seen[r] < number)
        .mapToObj(r -> "rank " + r + (where[r] == null ? "" : ", last seen at " + where[r]))
        .collect(Collectors.joining("; "));
    if (who.isEmpty()) return;
    fail("no sign for %.0f s of %s; rank %d waits at %s".formatted(patience / 1e9, who, rank, text), true);
  }

  private void tell(char kind, long at, String says) {
    byte[] words = says.getBytes(StandardCharsets.UTF_8);
    byte[] message = ByteBuffer.allocate(10 + words.length).putChar(kind).putLong(at).put(words).array();
    sent.removeIf(mpi::left);
    for (int r = 0; r < size; r++) if (r != rank) sent.add(mpi.send(message, r, on));
  }

  /// The first failure counts. Whoever finds it tells the others.
  synchronized void fail(String cause, boolean found) {
    if (failure != null) return;
    failure = cause;
    if (found) tell('F', 0, cause);
    actions.forEach(Runnable::run);
    Thread.ofPlatform().daemon().name("grace").start(() -> {
      try { Thread.sleep(GRACE); } catch (InterruptedException e) { return; }
      System.err.println("jacquard: rank " + rank + " of " + size + " does not leave by itself; the cause: " + cause);
      mpi.abort(world, 1);
    });
  }

  String failure() { return failure; }

  /// @throws Group.Failure with the cause, if some rank has failed
  void check() { if (failure != null) throw new Group.Failure(failure, null); }

  /// This rank comes to the exchange of this number.
  void enter(long number, String text) {
    this.text = text;
    this.number = number;
  }

  /// This rank begins to wait for the others, or has ceased to.
  void waits(boolean now) {
    since = System.nanoTime();
    waiting = now;
  }

  synchronized void away(String what) { tell(what == null ? 'B' : 'A', 0, what == null ? "" : what); }

  synchronized void whenFailed(Runnable action) {
    if (failure != null) action.run();
    else actions.add(action);
  }

  /// No more messages: all ranks are through.
  @Override public void close() {
    synchronized (this) { through = true; }
    try { watch.join(); } catch (InterruptedException e) { Thread.currentThread().interrupt(); }
  }
}
