package jacquard.tests.kernels;

import jacquard.tensor.Device;
import org.junit.jupiter.api.BeforeAll;
import org.opentest4j.TestAbortedException;

/// The same runs on the GPU, or on the emulated one.
class CudaOpSpecTest extends OpSpecTest {
  @BeforeAll static void isThere() {
    var why = Device.unavailable().get("cuda");
    if (why != null) throw new TestAbortedException("no CUDA device: " + why);
  }

  @Override Device device() { return Device.named("cuda"); }

  /// An op without a kernel on this device is skipped, and says so.
  @Override void clean(Runnable body) {
    try { super.clean(body); }
    catch (UnsupportedOperationException e) { throw new TestAbortedException(e.getMessage()); }
  }
}
