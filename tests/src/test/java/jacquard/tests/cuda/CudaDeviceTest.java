package jacquard.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cuda.Slabs;
import jacquard.kernels.cuda.driver.Emulation;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Contraction;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Memory, copies, faults.
class CudaDeviceTest {
  private static final int DEVICE = 7;

  @BeforeAll static void there() { Raw.needed(); }

  @Test void namesAndRanks() {
    assertEquals("cuda", Device.named("cuda:0").name());
    assertEquals("cuda:1", Device.named("cuda:1").name());
    if (Emulation.on()) assertEquals("cpu", Device.best().name(), "an emulated GPU is never chosen by itself");
    assertTrue(assertThrows(IllegalArgumentException.class, () -> Device.named("cuda:99")).getMessage().contains("cuda:99"));
  }

  /// Longer than the two staging buffers together, so that both are used twice.
  @Test void copiesOfAnyLength() {
    try (var raw = new Raw(DEVICE); var _ = Scope.open(raw.device)) {
      int[] many = new int[(18 << 20) / 4 + 3];
      for (int i = 0; i < many.length; i++) many[i] = i * 31;
      assertArrayEquals(many, Tensor.ofInts(Shape.of(many.length), many).ints());
      for (Object array : new Object[] {new byte[] {1, 2, 3}, new short[] {1, -2}, new long[] {1L << 40}, new float[] {}, new float[] {1.5f}}) {
        var type = array instanceof byte[] ? DType.U8 : array instanceof short[] ? DType.BF16 : array instanceof long[] ? DType.I64 : DType.F32;
        var t = Tensor.ofArray(new Type(type, Shape.of(java.lang.reflect.Array.getLength(array))), array);
        assertTrue(java.util.Objects.deepEquals(array, t.read()));
      }
    }
  }

  @Test void runningOutSaysHowMuch() {
    Raw.emulationNeeded();
    try (var raw = new Raw(DEVICE); var _ = Scope.open(raw.device)) {
      Emulation.memory(1 << 20);
      var kept = Tensor.full(Shape.of(1000), 1);
      var message = assertThrows(OutOfMemoryError.class, () -> Tensor.full(Shape.of(1 << 20), 1)).getMessage();
      for (var part : List.of("cuda:7", "asked 4,194,304 bytes", "held 4,000 by tensors", "free 1,044,576 of 1,048,576")) assertTrue(message.contains(part), message);
      assertEquals(1000, kept.sum().item(), "the process goes on");
    }
  }

  /// Blocks cut from slabs, with the pool that a GPU gets: never two at one place, all given back, slabs asked for once.
  @Test void slabs() {
    try (var raw = new Raw(DEVICE)) {
      raw.device.context().enter();
      var slabs = new Slabs(raw.device.context(), "test", false);
      var random = new java.util.Random(1);
      var live = new java.util.TreeMap<Long, Long>();
      long free = raw.device.context().freeBytes();
      for (int round = 0; round < 3000; round++) {
        if (live.size() < 60 || random.nextBoolean() && live.size() < 120) {
          long size = 1 + (long) Math.pow(2, random.nextDouble() * 22), at = slabs.allocate(size);
          assertEquals(0, at % 256);
          var below = live.floorEntry(at);
          var above = live.ceilingEntry(at);
          assertTrue((below == null || below.getKey() + below.getValue() <= at) && (above == null || at + size <= above.getKey()), "blocks overlap");
          live.put(at, size);
        } else {
          var e = live.floorEntry(live.firstKey() + (random.nextLong() & 0xffffff));
          live.remove(e.getKey());
          slabs.free(e.getKey(), e.getValue());
        }
      }
      assertEquals(live.size(), slabs.live().blocks());
      live.forEach(slabs::free);
      assertEquals(new Device.Live(0, 0), slabs.live());
      assertTrue(free - raw.device.context().freeBytes() < 400L << 20, "blocks were not used again");
    }
  }

  /// A result larger than its inputs allow makes the product read past them.
  @Test void aFaultNamesKernelAndOpAndTheDeviceIsOver() {
    Raw.emulationNeeded();
    try (var raw = new Raw(DEVICE); var _ = Scope.open(raw.device)) {
      Tensor a = Tensor.full(Shape.of(3, 5), 1), b = Tensor.full(Shape.of(5, 3), 1), c = Tensor.empty(Type.f32(20, 3));
      Emulation.check(true);
      var e = assertThrows(IllegalStateException.class, () -> raw.device.run(new Contraction.MatMul(false, false), List.of(a, b), List.of(c)));
      for (var part : List.of("cuda:7 can be used no longer", "out-of-bounds read", "matmul.cu", "kernel asked for last: matmul_f32_nn_32", "by MatMul")) assertTrue(e.getMessage().contains(part), e.getMessage());
      var later = assertThrows(IllegalStateException.class, () -> Tensor.full(Shape.of(3), 1));
      assertTrue(later.getMessage().contains("matmul_f32_nn_32"), "later calls tell the first cause: " + later.getMessage());
    }
  }

  @Test void aDeviceThatDisappears() {
    Raw.emulationNeeded();
    try (var raw = new Raw(DEVICE); var _ = Scope.open(raw.device)) {
      var x = Tensor.full(Shape.of(3), 1);
      Emulation.lose(DEVICE);
      var e = assertThrows(IllegalStateException.class, () -> x.add(1));
      assertTrue(e.getMessage().contains("DEVICE_UNAVAILABLE") || e.getMessage().contains("46"), e.getMessage());
    }
  }

  /// The copy of the strided tensor is a launch of its own, and there is one struct of arguments.
  @Test void aLaunchBegunAmongTheArgumentsOfAnotherIsRefused() {
    try (var raw = new Raw(DEVICE); var _ = Scope.open(raw.device)) {
      Tensor x = Tensor.full(Shape.of(3, 5), 1), y = Tensor.zeros(Shape.of(5));
      var e = assertThrows(IllegalStateException.class, () -> raw.device.guarded(() -> {
        raw.device.call("unary_f32").pointer(x).pointer(x.permute(1, 0).dense());
        return null;
      }));
      for (var part : List.of("copy_4", "unary_f32", "1 of 7 fields")) assertTrue(e.getMessage().contains(part), e.getMessage());
      assertArrayEquals(new float[] {3, 3, 3, 3, 3}, x.sum(0).add(y).floats(), "the device goes on");
    }
  }
}
