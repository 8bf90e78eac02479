package jacquard.kernels.nccl;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/// NCCL's C functions that are used here, of version 2.18 or later. Addresses are those of device memory, streams
/// CUDA's handles; calls only ask for work, and say [#IN_PROGRESS] while that itself is under way.
public final class Nccl {
  /// What is loaded where `JACQUARD_NCCL` names no other.
  private static final String LIBRARY = "libnccl.so.2";
  static final int OK = 0, IN_PROGRESS = 7;
  private static final int UNIQUE_ID = 128, BYTES = 1, F32 = 7, SUM = 0;
  /// `ncclConfig_t` as 2.18 has it: size, magic, version, then fields of which most stay unset.
  private static final int CONFIG = 48, MAGIC = 0xcafebeef, LAYOUT = 21800, UNSET = Integer.MIN_VALUE;
  private static final StructLayout ID = MemoryLayout.structLayout(MemoryLayout.sequenceLayout(UNIQUE_ID, JAVA_BYTE));
  private static final MemoryLayout I = JAVA_INT, L = JAVA_LONG, P = ADDRESS;

  private final SymbolLookup library;
  private final MethodHandle allGather, allReduce, reduceScatter, broadcast, send, receive, begin, end, state, abort;
  private final int version;

  private Nccl(SymbolLookup library) {
    this.library = library;
    try (var a = Arena.ofConfined()) {
      var n = a.allocate(JAVA_INT);
      check("ncclGetVersion", call(() -> (int) function("ncclGetVersion", P).invokeExact(n)), null);
      version = n.get(JAVA_INT, 0);
    }
    if (version < LAYOUT)
      throw new IllegalArgumentException("NCCL " + version() + ", expected 2.18 or later");
    allGather = function("ncclAllGather", P, P, L, I, P, P);
    allReduce = function("ncclAllReduce", P, P, L, I, I, P, P);
    reduceScatter = function("ncclReduceScatter", P, P, L, I, I, P, P);
    broadcast = function("ncclBroadcast", P, P, L, I, I, P, P);
    send = function("ncclSend", P, L, I, I, P, P);
    receive = function("ncclRecv", P, L, I, I, P, P);
    begin = function("ncclGroupStart");
    end = function("ncclGroupEnd");
    state = function("ncclCommGetAsyncError", P, P);
    abort = function("ncclCommAbort", P);
  }

  private static final class Once {
    private static final Object FOUND = find();

    private static Object find() {
      try { return new Nccl(open(System.getenv().getOrDefault("JACQUARD_NCCL", LIBRARY))); }
      catch (IllegalArgumentException e) { return e; }
    }
  }

  /// @throws IllegalArgumentException if there is no NCCL
  public static Nccl load() {
    if (Once.FOUND instanceof Nccl n) return n;
    throw new IllegalArgumentException(((Throwable) Once.FOUND).getMessage(), (Throwable) Once.FOUND);
  }

  /// Of a file, whatever the environment says.
  public static Nccl load(String name) { return new Nccl(open(name)); }

  private static SymbolLookup open(String name) {
    try { return SymbolLookup.libraryLookup(name, Arena.global()); }
    catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("no NCCL: " + name + " cannot be loaded; install libnccl2, or NVIDIA's wheel "
          + "nvidia-nccl-cu12, and name its library in JACQUARD_NCCL, or choose --dist-backend mpi", e);
    }
  }

  private MethodHandle function(String name, MemoryLayout... in) {
    var at = library.find(name)
        .orElseThrow(() -> new IllegalArgumentException("the library is no NCCL: it has no " + name));
    return Linker.nativeLinker().downcallHandle(at, FunctionDescriptor.of(I, in));
  }

  public String version() { return version / 10000 + "." + version / 100 % 100 + "." + version % 100; }

  /// What a result means, and what the library says of the last one.
  String meaning(int result, MemorySegment communicator) {
    return text("ncclGetErrorString", FunctionDescriptor.of(P, I), result)
        + " (" + text("ncclGetLastError", FunctionDescriptor.of(P, P),
            communicator == null ? MemorySegment.NULL : communicator) + ")";
  }

  private String text(String function, FunctionDescriptor type, Object of) {
    var at = library.find(function);
    if (at.isEmpty()) return "?";
    try {
      var p = (MemorySegment) Linker.nativeLinker().downcallHandle(at.get(), type).invokeWithArguments(of);
      return p.address() == 0 ? "" : p.reinterpret(Long.MAX_VALUE).getString(0).strip();
    } catch (Throwable e) { throw new IllegalStateException(e); }
  }

  // Communicators

  /// The name under which ranks find each other.
  public byte[] uniqueId() {
    try (var a = Arena.ofConfined()) {
      var id = a.allocate(UNIQUE_ID);
      check("ncclGetUniqueId", call(() -> (int) function("ncclGetUniqueId", P).invokeExact(id)), null);
      return id.toArray(JAVA_BYTE);
    }
  }

  /// Begins to make one of so many ranks, on the device that is current: [#state] says when it is made.
  ///
  /// @throws IllegalStateException with the library's reason
  public MemorySegment communicator(byte[] id, int rank, int size) {
    try (var a = Arena.ofConfined()) {
      var config = a.allocate(CONFIG, 8);
      config.set(JAVA_LONG, 0, CONFIG);
      config.set(JAVA_INT, 8, MAGIC);
      config.set(JAVA_INT, 12, LAYOUT);
      config.set(JAVA_INT, 16, 0);                                               // not blocking
      for (int at : new int[] {20, 24, 28, 40}) config.set(JAVA_INT, at, UNSET);  // clusters, blocks, sharing
      var struct = a.allocate(ID);
      MemorySegment.copy(id, 0, struct, JAVA_BYTE, 0, UNIQUE_ID);
      var made = a.allocate(ADDRESS);
      var init = function("ncclCommInitRankConfig", P, I, ID, I, P);
      check("ncclCommInitRankConfig", call(() -> (int) init.invokeExact(made, size, struct, rank, config)), null);
      return made.get(ADDRESS, 0);
    }
  }

  /// [#OK], [#IN_PROGRESS], or an error.
  int state(MemorySegment communicator) {
    try (var a = Arena.ofConfined()) {
      var n = a.allocate(JAVA_INT);
      check("ncclCommGetAsyncError", call(() -> (int) state.invokeExact(communicator, n)), communicator);
      return n.get(JAVA_INT, 0);
    }
  }

  /// Frees whoever waits in it; it is used no more.
  void abort(MemorySegment communicator) { call(() -> (int) abort.invokeExact(communicator)); }

  /// The communicator's end, where all is well.
  void end(MemorySegment communicator) {
    var destroy = function("ncclCommDestroy", P);
    check("ncclCommDestroy", call(() -> (int) destroy.invokeExact(communicator)), communicator);
  }

  // Work: a stretch of device memory to another, on a stream

  /// Where an exchange runs.
  record On(MemorySegment communicator, MemorySegment stream) {
    static On of(MemorySegment communicator, long stream) {
      return new On(communicator, MemorySegment.ofAddress(stream));
    }
  }

  private static MemorySegment at(long address) { return MemorySegment.ofAddress(address); }

  /// So many bytes of each rank, in rank order.
  void allGather(long x, long y, long bytes, On on) {
    check("ncclAllGather", call(() ->
        (int) allGather.invokeExact(at(x), at(y), bytes, BYTES, on.communicator, on.stream)), on.communicator);
  }

  void allReduce(long x, long y, long floats, On on) {
    check("ncclAllReduce", call(() ->
        (int) allReduce.invokeExact(at(x), at(y), floats, F32, SUM, on.communicator, on.stream)), on.communicator);
  }

  /// @param floats of each rank's part
  void reduceScatter(long x, long y, long floats, On on) {
    check("ncclReduceScatter", call(() ->
        (int) reduceScatter.invokeExact(at(x), at(y), floats, F32, SUM, on.communicator, on.stream)), on.communicator);
  }

  void broadcast(long x, long y, long bytes, int root, On on) {
    check("ncclBroadcast", call(() ->
        (int) broadcast.invokeExact(at(x), at(y), bytes, BYTES, root, on.communicator, on.stream)), on.communicator);
  }

  void send(long x, long bytes, int to, On on) {
    check("ncclSend", call(() ->
        (int) send.invokeExact(at(x), bytes, BYTES, to, on.communicator, on.stream)), on.communicator);
  }

  void receive(long y, long bytes, int from, On on) {
    check("ncclRecv", call(() ->
        (int) receive.invokeExact(at(y), bytes, BYTES, from, on.communicator, on.stream)), on.communicator);
  }

  /// What is asked for within is one exchange.
  void together(Runnable calls) {
    check("ncclGroupStart", call(() -> (int) begin.invokeExact()), null);
    calls.run();
    check("ncclGroupEnd", call(() -> (int) end.invokeExact()), null);
  }

  private interface Native { int call() throws Throwable; }

  private static int call(Native f) {
    try { return f.call(); }
    catch (RuntimeException | Error e) { throw e; }
    catch (Throwable e) { throw new IllegalStateException(e); }
  }

  private void check(String name, int result, MemorySegment communicator) {
    if (result != OK && result != IN_PROGRESS)
      throw new IllegalStateException("%s failed with error %d: %s".formatted(name, result,
          meaning(result, communicator)));
  }
}
