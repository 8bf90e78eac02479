package jacquard.kernels.tcp;

import jacquard.tensor.Group;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The connections of all ranks to rank 0. Each exchange goes there and comes back from there; a connection that ends
/// is a rank that has ended, and who fails says why before.
final class Star implements AutoCloseable {
  private static final byte[] GREETING = "jacquard ranks 1 ".getBytes(StandardCharsets.US_ASCII);
  private static final int DATA = 0, FAILED = 1, AWAY = 2, BACK = 3, THROUGH = 4;
  /// How long a rank tries again to reach rank 0, which may start later, and how often.
  private static final long TRY = 100, LONGER = 2_000;

  private record Frame(String text, byte[] data) {}

  private final class Line {
    final int to;
    final Socket socket;
    final DataOutputStream out;
    final BlockingQueue<Frame> come = new LinkedBlockingQueue<>();
    volatile boolean away, through;

    Line(int to, Socket socket) throws IOException {
      this.to = to;
      this.socket = socket;
      socket.setTcpNoDelay(true);
      out = new DataOutputStream(new java.io.BufferedOutputStream(socket.getOutputStream(), 1 << 16));
    }

    synchronized void send(int kind, String text, byte[] data) throws IOException {
      byte[] words = text.getBytes(StandardCharsets.UTF_8);
      out.writeByte(kind);
      out.writeInt(words.length);
      out.writeInt(data.length);
      out.write(words);
      out.write(data);
      out.flush();
    }

    void read() {
      try {
        var in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream(), 1 << 16));
        while (true) {
          int kind = in.readByte(), words = in.readInt(), n = in.readInt();
          var text = new String(exactly(in, words), StandardCharsets.UTF_8);
          byte[] data = exactly(in, n);
          switch (kind) {
            case DATA -> come.add(new Frame(text, data));
            case FAILED -> fail(text);
            case AWAY, BACK -> absent(this, kind, text);
            case THROUGH -> through = true;
            default -> throw new IOException("a message of kind " + kind);
          }
        }
      } catch (IOException e) { if (!through && !closed) fail("rank " + to + " has ended: its connection is gone"); }
    }
  }

  private final int rank, size;
  private final long patience;
  private final Line[] lines;
  private final List<Runnable> actions = new ArrayList<>();
  private volatile String failure;
  private volatile boolean closed;

  /// Joins the ranks.
  ///
  /// @param token what all must have alike, so that no other run comes between
  /// @throws IOException if they do not all come in time
  Star(InetSocketAddress master, String token, int rank, int size, long patience) throws IOException {
    this.rank = rank;
    this.size = size;
    this.patience = patience;
    lines = new Line[size];
    long until = System.nanoTime() + patience;
    if (rank == 0) accept(master, token, until);
    else lines[0] = new Line(0, greeted(master, token, until));
    for (var l : lines) if (l != null) Thread.ofPlatform().daemon().name("rank " + l.to).start(l::read);
  }

  private void accept(InetSocketAddress master, String token, long until) throws IOException {
    try (var server = new ServerSocket()) {
      server.setReuseAddress(true);
      server.bind(master, size);
      for (int missing = size - 1; missing > 0; ) {
        server.setSoTimeout((int) Math.clamp((until - System.nanoTime()) / 1_000_000, 1, Integer.MAX_VALUE));
        Socket s;
        try { s = server.accept(); }
        catch (SocketTimeoutException e) {
          throw new IOException("no sign for %.0f s of %s at %s".formatted(patience / 1e9, IntStream.range(1, size)
              .filter(r -> lines[r] == null).mapToObj(r -> "rank " + r).collect(Collectors.joining(", ")), master), e);
        }
        int r = number(s, token);
        if (r < 1 || r >= size || lines[r] != null) { s.close(); continue; }
        lines[r] = new Line(r, s);
        s.getOutputStream().write(GREETING);
        missing--;
      }
    }
  }

  /// Of the rank that greets; -1 for a stranger.
  private static int number(Socket s, String token) {
    try {
      s.setSoTimeout(10_000);
      var in = new DataInputStream(s.getInputStream());
      byte[] expected = token.getBytes(StandardCharsets.UTF_8);
      boolean known = java.util.Arrays.equals(in.readNBytes(GREETING.length), GREETING)
          && java.security.MessageDigest.isEqual(in.readNBytes(expected.length), expected);
      int r = in.readInt();
      s.setSoTimeout(0);
      return known ? r : -1;
    } catch (IOException e) { return -1; }
  }

  private Socket greeted(InetSocketAddress master, String token, long until) throws IOException {
    IOException last = null;
    while (System.nanoTime() < until) {
      var s = new Socket();
      try {
        s.connect(new InetSocketAddress(InetAddress.getByName(master.getHostString()), master.getPort()), 10_000);
        var out = new DataOutputStream(s.getOutputStream());
        out.write(GREETING);
        out.write(token.getBytes(StandardCharsets.UTF_8));
        out.writeInt(rank);
        s.setSoTimeout((int) Math.clamp((until - System.nanoTime()) / 1_000_000, 1, Integer.MAX_VALUE));
        if (!java.util.Arrays.equals(s.getInputStream().readNBytes(GREETING.length), GREETING))
          throw new IOException("what listens there is no rank 0 of this run");
        s.setSoTimeout(0);
        return s;
      } catch (IOException e) {
        last = e;
        s.close();
        try { Thread.sleep(TRY); } catch (InterruptedException i) { throw new IOException("interrupted", i); }
      }
    }
    throw new IOException("rank 0 cannot be reached at %s within %.0f s: %s".formatted(master, patience / 1e9,
        last == null ? "" : last.getMessage()), last);
  }

  private static byte[] exactly(DataInputStream in, int n) throws IOException {
    if (n < 0) throw new IOException("a length " + n);
    byte[] r = in.readNBytes(n);
    if (r.length < n) throw new EOFException();
    return r;
  }

  /// What rank 0 makes of the parts of all, for each.
  interface Answers { List<byte[]> of(List<byte[]> parts); }

  /// Sends this rank's part and has the answer.
  ///
  /// @throws Group.Failure if the ranks do not say the same, or one fails or does not come
  byte[] exchange(String what, byte[] mine, Answers answers) {
    check();
    try {
      if (rank > 0) {
        lines[0].send(DATA, what, mine);
        return taken(lines[0], what).data;
      }
      var parts = new ArrayList<>(List.of(mine));
      var said = new ArrayList<>(List.of(what));
      for (int r = 1; r < size; r++) {
        var f = taken(lines[r], what);
        parts.add(f.data);
        said.add(f.text);
      }
      if (said.stream().anyMatch(s -> !s.equals(what)))
        fail("the ranks do not do the same: " + IntStream.range(0, size)
            .mapToObj(r -> "rank " + r + ": " + said.get(r)).collect(Collectors.joining("; ")));
      check();
      var all = answers.of(parts);
      for (int r = 1; r < size; r++) lines[r].send(DATA, what, all.get(r));
      return all.getFirst();
    } catch (IOException e) {
      // a message on its way says more
      try { Thread.sleep(TRY); } catch (InterruptedException i) { Thread.currentThread().interrupt(); }
      fail("rank " + rank + " at " + what + ": " + e.getMessage());
      check();
      throw new IllegalStateException(e);
    }
  }

  /// Rank 0 knows better who is late: the others wait a little longer.
  private Frame taken(Line line, String what) {
    long most = rank == 0 ? patience : patience + TimeUnit.MILLISECONDS.toNanos(LONGER), since = System.nanoTime();
    while (true) {
      try {
        var f = line.come.poll(20, TimeUnit.MILLISECONDS);
        if (f != null) return f;
      } catch (InterruptedException e) {
        fail("rank " + rank + " was interrupted at " + what);
        Thread.currentThread().interrupt();
      }
      check();
      if (line.through) fail("rank " + line.to + " is through, rank " + rank + " waits at " + what);
      if (line.away) since = System.nanoTime();
      else if (System.nanoTime() - since > most)
        fail("no sign for %.0f s of rank %d; rank %d waits at %s".formatted(patience / 1e9, line.to, rank, what));
    }
  }

  /// This rank is away with a word; null: it is back.
  void away(String what) { tell(what == null ? BACK : AWAY, what == null ? "" : what); }

  private void absent(Line from, int kind, String what) {
    from.away = kind == AWAY;
    if (rank == 0) for (var l : lines) if (l != null && l != from) quietly(l, kind, what);
  }

  private void tell(int kind, String text) { for (var l : lines) if (l != null) quietly(l, kind, text); }

  private static void quietly(Line l, int kind, String text) {
    try { l.send(kind, text, new byte[0]); }
    catch (IOException e) { System.getLogger("jacquard.ranks").log(System.Logger.Level.DEBUG, "rank " + l.to, e); }
  }

  /// The first failure counts; all are told.
  void fail(String cause) {
    synchronized (this) {
      if (failure != null) return;
      failure = cause;
      actions.forEach(Runnable::run);
    }
    tell(FAILED, cause);
  }

  String failure() { return failure; }

  void check() { if (failure != null) throw new Group.Failure(failure, null); }

  synchronized void whenFailed(Runnable action) {
    if (failure != null) action.run();
    else actions.add(action);
  }

  @Override public void close() {
    if (failure == null) tell(THROUGH, "");
    closed = true;
    for (var l : lines)
      if (l != null)
        try { l.socket.close(); }
        catch (IOException e) { System.getLogger("jacquard.ranks").log(System.Logger.Level.DEBUG, "closing", e); }
  }
}
