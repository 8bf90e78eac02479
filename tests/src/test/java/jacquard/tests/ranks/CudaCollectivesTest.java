package jacquard.tests.ranks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cuda.driver.Emulation;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Collective;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.opentest4j.TestAbortedException;

/// The same by the kernels that reach into their peers' memory.
class CudaCollectivesTest extends CollectivesTest {
  @BeforeAll static void isThere() {
    var why = Device.unavailable().get("cuda");
    if (why != null) throw new TestAbortedException("no CUDA device: " + why);
    long devices = Device.all().stream().filter(d -> d.name().startsWith("cuda")).count();
    if (devices < 4) throw new TestAbortedException("4 CUDA devices are needed, there are " + devices);
  }

  @Override List<Device> devices(int ranks) { return devices("cuda", ranks); }

  @ParameterizedTest @EnumSource(Emulation.Order.class) void inEveryOrderOfThreads(Emulation.Order order) {
    if (!Emulation.on()) throw new TestAbortedException("a GPU orders threads as it likes");
    Emulation.order(order);
    Emulation.check(true);
    try {
      gathersScattersAndReduces(3);
      batchNormSeesTheRowsOfAll(2);
    } finally {
      Emulation.order(Emulation.Order.FORWARD);
      Emulation.check(false);
    }
  }

  /// As the group of a rank that fails once all have met, when the others already wait for it in their kernels.
  private record FailsAfterMeeting(Group of) implements AroundGroup {
    @Override public List<Object> meet(String what, Object mine) {
      var all = of.meet(what, mine);
      if (rank() == 1 && what.startsWith("AllGather")) throw new IllegalStateException("no luck");
      return all;
    }
  }

  @Test void aRankThatFailsTakesTheOthersOutOfTheirKernels() {
    var seen = new Throwable[3];
    var e = assertThrows(IllegalStateException.class, () -> Group.run(devices(3), g -> {
      try {
        return Tensor.apply(new Collective.AllGather(new FailsAfterMeeting(g), new int[] {1, 1, 1}),
            Tensor.zeros(Shape.of(1, 3))).floats();
      }
      catch (RuntimeException x) {
        seen[g.rank()] = x;
        throw x;
      }
    }));
    assertEquals("no luck", e.getMessage());
    for (int r : new int[] {0, 2})
      assertTrue(seen[r] instanceof Group.Failure && seen[r].getMessage().contains("rank 1 failed")
          && seen[r].getMessage().contains("no luck"), String.valueOf(seen[r]));
    var again = Group.run(devices(3), g ->
        Tensor.apply(new Collective.AllGather(g, new int[] {1, 1, 1}), Tensor.full(Shape.of(1, 1), g.rank())).floats());
    for (var a : again) assertArrayEquals(new float[] {0, 1, 2}, a);
  }

  @Test void oneDeviceForTwoRanksIsRefused() {
    var one = Device.named("cuda:0");
    var e = assertThrows(IllegalArgumentException.class, () -> Group.run(List.of(one, one), g ->
        Tensor.apply(new Collective.AllReduce(g, 1, 1), Tensor.zeros(Shape.of(2))).floats()));
    assertTrue(e.getMessage().contains("are both on cuda"), e.getMessage());
  }
}
