package jacquard.tensor;

import jacquard.tensor.op.Op;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.ConcurrentHashMap;

/// A place where tensors live and ops run. Backends are found by `ServiceLoader`, once; model code never names one.
///
/// A device is asked for by name: a kind (`cpu`, `cuda`), or a kind and an index (`cuda:1`); `cpu` means `cpu:0`. One
/// name is one instance for the life of the JVM, with a pool and a count of live blocks of its own. There are as many
/// CPUs as are asked for (`cpu:0`, `cpu:1`, …: one for each rank of a JVM; they share the cores, not the memory), but
/// only as many GPUs as the machine has.
public interface Device extends AutoCloseable {
  /// What is handed out and not yet returned.
  record Live(long blocks, long bytes) {}

  /// The most bytes at a time so far.
  ///
  /// @param tensors that tensors asked for
  /// @param taken   that the device took of its memory for them, those kept for the next ones among them
  record Most(long tensors, long taken) {}

  /// The devices of one kind: what a module provides as a service.
  interface Backend {
    /// The part of a device's name before the colon.
    String kind();

    /// How many devices a user of this machine would count; 0 where the kind cannot be used. Does not throw.
    int count();

    /// Why [#count] is 0: what was looked for, what was found, what to do. Null where the kind can be used.
    String unavailable();

    /// Makes the device of this index; called once for each index, from 0. An index that does not exist is an
    /// `IllegalArgumentException`.
    Device open(int index);
  }

  /// `cpu`, `cpu:1`, `cuda:0`, …
  String name();

  /// How much a user would rather have this device than another; the CPU is 0.
  int rank();

  /// Whether its tensors lie in the memory of the host.
  default boolean onHost() { return false; }

  /// Memory for `size` elements, its contents unspecified. Running out is an error that says the bytes asked, held and
  /// allowed.
  Object allocate(DType dtype, long size);

  /// Takes a block back into the pool.
  void free(DType dtype, long size, Object block);

  /// Runs one op; `out` is allocated, dense, and has the types that `Op.infer` gave.
  void run(Op op, List<Tensor> in, List<Tensor> out);

  /// Copies `size` elements from a primitive array of the dtype (see `DType`) into a block, from its first element.
  void write(Object array, DType dtype, Object block, long size);

  /// Copies `size` elements from where they lie into a block, from its first element.
  default void fetch(Storage.Source from, DType dtype, Object block, long size) {
    Object array = dtype.array(Math.toIntExact(size));
    from.copy(0, array, 0, (int) size);
    write(array, dtype, block, size);
  }

  /// Copies a dense tensor's elements into a new primitive array of its dtype.
  Object read(Tensor tensor);

  /// Waits until everything asked so far has run.
  void synchronize();

  Live live();

  /// The most that it held at a time; null where that is not counted.
  default Most most() { return null; }

  /// Begins, in the background, what makes the first ops fast: compiling kernels, say. Returns at once; more than once
  /// does nothing.
  default void warm() {}

  /// What this device is and what it reaches, measured now; about a second. The default knows nothing.
  default Health health() { return new Health(Map.of(), Double.NaN, List.of()); }

  /// How a device is.
  ///
  /// @param facts    what it is: name → value
  /// @param peak     multiply-adds that its arithmetic units reach without memory, in GFLOP/s of F32; NaN where not
  ///   measured
  /// @param warnings every reason for being slower than it should, with what to do
  record Health(Map<String, String> facts, double peak, List<String> warnings) {}

  /// A library that can do a kind of work in place of the device's own kernels.
  ///
  /// @param work    `gemm` (matrix products) or `conv` (convolutions)
  /// @param name    what it is asked for by
  /// @param missing why it cannot be used here; null where it can
  record Library(String work, String name, String missing) {}

  /// The libraries that this device can be asked to use; none where its own kernels do everything.
  default List<Library> libraries() { return List.of(); }

  /// Those it uses: kind of work → name and version. They round otherwise than the device's own kernels.
  default Map<String, String> used() { return Map.of(); }

  /// Has a library do a kind of work from now on, or, by the name `jacquard`, the device's own kernels. An
  /// `IllegalArgumentException` where the device knows no such library; an `IllegalStateException` with the reason
  /// where it cannot be used here, and all stays as it was.
  default void use(String work, String library) {
    if (!library.equals("jacquard"))
      throw new IllegalArgumentException("device " + name() + " knows no library " + library + " for " + work
          + ": its own kernels do everything");
  }

  @Override void close();

  /// The most capable device of this machine; the same instance each time.
  static Device best() { return all().stream().max(Comparator.comparingInt(Device::rank))
      .orElseThrow(() -> new IllegalStateException("no device: " + String.join("; ", unavailable().values()))); }

  /// The devices of this machine, `cpu` among them.
  static List<Device> all() {
    var r = new ArrayList<Device>();
    for (var b : Found.BACKENDS.values()) for (int i = 0; i < b.count(); i++) r.add(Found.open(b, i));
    return r;
  }

  /// The device of this name; the same instance each time. An unknown name is an `IllegalArgumentException`, a kind
  /// that this machine cannot use an `IllegalStateException` with the reason.
  static Device named(String name) {
    int colon = name.indexOf(':');
    var backend = Found.BACKENDS.get(colon < 0 ? name : name.substring(0, colon));
    if (backend == null)
      throw new IllegalArgumentException("device " + name + ": expected one of " + Found.BACKENDS.keySet()
          + ", with an index after a colon or without");
    int index = 0;
    if (colon >= 0)
      try { index = Integer.parseUnsignedInt(name.substring(colon + 1)); }
      catch (NumberFormatException e) {
        throw new IllegalArgumentException("device " + name + ": expected a number after the colon");
      }
    if (backend.unavailable() != null) throw new IllegalStateException("device " + name + ": " + backend.unavailable());
    return Found.open(backend, index);
  }

  /// Kind → why this machine has none of it.
  static Map<String, String> unavailable() {
    var r = new LinkedHashMap<String, String>();
    for (var b : Found.BACKENDS.values()) if (b.unavailable() != null) r.put(b.kind(), b.unavailable());
    return r;
  }

  /// The backends, and the devices made so far.
  final class Found {
    private static final Map<String, Backend> BACKENDS = find();
    private static final Map<String, Device> OPEN = new ConcurrentHashMap<>();

    private Found() {}

    private static Device open(Backend b, int index) {
      return OPEN.computeIfAbsent(b.kind() + ":" + index, _ -> b.open(index));
    }

    private static Map<String, Backend> find() {
      var r = new LinkedHashMap<String, Backend>();
      for (var b : ServiceLoader.load(Backend.class, Device.class.getClassLoader())) r.put(b.kind(), b);
      if (r.isEmpty())
        throw new IllegalStateException("no device: put jacquard-kernels on the module path (or the class path)");
      return r;
    }
  }
}
