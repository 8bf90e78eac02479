package jacquard.kernels.mpi;

import static jacquard.kernels.mpi.Elements.addUp;
import static jacquard.kernels.mpi.Elements.copy;
import static jacquard.kernels.mpi.Elements.cut;
import static jacquard.kernels.mpi.Elements.minus;
import static jacquard.kernels.mpi.Elements.places;
import static jacquard.kernels.mpi.Elements.turns;
import static jacquard.kernels.mpi.Elements.width;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import jacquard.tensor.Group;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// A rank that is a process among processes. MPI moves bytes and nothing else: its own sums are taken in an order of
/// its choice, so here each rank gets its share of all ranks' numbers, adds it up in rank order, and hands it to all.
/// Every wait is a poll that a failure ends.
///
/// Before each exchange the ranks tell each other a hash of its text, so that those which do not do the same learn it.
final class MpiGroup implements Group {
  /// Elements that are exchanged at once: what is copied out of the heap is held off it.
  private static final int PIECE = 1 << 21;
  /// Floats up to which everyone gets all and adds up: two exchanges cost more.
  private static final int SMALL = 1 << 12;
  /// Polls before a wait naps, and the nap in nanoseconds.
  private static final int SPINS = 2000, NAP = 20_000;

  private final Mpi mpi;
  private final MemorySegment world, flag, request;
  private final int rank, size;
  private final Mailbox mailbox;
  private final Thread thread = Thread.currentThread();
  private final Stage x = new Stage(), y = new Stage();
  private long number;

  /// Memory off the heap that grows.
  private static final class Stage {
    MemorySegment memory = MemorySegment.NULL;
    MemorySegment of(long bytes) {
      if (memory.byteSize() < bytes) memory = Arena.ofAuto().allocate(bytes, 64);
      return memory;
    }
  }

  MpiGroup(Mpi mpi, Duration patience) {
    this.mpi = mpi;
    world = mpi.begin();
    rank = mpi.rank(world);
    size = mpi.size(world);
    flag = Arena.global().allocate(JAVA_INT);
    request = mpi.request();
    mailbox = new Mailbox(mpi, world, patience);
    mailbox.watch(strings("the processes", Mailbox.here()));
  }

  @Override public int rank() { return rank; }
  @Override public int size() { return size; }
  @Override public boolean together() { return false; }
  @Override public void whenFailed(Runnable action) { mailbox.whenFailed(action); }
  @Override public void away(String what) { if (size > 1) mailbox.away(what); }
  @Override public String toString() { return "rank " + rank + " of " + size; }

  @Override public List<Object> meet(String what, Object mine) {
    throw new UnsupportedOperationException("ranks of several processes have no objects in common: " + what);
  }

  // Collectives

  @Override public void allGather(String what, Stretch part, Stretch all) {
    long[] counts = agree(what, part.count());
    if (Arrays.stream(counts).sum() != all.count())
      throw new IllegalArgumentException(
          what + ": parts of " + Arrays.toString(counts) + " elements, room for " + all.count());
    gather(part, Arrays.stream(counts).mapToInt(c -> (int) c).toArray(), all);
  }

  /// The parts in pieces: of each rank's so many elements that all together are a piece.
  private void gather(Stretch part, int[] counts, Stretch all) {
    int width = width(all.array()), turns = turns(Arrays.stream(counts).asLongStream().sum(), PIECE);
    int[] places = places(counts);
    for (int t = 0; t < turns; t++) {
      int[] from = cut(counts, t, turns), to = cut(counts, t + 1, turns), n = minus(to, from);
      var out = x.of((long) width * n[rank]);
      copy(part.array(), part.from() + from[rank], out, n[rank]);
      var in = y.of((long) width * Arrays.stream(n).sum());
      var parts = Mpi.Table.of(n);
      mpi.allGather(new Mpi.Part(out, n[rank], mpi.type(width)), in, parts, world, request);
      await(parts);
      int at = 0;
      for (int r = 0; r < size; r++) {
        copy(in.asSlice((long) width * at, (long) width * n[r]), all.array(), all.from() + places[r] + from[r], n[r]);
        at += n[r];
      }
    }
  }

  @Override public void reduceScatter(String what, Stretch all, int[] counts, Stretch part) {
    agree(what, all.count());
    int turns = turns(Arrays.stream(counts).asLongStream().sum(), PIECE);
    int[] places = places(counts);
    for (int t = 0; t < turns; t++) {
      int[] from = cut(counts, t, turns), n = minus(cut(counts, t + 1, turns), from);
      var out = x.of(4L * Arrays.stream(n).sum());
      for (int k = 0, at = 0; k < size; at += n[k++])
        copy(all.array(), all.from() + places[k] + from[k], out.asSlice(4L * at), n[k]);
      addUp(exchanged(out, n), size, n[rank], 1,
          MemorySegment.ofArray((float[]) part.array()).asSlice(4L * (part.from() + from[rank])));
    }
  }

  /// Of each rank what it has for this one, by rank: `size` times `n[rank]` elements of four bytes.
  private MemorySegment exchanged(MemorySegment out, int[] n) {
    var in = y.of(4L * size * n[rank]);
    Mpi.Table to = Mpi.Table.of(n), from = Mpi.Table.of(each(n[rank]));
    mpi.allToAll(out, to, in, from, world, request);
    await(List.of(to, from));
    return in;
  }

  /// The tensors one after another, in pieces, each cut into the ranks' shares; without what is zero on all ranks.
  @Override public void allReduce(String what, float factor, List<Stretch> in, List<Stretch> out) {
    agree(what, in.stream().mapToLong(Stretch::count).sum());
    long[] bits = Blocks.look(in);
    if (factor > 0 && bits.length > 0) {   // otherwise a sum of zeros were none
      any(bits);
      in = Blocks.of(in, bits).filled();
      var sums = Blocks.of(out, bits);
      for (var s : sums.zero()) Arrays.fill((float[]) s.array(), s.from(), s.from() + s.count(), 0);
      out = sums.filled();
    }
    long total = in.stream().mapToLong(Stretch::count).sum();
    for (long from = 0; from < total; from += PIECE) {
      int n = (int) Math.min(PIECE, total - from);
      var mine = x.of(4L * n);
      walk(in, from, n, (s, at, k) -> copy(s.array(), s.from() + k[0], mine.asSlice(4L * at), k[1]));
      var sums = reduced(mine, n, factor);
      walk(out, from, n, (s, at, k) -> copy(sums.asSlice(4L * at), s.array(), s.from() + k[0], k[1]));
    }
  }

  /// Sets the bits that are set on any rank.
  private void any(long[] bits) {
    long[] all = new long[size * bits.length];
    gather(new Stretch(bits, 0, bits.length), each(bits.length), new Stretch(all, 0, all.length));
    for (int i = 0; i < all.length; i++) bits[i % bits.length] |= all[i];
  }

  private interface Part { void of(Stretch s, int at, int[] fromAndCount); }

  /// The parts of stretches that make up elements `from … from + n − 1` of all.
  private static void walk(List<Stretch> all, long from, int n, Part f) {
    long start = 0;
    for (var s : all) {
      long a = Math.max(from, start), b = Math.min(from + n, start + s.count());
      if (a < b) f.of(s, (int) (a - from), new int[] {(int) (a - start), (int) (b - a)});
      start += s.count();
    }
  }

  /// The sums of what all ranks have, off the heap. What is this rank's is overwritten.
  private MemorySegment reduced(MemorySegment mine, int n, float factor) {
    if ((long) n * size <= SMALL) {
      var all = y.of(4L * n * size);
      mpi.allGather(new Mpi.Part(mine, n, mpi.ints), all, world, request);
      await(null);
      addUp(all, size, n, factor, mine);
      return mine;
    }
    int[] counts = new int[size];
    Arrays.setAll(counts, r -> (int) ((long) n * (r + 1) / size) - (int) ((long) n * r / size));
    addUp(exchanged(mine, counts), size, counts[rank], factor, mine);
    var sums = y.of(4L * n);
    var parts = Mpi.Table.of(counts);
    mpi.allGather(new Mpi.Part(mine, counts[rank], mpi.ints), sums, parts, world, request);
    await(parts);
    return sums;
  }

  @Override public double[] sum(String what, double... values) {
    agree(what + " of " + values.length + " numbers", values.length);
    int n = values.length;
    if (n == 0) return values;
    var mine = x.of(8L * n);
    copy(values, 0, mine, n);
    var all = y.of(8L * n * size);
    mpi.allGather(new Mpi.Part(mine, n, mpi.longs), all, world, request);
    await(null);
    double[] r = new double[n];
    for (int k = 0; k < size; k++)
      for (int i = 0; i < n; i++) r[i] += all.get(JAVA_DOUBLE, 8L * (k * n + i));
    return r;
  }

  // Agreement and waiting

  /// Brings the ranks to one place.
  ///
  /// @return the numbers that they bring
  private long[] agree(String what, long brings) {
    if (Thread.currentThread() != thread)
      throw new IllegalStateException(what + ": a rank is the thread " + thread.getName());
    mailbox.check();
    mailbox.enter(++number, what);
    long hash = hash(what);
    var mine = x.of(16);
    mine.set(JAVA_LONG, 0, hash);
    mine.set(JAVA_LONG, 8, brings);
    var all = y.of(16L * size);
    mpi.allGather(new Mpi.Part(mine, 2, mpi.longs), all, world, request);
    await(null);
    boolean same = true;
    long[] r = new long[size];
    for (int k = 0; k < size; k++) {
      same &= all.get(JAVA_LONG, 16L * k) == hash;
      r[k] = all.get(JAVA_LONG, 16L * k + 8);
    }
    if (!same) disagree(what);
    return r;
  }

  private static long hash(String what) {
    long h = 1125899906842597L;
    for (int i = 0; i < what.length(); i++) h = 31 * h + what.charAt(i);
    return h;
  }

  private void disagree(String what) {
    var said = exchanged(what);
    var all = new StringBuilder("the ranks do not do the same:");
    for (int r = 0; r < size; r++)
      all.append(r == 0 ? " rank " : "; rank ").append(r).append(": ").append(said.get(r));
    mailbox.fail(all.toString(), true);
    mailbox.check();
  }

  /// The texts of all ranks, without a word beforehand.
  private List<String> exchanged(String text) {
    byte[] mine = text.getBytes(StandardCharsets.UTF_8);
    int[] lengths = new int[size];
    gather(new Stretch(new int[] {mine.length}, 0, 1), each(1), new Stretch(lengths, 0, size));
    byte[] all = new byte[Arrays.stream(lengths).sum()];
    gather(new Stretch(mine, 0, mine.length), lengths, new Stretch(all, 0, all.length));
    var r = new ArrayList<String>();
    for (int k = 0, at = 0; k < size; at += lengths[k++])
      r.add(new String(all, at, lengths[k], StandardCharsets.UTF_8));
    return r;
  }

  /// So many of each rank.
  private int[] each(int n) {
    int[] r = new int[size];
    Arrays.fill(r, n);
    return r;
  }

  /// Until the exchange is through, or some rank has failed.
  ///
  /// @param tables kept alive meanwhile
  private void await(Object tables) {
    for (int turn = 0; !mpi.done(request, flag); turn++) {
      mailbox.check();
      if (turn == SPINS) mailbox.waits(true);
      if (turn < SPINS) Thread.onSpinWait();
      else LockSupport.parkNanos(NAP);
    }
    mailbox.waits(false);
    Reference.reachabilityFence(tables);
  }

  /// All ranks are through.
  void end() {
    agree("the end", 0);
    mailbox.close();
    mpi.end();
  }

  /// This rank has failed: the others are told, and leave.
  void fail(Throwable t) {
    mailbox.fail("rank " + rank + " failed: " + (t instanceof IllegalArgumentException || t instanceof IOException
        ? t.getMessage() : t), true);
  }

  /// Why the ranks leave; null where they do not.
  String failure() { return mailbox.failure(); }
}
