package jacquard.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cuda.Slabs;
import jacquard.kernels.cuda.driver.Driver;
import jacquard.kernels.cuda.driver.Emulation;
import jacquard.kernels.cuda.driver.Installed;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Contraction;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/// Memory, copies, faults.
class CudaDeviceTest {
  private static final int DEVICE = 7;

  @BeforeAll static void there() { Raw.needed(); }

  @Test void namesAndRanks() {
    assertEquals("cuda", Device.named("cuda:0").name());
    assertEquals("cuda:1", Device.named("cuda:1").name());
    if (Emulation.on()) assertEquals("cpu", Device.best().name(), "an emulated GPU is never chosen by itself");
    assertTrue(assertThrows(IllegalArgumentException.class, () -> Device.named("cuda:99")).getMessage()
        .contains("cuda:99"));
  }

  /// Longer than the two staging buffers together, so that both are used twice.
  @Test void copiesOfAnyLength() {
    try (var raw = new Raw(DEVICE); var _ = Scope.open(raw.device)) {
      int[] many = new int[(18 << 20) / 4 + 3];
      for (int i = 0; i < many.length; i++) many[i] = i * 31;
      assertArrayEquals(many, Tensor.ofInts(Shape.of(many.length), many).ints());
      for (Object array : new Object[] {new byte[] {1, 2, 3}, new short[] {1, -2}, new long[] {1L << 40},
          new float[] {}, new float[] {1.5f}}) {
        var type = array instanceof byte[] ? DType.U8 : array instanceof short[] ? DType.BF16 : array instanceof long[]
            ? DType.I64 : DType.F32;
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
      long free = raw.device.guarded(raw.device.context()::freeBytes);
      var message = assertThrows(OutOfMemoryError.class, () -> Tensor.full(Shape.of(1 << 20), 1)).getMessage();
      for (var part : List.of("cuda:7", "asked 4,194,304 bytes", "held 4,000 by tensors",
          "free %,d of 1,048,576".formatted(free)))
        assertTrue(message.contains(part), message);
      assertEquals(1000, kept.sum().item(), "the process goes on");
    }
  }

  /// What a group needs beside its tensors is asked for as tensors' memory is.
  @Test void runningOutForAGroupSaysHowMuch() {
    Raw.emulationNeeded();
    try (var first = new Raw(DEVICE - 1); var raw = new Raw(DEVICE)) {
      // room for the tensors of both, on one of them too little for the group's flags
      long total = Math.max(held(first), held(raw)) + 1024;
      Emulation.memory(total);
      var message = assertThrows(OutOfMemoryError.class, () -> Group.run(List.<Device>of(first.device, raw.device), g ->
          Tensor.apply(new Collective.AllReduce(g, 1, 1), Tensor.zeros(Shape.of(2))).floats())).getMessage();
      assertTrue(message.matches(("cuda:[67]: asked 2,304 bytes, held 16 by tensors in 16 of the device's memory, free "
          + "[0-9,]+ of %,d; .*").formatted(total)), message);
      try (var _ = Scope.open(raw.device)) {
        assertEquals(3, Tensor.full(Shape.of(3), 1).sum().item(), "the process goes on");
      }
    }
  }

  private static long held(Raw raw) {
    return raw.device.guarded(() -> raw.device.context().totalBytes() - raw.device.context().freeBytes());
  }

  /// Blocks cut from slabs, with the pool that a GPU gets: never two at one place, all given back, slabs asked for
  /// once.
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
          assertTrue((below == null || below.getKey() + below.getValue() <= at)
              && (above == null || at + size <= above.getKey()), "blocks overlap");
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
      var e = assertThrows(IllegalStateException.class, () ->
          raw.device.run(new Contraction.MatMul(false, false), List.of(a, b), List.of(c)));
      for (var part : List.of("cuda:7 can be used no longer", "out-of-bounds read", "matmul.cu",
          "kernel asked for last: matmul_f32_nn_32", "by MatMul"))
        assertTrue(e.getMessage().contains(part), e.getMessage());
      var later = assertThrows(IllegalStateException.class, () -> Tensor.full(Shape.of(3), 1));
      assertTrue(later.getMessage().contains("matmul_f32_nn_32"),
          "later calls tell the first cause: " + later.getMessage());
    }
  }

  /// One rank's kernel reads out of bounds while the other waits for it in a collective: both end, the first with the
  /// fault, the other with its cause.
  @Test void aFaultStopsTheOtherRanks() {
    Raw.emulationNeeded();
    try (var first = new Raw(DEVICE - 1); var raw = new Raw(DEVICE)) {
      var seen = new Throwable[2];
      Emulation.check(true);
      var e = assertThrows(IllegalStateException.class, () ->
          Group.run(List.<Device>of(first.device, raw.device), g -> {
        try {
          if (g.rank() == 1)
            raw.device.run(new Contraction.MatMul(false, false), List.of(Tensor.full(Shape.of(3, 5), 1),
                Tensor.full(Shape.of(5, 3), 1)), List.of(Tensor.empty(Type.f32(20, 3))));
          return Tensor.apply(new Collective.AllReduce(g, 1, 1), Tensor.zeros(Shape.of(2))).floats();
        } catch (RuntimeException x) {
          seen[g.rank()] = x;
          throw x;
        }
      }));
      assertTrue(e.getMessage().contains("cuda:7 can be used no longer") && e.getMessage().contains("matmul_f32_nn_32"),
          e.getMessage());
      assertTrue(seen[0] instanceof Group.Failure, String.valueOf(seen[0]));
      for (var part : List.of("rank 1", "cuda:7 can be used no longer", "matmul_f32_nn_32"))
        assertTrue(seen[0].getMessage().contains(part), seen[0].getMessage());
      try (var _ = Scope.open(first.device)) {
        assertEquals(3, Tensor.full(Shape.of(3), 1).sum().item(), "the other device goes on");
      }
    }
  }

  /// Drivers that are there and do not do, each by its reason.
  @Test void anUnfitDriver() {
    if (Installed.class.getClassLoader().getResource("jacquard/cuda/toolkit.txt") == null)
      throw new TestAbortedException("no fatbin was built");
    assertEquals("the NVIDIA driver is too old: it knows CUDA 12.6, the kernels need CUDA 13",
        Installed.unfit(driver(12060, 1, 9, 0)));
    assertEquals("the NVIDIA driver finds no GPU", Installed.unfit(driver(13000, 0, 9, 0)));
    assertEquals("GPU 0 (Old) has compute capability 7.5, the kernels need 8.0",
        Installed.unfit(driver(13000, 1, 7, 5)));
    assertEquals(null, Installed.unfit(driver(13010, 2, 8, 0)));
  }

  private static Driver driver(int version, int devices, int major, int minor) {
    return new Driver() {
      @Override public int version() { return version; }
      @Override public int devices() { return devices; }
      @Override public String name(int device) { return "Old"; }
      @Override public int attribute(int device, int attribute) {
        return attribute == CAPABILITY_MAJOR ? major : minor;
      }
      @Override public Context open(int device) { throw new AssertionError("opened"); }
    };
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

  /// Before anything is launched: a kernel would read past what was packed.
  @Test void argumentsOfAnotherBuildAreRefused() {
    try (var raw = new Raw(DEVICE); var _ = Scope.open(raw.device)) {
      refused(raw, () -> raw.device.call("adamw").table(0, 48), "kernel adamw", "48 bytes here",
          "56 in the kernel that was built");
      refused(raw, () -> raw.device.call("all_reduce_f32").pointers(16).pointer(0).table(0, 264),
          "kernel all_reduce_f32", "264 bytes here", "272 in");
      refused(raw, () -> raw.device.call("blend").pointer(0).pointer(0).i64(1).f32(0).launch(1, 1, 1, 32, 0),
          "kernel blend", "4 of 5 fields", "28 bytes here", "32 in");
      refused(raw, () -> raw.device.call("blend").pointer(0).pointer(0).i64(1).f32(0).f32(0).f32(0), "kernel blend",
          "field 5", "up to byte 36", "32 bytes");
      refused(raw, () -> raw.device.call("blend").pointer(0).i64(1), "kernel blend", "field 1", "packed as l");
      assertArrayEquals(new float[] {2}, Tensor.full(Shape.of(1), 1).add(1).floats(), "the device goes on");
    }
  }

  private static void refused(Raw raw, Runnable call, String... parts) {
    var e = assertThrows(IllegalStateException.class, () -> raw.device.guarded(() -> {
      call.run();
      return null;
    }));
    for (var part : parts) assertTrue(e.getMessage().contains(part), e.getMessage());
    assertTrue(e.getMessage().contains("run cuda-src/build"), e.getMessage());
  }

  /// The copy of the strided tensor is a launch of its own, and there is one struct of arguments.
  @Test void aLaunchBegunAmongTheArgumentsOfAnotherIsRefused() {
    try (var raw = new Raw(DEVICE); var _ = Scope.open(raw.device)) {
      Tensor x = Tensor.full(Shape.of(3, 5), 1), y = Tensor.zeros(Shape.of(5));
      var e = assertThrows(IllegalStateException.class, () -> raw.device.guarded(() -> {
        raw.device.call("unary_f32").pointer(x).pointer(x.permute(1, 0).dense());
        return null;
      }));
      for (var part : List.of("copy_4", "unary_f32", "1 of 7 fields"))
        assertTrue(e.getMessage().contains(part), e.getMessage());
      assertArrayEquals(new float[] {3, 3, 3, 3, 3}, x.sum(0).add(y).floats(), "the device goes on");
    }
  }
}
