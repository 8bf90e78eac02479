package jacquard.tensor;

import jacquard.tensor.op.Op;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/// A place where tensors live and ops run. Backends implement it and are found by `ServiceLoader`; model code never names one.
public interface Device extends AutoCloseable {
  /// What is handed out and not yet returned.
  record Live(long blocks, long bytes) {}

  /// `cpu`, `cuda:0`, …
  String name();

  /// How much a user would rather have this device than another; the CPU is 0.
  int rank();

  /// Memory for `size` elements, its contents unspecified. Running out is an error that says the bytes asked, held and allowed.
  Object allocate(DType dtype, long size);

  /// Takes a block back into the pool.
  void free(DType dtype, long size, Object block);

  /// Runs one op; `out` is allocated, dense, and has the types that `Op.infer` gave.
  void run(Op op, List<Tensor> in, List<Tensor> out);

  /// Copies `size` elements from a primitive array of the dtype (see `DType`) into a block, from its first element.
  void write(Object array, DType dtype, Object block, long size);

  /// Copies a dense tensor's elements into a new primitive array of its dtype.
  Object read(Tensor tensor);

  /// Waits until everything asked so far has run.
  void synchronize();

  Live live();

  @Override void close();

  /// The most capable device of this machine; the same instance each time.
  static Device best() { return Found.BEST; }

  final class Found {
    private static final Device BEST = find();

    private Found() {}

    private static Device find() {
      try {
        return ServiceLoader.load(Device.class, Device.class.getClassLoader()).stream().map(ServiceLoader.Provider::get)
            .max(Comparator.comparingInt(Device::rank))
            .orElseThrow(() -> new IllegalStateException("no device: put jacquard-kernels on the module path (or the class path)"));
      } catch (NoClassDefFoundError | java.util.ServiceConfigurationError e) {
        if (String.valueOf(e.getMessage()).contains("jdk/incubator/vector") || String.valueOf(e.getCause()).contains("jdk/incubator/vector"))
          throw new IllegalStateException("the CPU kernels need the Vector API: start Java with --add-modules jdk.incubator.vector", e);
        throw e;
      }
    }
  }
}
