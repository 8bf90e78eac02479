package jacquard.tests;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Movement;
import java.util.HashSet;

/// Runs kernels of the emulated device in a JVM that its sanitisers may end: every op's first spec of each combination
/// of types, or one of the faults put in on purpose. Says `done` at the end.
public final class Sanitized {
  private Sanitized() {}

  public static void main(String[] args) {
    var device = (CudaDevice) Device.named("cuda");
    switch (args[0]) {
      case "ops" -> ops(device);
      case "host" -> host(device);
      default -> kernel(device, args[0], Integer.parseInt(args[1]));
    }
    System.out.println("done");
  }

  private static void ops(CudaDevice device) {
    var seen = new HashSet<String>();
    int ran = 0;
    for (var s : OpSpecs.all()) {
      if (s.large() || s.op() instanceof Movement.View) continue;
      if (!seen.add(s.op().getClass() + " " + s.inputs().stream().map(i -> i.type().dtype()).toList())) continue;
      try { new Conformance(device).check(s); }
      catch (UnsupportedOperationException e) { continue; }
      ran++;
    }
    System.out.println(ran + " ops, " + device.launches() + " launches");
  }

  private static void kernel(CudaDevice device, String name, int n) {
    try (var _ = Scope.open(device)) {
      Tensor x = Tensor.full(Shape.of(64), 1), y = Tensor.full(Shape.of(64), 0);
      device.guarded(() -> {
        device.call(name).pointer(x).pointer(y).i32(n).launch(1, 1, 1, 64, 0);
        return null;
      });
      y.floats();
    }
  }

  /// A copy of 32 bytes into page-locked memory of 16: the driver knows the device's side only.
  private static void host(CudaDevice device) {
    try (var _ = Scope.open(device)) {
      var x = Tensor.full(Shape.of(64), 1);
      device.guarded(() -> {
        device.context().copyOut(device.context().pinned(16), CudaDevice.address(x), 32);
        return null;
      });
    }
  }
}
