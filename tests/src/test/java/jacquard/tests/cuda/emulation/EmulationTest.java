package jacquard.tests.cuda.emulation;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cuda.driver.CudaException;
import jacquard.kernels.cuda.driver.Emulation;
import jacquard.kernels.cuda.driver.Installed;
import jacquard.tests.cuda.Raw;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/// Each fault that was put into `cuda-src/test/faults.cu` is found, and its place is named.
class EmulationTest {
  /// Devices that no other test uses: a fault is for ever.
  private static final int DEVICE = 6;

  @BeforeAll static void emulated() { Raw.emulationNeeded(); }

  private static float[] ones(int n) {
    float[] x = new float[n];
    Arrays.fill(x, 1);
    return x;
  }

  private static String checked(String kernel, int results, int threads, int shared) {
    try (var raw = new Raw(DEVICE)) {
      Emulation.check(true);
      return assertThrows(IllegalStateException.class, () -> raw.run(kernel, ones(256), results, 1, threads, shared))
          .getMessage();
    }
  }

  private static void names(String message, String... parts) {
    for (var p : parts) assertTrue(message.contains(p), message + " should name " + p);
  }

  @Test void missingBarrier() {
    names(checked("fault_missing_barrier", 1, 256, 128), "race in shared memory", "kernel fault_missing_barrier",
        "block (0,0,0)", "thread (32,0,0)", "faults.cu:15", "no barrier between");
  }

  /// Without the checks the poisoned memory shows it, in one order of the threads or another.
  @Test void missingBarrierWithoutChecks() {
    try (var raw = new Raw(DEVICE)) {
      int wrong = 0;
      for (var order : Emulation.Order.values()) {
        Emulation.order(order);
        if (raw.run("fault_missing_barrier", ones(256), 1, 1, 256, 128)[0] != 256) wrong++;
      }
      assertTrue(wrong > 0);
    }
  }

  @Test void outOfBounds() {
    names(checked("fault_out_of_bounds", 63, 64, 0), "out-of-bounds write of 4 bytes", "kernel fault_out_of_bounds",
        "thread (63,0,0)", "faults.cu:26", "CUDA_ERROR_ILLEGAL_ADDRESS");
  }

  @Test void outOfSharedBounds() {
    names(checked("fault_shared_bounds", 64, 64, 63 * 4),
        "out-of-bounds write of 4 bytes at byte 252 of 252 of shared memory", "thread (63,0,0)", "faults.cu:38");
  }

  /// Seen with and without the checks: nobody could go on.
  @Test void divergentBarrier() {
    names(checked("fault_divergent_barrier", 64, 64, 0), "divergent barrier", "kernel fault_divergent_barrier",
        "faults.cu:31", "faults.cu:32", "CUDA_ERROR_LAUNCH_FAILED");
    try (var raw = new Raw(DEVICE)) {
      names(assertThrows(IllegalStateException.class, () -> raw.run("fault_divergent_barrier", ones(64), 64, 1, 64, 0))
          .getMessage(), "divergent barrier", "32 threads wait at a block barrier");
    }
  }

  @Test void sharedMemoryBeginsAsNaN() {
    try (var raw = new Raw(DEVICE)) {
      for (float v : raw.run("fault_uninitialised", ones(64), 64, 1, 64, 256)) assertTrue(Float.isNaN(v));
    }
  }

  @Test void deviceMemoryBeginsAsNaN() {
    try (var raw = new Raw(DEVICE); var _ = jacquard.tensor.Scope.open(raw.device)) {
      for (float v : jacquard.tensor.Tensor.empty(jacquard.tensor.Type.f32(100)).floats()) assertTrue(Float.isNaN(v));
    }
  }

  @Test void wrongLayoutInJava() {
    try (var raw = new Raw(DEVICE)) {
      names(assertThrows(IllegalStateException.class, () -> raw.device.call("fill_f32").pointer(0).i32(3)).getMessage(),
          "fill_f32", "field 1", "packed as i", "plf");
      names(assertThrows(IllegalStateException.class, () -> raw.device.call("fill_f32").pointer(0).i64(3).over(3, 1))
          .getMessage(), "2 of 3 fields");
      names(assertThrows(IllegalStateException.class, () -> raw.device.call("fill_f64")).getMessage(),
          "no kernel fill_f64");
    }
  }

  /// What nvcc says of a kernel's arguments and what g++ says are compared when the kernel is looked up.
  @Test void wrongLayoutInPtx() {
    try (var raw = new Raw(DEVICE)) {
      var context = raw.device.context();
      context.enter();
      var right = "//\n.visible .entry fill_f32(\n\t.param .align 8 .b8 fill_f32_param_0[24]\n)\n";
      context.function(context.module(right.getBytes(StandardCharsets.US_ASCII)), "fill_f32");
      var wrong = context.module(right.replace("[24]", "[20]").getBytes(StandardCharsets.US_ASCII));
      var e = assertThrows(CudaException.class, () -> context.function(wrong, "fill_f32"));
      names(e.getMessage(), "kernel fill_f32 takes 20 bytes of arguments in PTX and 24 in C++");
      assertFalse(e.fatal());
    }
  }

  /// The same of every kernel that is there, where nvcc made its PTX.
  @Test void everyKernelInPtx() {
    try (var raw = new Raw(DEVICE)) {
      var context = raw.device.context();
      context.enter();
      var modules = new HashMap<String, Object>();
      int compared = 0;
      for (var line : Installed.kernels().split("\n")) {
        var w = line.split(" ");
        if (w[1].equals("faults")) continue;                                     // not built for a GPU
        var image = Installed.here().image(w[1]);
        if (image.length == 1) throw new TestAbortedException("built without nvcc: no PTX of " + w[1]);
        context.function(modules.computeIfAbsent(w[1], _ -> context.module(image)), w[0]);
        compared++;
      }
      assertTrue(compared > 100, compared + " kernels");
    }
  }

  @Test void tooManyThreadsOrTooMuchSharedMemory() {
    try (var raw = new Raw(DEVICE)) {
      names(assertThrows(CudaException.class, () -> raw.run("fault_uninitialised", ones(64), 64, 1, 128, 256))
          .getMessage(), "128 threads a block, launch bound 64");
      names(assertThrows(CudaException.class, () -> raw.run("fault_uninitialised", ones(64), 64, 1, 64, 300 << 10))
          .getMessage(), "CUDA_ERROR_INVALID_VALUE");
      assertTrue(Float.isNaN(raw.run("fault_uninitialised", ones(64), 64, 1, 64, 256)[0]),
          "a refusal leaves the device as it was");
    }
  }
}
