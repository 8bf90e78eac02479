package jacquard.tests.cuda;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.kernels.cuda.driver.Emulation;
import jacquard.kernels.cuda.driver.Installed;
import jacquard.tensor.DType;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import org.opentest4j.TestAbortedException;

/// A device of a test's own, whose kernels are called one by one. Closing it heals the emulated GPU and puts the
/// emulation's knobs back.
public final class Raw implements AutoCloseable {
  public final CudaDevice device;
  private final int index;

  /// The GPU of this number, or with fewer of them another.
  public Raw(int index) {
    needed();
    this.index = index % Installed.here().driver().devices();
    device = new CudaDevice(Installed.here(), this.index);
  }

  static void needed() {
    if (Installed.here().missing() != null)
      throw new TestAbortedException("no CUDA device: " + Installed.here().missing());
  }

  public static void emulationNeeded() {
    needed();
    if (!Emulation.on()) throw new TestAbortedException("this is about the emulation; a GPU is in use");
  }

  /// Launches one block after another of x, y, n kernels, with this much shared memory; returns y.
  public float[] run(String kernel, float[] x, int results, int blocks, int threads, int shared) {
    try (var _ = Scope.open(device)) {
      Tensor in = Tensor.of(Shape.of(x.length), x), out = Tensor.full(Shape.of(results), -1);
      device.guarded(() -> {
        device.call(kernel).pointer(in).pointer(out).i32(results).launch(blocks, 1, 1, threads, shared);
        return null;
      });
      return out.floats();
    }
  }

  public Tensor bf16(Shape shape, float[] values) {
    short[] bits = new short[values.length];
    for (int i = 0; i < bits.length; i++) bits[i] = DType.toBf16(values[i]);
    return Tensor.ofArray(new Type(DType.BF16, shape), bits);
  }

  @Override public void close() {
    if (!Emulation.on()) return;
    Emulation.check(false);
    Emulation.order(Emulation.Order.FORWARD);
    Emulation.memory(8L << 30);
    Emulation.lose(-1);
    Emulation.heal(index);
  }
}
