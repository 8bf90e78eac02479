package jacquard.tensor;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.ServiceLoader;

/// The ranks that take a step together. A rank is one thread with a device, scopes and a tape of its own; it holds the
/// group as its own member.
///
/// The collectives here work on host arrays; [jacquard.tensor.op.Collective] are the ops. All ranks call them in one
/// order. Each call carries a text (op, element type, extents) that has to be equal on all ranks: where it differs,
/// every rank fails with what each of them said. Sums are taken in rank order, so that all ranks and all runs see the
/// same bits. If a rank fails or ends, the others leave every wait with the cause.
public interface Group {
  /// Elements `from … from + count − 1` of a primitive array.
  record Stretch(Object array, int from, int count) {}

  /// What a rank does.
  interface Body<T, X extends Exception> { T run(Group group) throws X; }

  /// What another rank's failure looks like to those that waited for it.
  final class Failure extends IllegalStateException {
    public Failure(String message, Throwable cause) { super(message, cause); }
  }

  /// Runs ranks as threads of this JVM: what a module provides as a service.
  interface Threads {
    <T, X extends Exception> List<T> run(List<Device> devices, Body<T, X> body) throws X;
  }

  /// Ranks that are processes, each started by somebody else: what a module provides as a service.
  interface Processes {
    /// What users call them, as `mpi`.
    String name();

    /// Joins the others and runs `body` as this process's rank, on this thread.
    ///
    /// @param patience how long a rank waits for one that gives no sign
    /// @throws IllegalArgumentException if the machine lacks what is needed
    <T, X extends Exception> T run(Duration patience, Body<T, X> body) throws X;
  }

  /// From 0.
  int rank();
  int size();

  /// Writes the parts of all ranks into `all`, one after another in rank order. They may differ in length.
  void allGather(String what, Stretch part, Stretch all);

  /// Writes into `part` the sum over ranks of this rank's stretch of `all`: `counts[k]` floats belong to rank k, in
  /// rank order.
  void reduceScatter(String what, Stretch all, int[] counts, Stretch part);

  /// Writes into each of `out` factor·Σ over ranks of the floats of `in`.
  void allReduce(String what, float factor, List<Stretch> in, List<Stretch> out);

  /// The sums over ranks of a few numbers.
  double[] sum(String what, double... values);

  /// What every rank brought, by rank. Only where the ranks are threads of one JVM ([#together]): this is how device
  /// kernels learn their peers' addresses. Whoever reads a peer's memory meets once more afterwards, before the peer
  /// may free or change it.
  List<Object> meet(String what, Object mine);

  /// Whether the ranks share a JVM.
  boolean together();

  /// Runs `action` when some rank fails, at once if one has: to release a wait that this group does not know of, as a
  /// spinning kernel's.
  void whenFailed(Runnable action);

  /// Says, before a long work of this rank alone, that the others wait for it with reason; null: it is back.
  default void away(String what) {}

  default void barrier() { sum("barrier"); }

  /// The integers of all ranks, in rank order; each brings as many as it likes.
  default int[] allGather(String what, int... mine) {
    double[] counts = new double[size()];
    counts[rank()] = mine.length;
    counts = sum(what, counts);
    int total = 0;
    for (double c : counts) total += (int) c;
    int[] all = new int[total];
    allGather(what, new Stretch(mine, 0, mine.length), new Stretch(all, 0, total));
    return all;
  }

  /// The texts of all ranks, by rank.
  default List<String> strings(String what, String mine) {
    byte[] bytes = mine.getBytes(StandardCharsets.UTF_8);
    int[] lengths = allGather("the lengths of " + what, bytes.length);
    byte[] all = new byte[Arrays.stream(lengths).sum()];
    allGather(what, new Stretch(bytes, 0, bytes.length), new Stretch(all, 0, all.length));
    var r = new ArrayList<String>();
    for (int k = 0, at = 0; k < lengths.length; at += lengths[k++])
      r.add(new String(all, at, lengths[k], StandardCharsets.UTF_8));
    return r;
  }

  /// A group of one, which waits for nobody.
  Group ALONE = new Alone();

  ScopedValue<Group> CURRENT = ScopedValue.newInstance();

  /// The group that the current thread is a rank of; [#ALONE] if none.
  static Group current() { return CURRENT.orElse(ALONE); }

  /// Runs `body` once for each device, each on a thread of its own with a scope on that device; a single one on this
  /// thread, as the rank that it is. Returns the results by rank, when all have ended; what the first rank to fail
  /// threw is thrown here.
  static <T, X extends Exception> List<T> run(List<Device> devices, Body<T, X> body) throws X {
    if (devices.size() == 1)
      try (var _ = Scope.open(devices.getFirst())) { return Collections.singletonList(body.run(current())); }
    return ServiceLoader.load(Threads.class, Group.class.getClassLoader()).findFirst()
        .orElseThrow(() -> none("ranks")).run(devices, body);
  }

  /// Runs `body` as one of the ranks that are processes of this kind.
  ///
  /// @param kind     as `mpi`
  /// @param patience how long a rank waits for one that gives no sign
  static <T, X extends Exception> T join(String kind, Duration patience, Body<T, X> body) throws X {
    for (var p : ServiceLoader.load(Processes.class, Group.class.getClassLoader()))
      if (p.name().equals(kind)) return p.run(patience, body);
    throw none("ranks by " + kind);
  }

  private static IllegalStateException none(String what) {
    return new IllegalStateException("no " + what
        + ": put jacquard-kernels on the module path (or the class path)");
  }
}
