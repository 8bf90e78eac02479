package jacquard.tests.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.tensor.DType;
import jacquard.tensor.Device;
import org.junit.jupiter.api.Test;

/// What the CPU does with memory that tensors gave back.
class PoolTest {
  private static final int SIZE = 1 << 20;

  /// It holds what asks for half of it or more; a smaller tensor, which may live long, gets an array of its own.
  @Test void anArrayServesDownToHalfOfItsLength() {
    for (int percent : new int[] {100, 80, 55, 45, 30}) {
      try (var device = Device.named("cpu:" + (50 + percent))) {
        device.free(DType.F32, SIZE, device.allocate(DType.F32, SIZE));
        long first = device.most().taken();
        int wanted = SIZE / 100 * percent;
        var again = device.allocate(DType.F32, wanted);
        assertEquals(percent < 50, device.most().taken() > first, percent + " % of a free array");
        device.free(DType.F32, wanted, again);
      }
    }
  }
}
