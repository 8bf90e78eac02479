package jacquard.kernels.mpi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/// Open MPI's C functions that are used here. Its handles are addresses of symbols of the library; MPICH's and its
/// kin's are integers, another binary interface, and are refused by name.
final class Mpi {
  /// What is loaded where `JACQUARD_MPI` names no other: the name under which Open MPI 2 to 5 install.
  private static final String LIBRARY = "libmpi.so.40";
  /// `dlopen`: RTLD_NOW and RTLD_GLOBAL, so that plug-ins which are not linked with the library find it.
  private static final int NOW_GLOBAL = 0x102;
  private static final int THREAD_MULTIPLE = 3, TEXT = 8192;
  /// Open MPI's `MPI_Status`: source, tag, error, cancelled, then the bytes as size_t.
  private static final int STATUS = 24, STATUS_BYTES = 16;
  static final int ANY = -1;

  private static final MemoryLayout I = JAVA_INT, P = ADDRESS;

  private final SymbolLookup library;
  private final String version;
  private final Arena arena = Arena.global();
  private final MethodHandle test, iprobe, receive, send, allGather, allGatherV, allToAll;
  final MemorySegment bytes, shorts, ints, longs;

  private Mpi(SymbolLookup library, String version) {
    this.library = library;
    this.version = version;
    bytes = symbol("ompi_mpi_byte");
    shorts = symbol("ompi_mpi_int16_t");
    ints = symbol("ompi_mpi_int32_t");
    longs = symbol("ompi_mpi_int64_t");
    test = function("MPI_Test", P, P, P);
    iprobe = function("MPI_Iprobe", I, I, P, P, P);
    receive = function("MPI_Recv", P, I, P, I, I, P, P);
    send = function("MPI_Isend", P, I, P, I, I, P, P);
    allGather = function("MPI_Iallgather", P, I, P, P, I, P, P, P);
    allGatherV = function("MPI_Iallgatherv", P, I, P, P, P, P, P, P, P);
    allToAll = function("MPI_Ialltoallv", P, P, P, P, P, P, P, P, P, P);
  }

  /// @throws IllegalArgumentException if there is no Open MPI
  static Mpi load() {
    var name = System.getenv().getOrDefault("JACQUARD_MPI", LIBRARY);
    var advice = "; install Open MPI 4 or later (Debian: openmpi-bin libopenmpi3), or name its library in JACQUARD_MPI"
        + ", or choose --dist-backend local";
    SymbolLookup found;
    try (var a = Arena.ofConfined()) {
      var linker = Linker.nativeLinker();
      var open = linker.downcallHandle(linker.defaultLookup().findOrThrow("dlopen"), FunctionDescriptor.of(P, P, I));
      if (((MemorySegment) open.invokeExact(a.allocateFrom(name), NOW_GLOBAL)).address() == 0)
        throw new IllegalArgumentException("no MPI: " + name + " cannot be loaded" + advice);
      found = SymbolLookup.libraryLookup(name, Arena.global());
      var version = version(found, a);
      if (found.find("ompi_mpi_comm_world").isEmpty())
        throw new IllegalArgumentException(
            name + " is " + version + ", whose binary interface is not Open MPI's" + advice);
      return new Mpi(found, version);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static String version(SymbolLookup library, Arena a) throws Throwable {
    var f = library.find("MPI_Get_library_version");
    if (f.isEmpty()) return "no MPI 3";
    var text = a.allocate(TEXT);
    var call = Linker.nativeLinker().downcallHandle(f.get(), FunctionDescriptor.of(I, P, P));
    int _ = (int) call.invokeExact(text, a.allocate(JAVA_INT));
    return text.getString(0).lines().findFirst().orElse("").split(",")[0].replaceAll("\\s+", " ").strip();
  }

  /// The library's name and version.
  String version() { return version; }

  MemorySegment symbol(String name) {
    return library.find(name)
        .orElseThrow(() -> new IllegalArgumentException(version + " has no " + name));
  }

  private MethodHandle function(String name, MemoryLayout... in) {
    return Linker.nativeLinker().downcallHandle(symbol(name), FunctionDescriptor.of(I, in));
  }

  /// Of elements of so many bytes.
  MemorySegment type(int width) {
    return switch (width) {
      case 1 -> bytes;
      case 2 -> shorts;
      case 4 -> ints;
      default -> longs;
    };
  }

  // Beginning and end

  /// @return the communicator of all ranks
  MemorySegment begin() {
    var given = arena.allocate(JAVA_INT);
    check("MPI_Init_thread", () -> (int) function("MPI_Init_thread", P, P, I, P)
        .invokeExact(MemorySegment.NULL, MemorySegment.NULL, THREAD_MULTIPLE, given));
    if (given.get(JAVA_INT, 0) < THREAD_MULTIPLE)
      throw new IllegalArgumentException(version + " gives thread level " + given.get(JAVA_INT, 0)
          + ", expected 3 (MPI_THREAD_MULTIPLE)");
    var world = symbol("ompi_mpi_comm_world");
    var errors = symbol("ompi_mpi_errors_return");
    check("MPI_Comm_set_errhandler", () ->
        (int) function("MPI_Comm_set_errhandler", P, P).invokeExact(world, errors));
    return world;
  }

  /// Another communicator of the same ranks, whose messages do not meet those of the first.
  MemorySegment twin(MemorySegment of) {
    var to = arena.allocate(ADDRESS);
    check("MPI_Comm_dup", () -> (int) function("MPI_Comm_dup", P, P).invokeExact(of, to));
    return to.get(ADDRESS, 0);
  }

  int rank(MemorySegment in) { return number("MPI_Comm_rank", in); }

  int size(MemorySegment of) { return number("MPI_Comm_size", of); }

  private int number(String name, MemorySegment communicator) {
    var n = arena.allocate(JAVA_INT);
    check(name, () -> (int) function(name, P, P).invokeExact(communicator, n));
    return n.get(JAVA_INT, 0);
  }

  void end() { check("MPI_Finalize", () -> (int) function("MPI_Finalize").invokeExact()); }

  /// Ends all processes at once.
  void abort(MemorySegment world, int status) {
    check("MPI_Abort", () -> (int) function("MPI_Abort", P, I).invokeExact(world, status));
  }

  // Exchanges, none of which waits: each fills in a request

  /// Elements of a type that lie at a place.
  record Part(MemorySegment at, int count, MemorySegment type) {}

  /// How many elements each rank has, and from where on; alive as long as an exchange needs it.
  record Table(MemorySegment counts, MemorySegment places) {
    static Table of(int[] counts) {
      var own = Arena.ofAuto();
      var r = new Table(own.allocate(JAVA_INT, counts.length), own.allocate(JAVA_INT, counts.length));
      for (int i = 0, at = 0; i < counts.length; at += counts[i++]) {
        r.counts.setAtIndex(JAVA_INT, i, counts[i]);
        r.places.setAtIndex(JAVA_INT, i, at);
      }
      return r;
    }
  }

  MemorySegment request() { return arena.allocate(ADDRESS); }

  boolean done(MemorySegment request, MemorySegment flag) {
    check("MPI_Test", () -> (int) test.invokeExact(request, flag, MemorySegment.NULL));
    return flag.get(JAVA_INT, 0) != 0;
  }

  /// `count` elements of each rank, by rank.
  void allGather(Part x, MemorySegment y, MemorySegment on, MemorySegment request) {
    check("MPI_Iallgather", () ->
        (int) allGather.invokeExact(x.at, x.count, x.type, y, x.count, x.type, on, request));
  }

  /// The same of parts that differ in length.
  void allGather(Part x, MemorySegment y, Table parts, MemorySegment on, MemorySegment request) {
    check("MPI_Iallgatherv", () ->
        (int) allGatherV.invokeExact(x.at, x.count, x.type, y, parts.counts, parts.places, x.type, on, request));
  }

  /// Rank k gets part k of each rank's `x`, and has of it as many as `to` says in `y`.
  void allToAll(MemorySegment x, Table from, MemorySegment y, Table to, MemorySegment on, MemorySegment request) {
    check("MPI_Ialltoallv", () -> (int) allToAll
        .invokeExact(x, from.counts, from.places, ints, y, to.counts, to.places, ints, on, request));
  }

  // Small messages

  /// Who a message came from, and what it says.
  record Message(int from, byte[] text) {}

  /// A message under way, which must stay where it is.
  record Sent(MemorySegment text, MemorySegment request) {}

  Sent send(byte[] text, int to, MemorySegment on) {
    var own = Arena.ofAuto();
    var r = new Sent(own.allocate(Math.max(1, text.length)), own.allocate(ADDRESS));
    MemorySegment.copy(text, 0, r.text, JAVA_BYTE, 0, text.length);
    check("MPI_Isend", () -> (int) send.invokeExact(r.text, text.length, bytes, to, 0, on, r.request));
    return r;
  }

  /// Whether a message is on its way, and no longer needed here.
  boolean left(Sent message) {
    try (var a = Arena.ofConfined()) { return done(message.request, a.allocate(JAVA_INT)); }
  }

  /// A message that has arrived; null where none has.
  Message receive(MemorySegment on) {
    try (var a = Arena.ofConfined()) {
      var flag = a.allocate(JAVA_INT);
      var status = a.allocate(STATUS, 8);
      check("MPI_Iprobe", () -> (int) iprobe.invokeExact(ANY, ANY, on, flag, status));
      if (flag.get(JAVA_INT, 0) == 0) return null;
      int from = status.get(JAVA_INT, 0), n = (int) status.get(JAVA_LONG, STATUS_BYTES);
      var y = a.allocate(Math.max(1, n));
      check("MPI_Recv", () -> (int) receive.invokeExact(y, n, bytes, from, ANY, on, MemorySegment.NULL));
      return new Message(from, Arrays.copyOf(y.toArray(JAVA_BYTE), n));
    }
  }

  private interface Native { int call() throws Throwable; }

  private static void check(String name, Native f) {
    int status;
    try { status = f.call(); }
    catch (RuntimeException | Error e) { throw e; }
    catch (Throwable e) { throw new IllegalStateException(e); }
    if (status != 0) throw new IllegalStateException(name + " failed with error " + status);
  }
}
