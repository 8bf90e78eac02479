package jacquard.tests.ranks.joined;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.kernels.nccl.Nccl;
import jacquard.kernels.nccl.NcclGroup;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Collective;
import jacquard.tests.Draw;
import jacquard.tests.ranks.AroundGroup;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

/// Ranks joined by NCCL: the binding against the real library as far as it goes without a GPU, the collectives against
/// a stand-in on emulated devices.
@Timeout(60)
class NcclTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static List<Device> devices(int ranks) {
    var why = Device.unavailable().get("cuda");
    if (why != null) throw new TestAbortedException("no CUDA device: " + why);
    long there = Device.all().stream().filter(d -> d.name().startsWith("cuda")).count();
    if (there < 4) throw new TestAbortedException("4 CUDA devices are needed, there are " + there);
    return IntStream.range(0, ranks).mapToObj(r -> Device.named("cuda:" + r)).toList();
  }

  @AfterEach void nothingIsLeft() {
    for (var d : Device.all()) assertEquals(0, d.live().blocks(), d.name());
  }

  /// Ragged rows, strided and 16-bit tensors, several tensors at once: the bits of ranks of one process, whose sums are
  /// in rank order.
  @ParameterizedTest @ValueSource(ints = {1, 2, 3, 4})
  void collectivesAreThoseOfOneProcess(int ranks) throws Exception {
    var nccl = Nccl.load(StandIn.library().toString());
    int[] rows = {3, 1, 4, 2};
    int[] own = Arrays.copyOf(rows, ranks);
    int all = Arrays.stream(own).sum();
    Group.Body<List<float[]>, RuntimeException> work = g -> {
      var part = Draw.uniform(g.rank(), Shape.of(own[g.rank()], 7), -1, 1);
      var gathered = Tensor.apply(new Collective.AllGather(g, own), part.permute(1, 0).copy().permute(1, 0));
      var half = Tensor.apply(new Collective.AllGather(g, own), part.cast(DType.BF16));
      var scattered = Tensor.apply(new Collective.ReduceScatter(g, own),
          Draw.uniform(g.rank() + 9, Shape.of(all, 7), -1, 1));
      var reduced = Tensor.applyAll(new Collective.AllReduce(g, 0.5f, 3), List.of(
          Draw.uniform(g.rank(), Shape.of(5), -1, 1), Draw.uniform(g.rank() + 4, Shape.of(1001, 71), -1, 1),
          Draw.uniform(g.rank() + 8, Shape.of(), -1, 1)));
      var norm = Tensor.applyAll(new Collective.BatchNorm(g, 1e-5f, true), List.of(part, Tensor.full(Shape.of(7), 2),
          Tensor.full(Shape.of(7), 1)));
      return List.of(gathered.floats(), half.floats(), scattered.floats(), reduced.get(0).floats(),
          reduced.get(1).floats(), reduced.get(2).floats(), norm.get(1).floats());
    };
    var expected = Group.run(devices(ranks), work);
    var got = Group.run(devices(ranks), g -> {
      var group = new NcclGroup(g, nccl, PATIENCE);
      var r = work.run(group);
      group.end();
      return r;
    });
    for (int r = 0; r < ranks; r++)
      for (int k = 0; k < 7; k++)
        assertArrayEquals(expected.get(r).get(k), got.get(r).get(k), k == 6 ? 1e-6f : 0, "rank " + r + ", " + k);
  }

  /// The stand-in adds up from the last rank to the first.
  @Test void ownSumsAreTheLibrarys() throws Exception {
    var nccl = Nccl.load(StandIn.library().toString());
    int n = 4096;
    var got = Group.run(devices(3), g -> {
      var group = new NcclGroup(g, nccl, PATIENCE);
      var device = (CudaDevice) Device.named("cuda:" + g.rank());
      var x = Draw.uniform(g.rank(), Shape.of(n), -1, 1);
      var ordered = Tensor.apply(new Collective.AllReduce(group, 1, 1), x).floats();
      device.vendors().sums(nccl);
      try {
        var own = Tensor.apply(new Collective.AllReduce(group, 0.5f, 1), x).floats();
        var part = Tensor.apply(new Collective.ReduceScatter(group, new int[] {2, 2, 2}),
            Draw.uniform(g.rank(), Shape.of(6, 3), -1, 1)).floats();
        assertEquals("nccl 2.21.0", device.used().get("sums"));
        group.end();
        return List.of(ordered, own, part);
      } finally { device.use("sums", "jacquard"); }
    });
    var x = Group.run(devices(1), _ -> List.of(Draw.uniform(0, Shape.of(n), -1, 1).floats(),
        Draw.uniform(1, Shape.of(n), -1, 1).floats(), Draw.uniform(2, Shape.of(n), -1, 1).floats())).getFirst();
    float[] forward = new float[n], backward = new float[n];
    for (int i = 0; i < n; i++) {
      forward[i] = x.get(0)[i] + x.get(1)[i] + x.get(2)[i];
      backward[i] = (x.get(2)[i] + x.get(1)[i] + x.get(0)[i]) * 0.5f;
    }
    for (var r : got) {
      assertArrayEquals(forward, r.get(0));
      assertArrayEquals(backward, r.get(1));
    }
  }

  /// As a rank that fails once all have agreed, when the others already wait in NCCL.
  private record FailsAfterAgreeing(Group of) implements AroundGroup {
    @Override public double[] sum(String what, double... values) {
      var r = of.sum(what, values);
      if (rank() == 1 && what.startsWith("AllGather") && values.length == 0) throw new IllegalStateException("no luck");
      return r;
    }
  }

  @Test void aRankThatFailsFreesThoseThatWait() throws Exception {
    var nccl = Nccl.load(StandIn.library().toString());
    var seen = new Throwable[3];
    var e = assertThrows(IllegalStateException.class, () -> Group.run(devices(3), g -> {
      var group = new NcclGroup(new FailsAfterAgreeing(g), nccl, PATIENCE);
      Tensor.apply(new Collective.AllReduce(group, 1, 1), Tensor.zeros(Shape.of(4))).floats();
      try {
        return Tensor.apply(new Collective.AllGather(group, new int[] {1, 1, 1}), Tensor.zeros(Shape.of(1, 3)))
            .floats();
      }
      catch (RuntimeException x) {
        seen[g.rank()] = x;
        throw x;
      }
    }));
    assertEquals("no luck", e.getMessage());
    for (int r : new int[] {0, 2}) {
      assertInstanceOf(Group.Failure.class, seen[r]);
      assertTrue(seen[r].getMessage().contains("rank 1 failed") && seen[r].getMessage().contains("no luck"),
          seen[r].getMessage());
    }
  }

  @Test void aRankThatDoesNotComeEndsTheWait() throws Exception {
    var nccl = Nccl.load(StandIn.library().toString());
    var e = assertThrows(IllegalStateException.class, () -> Group.run(devices(2), g -> {
      var group = new NcclGroup(g, nccl, Duration.ofMillis(300));
      group.agree("the first");
      long x = CudaDevice.address(Tensor.zeros(Shape.of(3)));
      if (g.rank() == 1) Thread.sleep(1500);
      else group.gather("a gather", x, x + 4, new long[] {4, 4}, 0);
      return null;
    }));
    assertEquals("no end of a gather through NCCL within 0 s", e.getMessage());
  }

  @Test void whatIsNoNcclIsRefused() {
    var none = assertThrows(IllegalArgumentException.class, () -> Nccl.load("libnone.so"));
    assertTrue(none.getMessage().startsWith("no NCCL: libnone.so cannot be loaded; install libnccl2"),
        none.getMessage());
    var other = assertThrows(IllegalArgumentException.class, () -> Nccl.load("libm.so.6"));
    assertEquals("the library is no NCCL: it has no ncclGetVersion", other.getMessage());
  }

  /// The library that NVIDIA ships: every function is there, the id comes back, and a communicator is asked for with
  /// the id by value and our layout of the configuration. Without a GPU its answer is that there is no driver.
  @Test void signaturesAreTheRealOnes() {
    Nccl nccl;
    try { nccl = Nccl.load(); }
    catch (IllegalArgumentException e) { throw new TestAbortedException(e.getMessage()); }
    assertTrue(nccl.version().matches("2\\.\\d+\\.\\d+"), nccl.version());
    if (nccl.version().equals("2.21.0")) throw new TestAbortedException("the stand-in");
    byte[] id = nccl.uniqueId();
    assertFalse(Arrays.equals(id, new byte[128]));
    if (Device.all().stream().anyMatch(d -> d.name().startsWith("cuda") && d.rank() > 0)) return;
    var e = assertThrows(IllegalStateException.class, () -> nccl.communicator(id, 0, 1));
    assertTrue(e.getMessage().startsWith("ncclCommInitRankConfig failed with error 1: unhandled cuda error"),
        e.getMessage());
  }
}
