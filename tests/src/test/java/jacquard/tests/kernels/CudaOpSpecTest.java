package jacquard.tests.kernels;

import jacquard.tensor.Device;
import jacquard.tests.OpSpec;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.opentest4j.TestAbortedException;

/// The same runs on the GPU, or on the emulated one.
class CudaOpSpecTest extends OpSpecTest {
  @BeforeAll static void isThere() {
    var why = Device.unavailable().get("cuda");
    if (why != null) throw new TestAbortedException("no CUDA device: " + why);
  }

  @Override Device device() { return Device.named("cuda"); }

  /// What crosses the CPU's blocks would take the emulation minutes.
  @Override Stream<OpSpec> specs() {
    return super.specs().filter(s -> !s.large() || !"emulated".equals(System.getenv("JACQUARD_CUDA")));
  }
}
