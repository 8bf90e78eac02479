package jacquard.bench.peer;

import jacquard.bench.harness.Lane;
import jacquard.kernels.cpu.Parallel;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// libtorch in this JVM, on as many threads as our kernels.
public final class Torch {
  public static final String NAME = "libtorch";

  static {
    torch.set_num_threads(Parallel.threads());
    openblas.blas_set_num_threads(Parallel.threads());                          // OpenBLAS has threads of its own
  }

  private Torch() {}

  /// A tensor of its own memory.
  public static Tensor of(float[] values, long... shape) {
    var t = torch.empty(shape);
    t.data_ptr_float().put(values);
    return t;
  }

  public static float[] floats(Tensor t) {
    try (var _ = new PointerScope()) {
      var dense = t.contiguous();
      float[] r = new float[(int) dense.numel()];
      new FloatPointer(dense.data_ptr_float()).get(r);
      return r;
    }
  }

  /// `f`, its results freed.
  public static Lane.Work work(Supplier<?> f) {
    return () -> { try (var _ = new PointerScope()) { f.get(); } };
  }

  /// What it runs on, for the head of the tables.
  public static String describe() {
    return "libtorch 2.10.0 (" + torch.get_cpu_capability().getString() + ") with OpenBLAS for " + core();
  }

  /// The kernels that OpenBLAS chose: an environment that names others (`OPENBLAS_CORETYPE`) would make it slow.
  private static String core() {
    try (var maps = Files.lines(Path.of("/proc/self/maps"))) {
      Loader.load(openblas.class);
      var file = maps.filter(l -> l.contains("libopenblas")).map(l -> l.substring(l.indexOf('/'))).findFirst()
          .orElseThrow();
      var name = Linker.nativeLinker().downcallHandle(SymbolLookup.libraryLookup(file, Arena.global())
          .find("openblas_get_corename").orElseThrow(), FunctionDescriptor.of(ValueLayout.ADDRESS));
      return ((MemorySegment) name.invoke()).reinterpret(64).getString(0);
    } catch (Throwable t) { return "an unknown core (" + t + ")"; }
  }
}
