package jacquard.tests.ranks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Fused;
import jacquard.tests.Draw;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class CollectivesTest {
  static List<Device> devices(String kind, int ranks) {
    return IntStream.range(0, ranks).mapToObj(r -> Device.named(kind + ":" + r)).toList();
  }

  List<Device> devices(int ranks) { return devices("cpu", ranks); }

  @AfterEach void nothingIsLeft() { for (var d : devices(4)) assertEquals(0, d.live().blocks(), d.name()); }

  /// Rank r brings r + 1 rows, so that parts differ in length.
  private static int[] ragged(int ranks) { return IntStream.rangeClosed(1, ranks).toArray(); }

  /// Integers from −15 to 15.
  private static float[] whole(int seed, int n) {
    float[] v = new float[n];
    for (int i = 0; i < n; i++) v[i] = (i * 7 + seed * 13) % 31 - 15;
    return v;
  }

  @ParameterizedTest @ValueSource(ints = {1, 2, 3, 4}) void gathersScattersAndReduces(int ranks) {
    int[] rows = ragged(ranks);
    int all = Arrays.stream(rows).sum(), width = 5;
    var got = Group.run(devices(ranks), g -> {
      int first = IntStream.range(0, g.rank()).map(r -> rows[r]).sum();
      var part = Tensor.of(Shape.of(rows[g.rank()], width),
          Arrays.copyOfRange(whole(0, all * width), first * width, (first + rows[g.rank()]) * width));
      var gathered = Tensor.apply(new Collective.AllGather(g, rows), part);
      var shorts = Tensor.apply(new Collective.AllGather(g, rows), part.cast(DType.BF16)).floats();
      assertArrayEquals(gathered.floats(), shorts);                               // integers below 256 are BF16 numbers
      var ids = Tensor.apply(new Collective.AllGather(g, rows),
          Tensor.ofInts(Shape.of(rows[g.rank()]), IntStream.range(first, first + rows[g.rank()]).toArray())).ints();
      assertArrayEquals(IntStream.range(0, all).toArray(), ids);
      var strided = Tensor.apply(new Collective.AllGather(g, rows), part.permute(1, 0).copy().permute(1, 0));
      assertArrayEquals(gathered.floats(), strided.floats());
      var scattered = Tensor.apply(new Collective.ReduceScatter(g, rows),
          Tensor.of(Shape.of(all, width), whole(g.rank(), all * width)));
      var reduced = Tensor.applyAll(new Collective.AllReduce(g, 0.5f, 2),
          List.of(Tensor.of(Shape.of(7), whole(g.rank(), 7)), Tensor.of(Shape.of(1000, 71), whole(g.rank(), 71000))));
      return List.of(gathered.floats(), scattered.floats(), reduced.get(0).floats(), reduced.get(1).floats());
    });
    for (int r = 0; r < ranks; r++) {
      assertArrayEquals(whole(0, all * width), got.get(r).get(0));
      int first = IntStream.range(0, r).map(k -> rows[k]).sum() * width;
      float[] sum = sum(ranks, all * width), small = sum(ranks, 7), large = sum(ranks, 71000);
      for (int i = 0; i < small.length; i++) small[i] *= 0.5f;
      for (int i = 0; i < large.length; i++) large[i] *= 0.5f;
      assertArrayEquals(Arrays.copyOfRange(sum, first, first + rows[r] * width), got.get(r).get(1));
      assertArrayEquals(small, got.get(r).get(2));
      assertArrayEquals(large, got.get(r).get(3));
    }
  }

  private static float[] sum(int ranks, int n) {
    float[] s = new float[n];
    for (int r = 0; r < ranks; r++) {
      float[] x = whole(r, n);
      for (int i = 0; i < n; i++) s[i] += x[i];
    }
    return s;
  }

  /// Σ over ranks ⟨w, A·x⟩ = Σ over ranks ⟨Aᵀ·w, x⟩: exact in integers.
  @ParameterizedTest @ValueSource(ints = {1, 2, 3, 4}) void gradientsAreTheAdjoints(int ranks) {
    int[] rows = ragged(ranks);
    int all = Arrays.stream(rows).sum();
    record Case(String name, Function<Group, Collective> op, Function<Group, Integer> extent) {}
    for (var c : List.of(new Case("AllGather", g -> new Collective.AllGather(g, rows), g -> rows[g.rank()]),
        new Case("ReduceScatter", g -> new Collective.ReduceScatter(g, rows), _ -> all),
        new Case("AllReduce", g -> new Collective.AllReduce(g, 2, 1), _ -> all))) {
      var dots = Group.run(devices(ranks), g -> {
        int n = c.extent.apply(g) * 3;
        var x = Tensor.of(Shape.of(n / 3, 3), whole(g.rank(), n));
        var y = new AtomicReference<float[]>();
        var w = new AtomicReference<float[]>();
        var r = Grad.vjp(List.of(x), in -> Tensor.applyAll(c.op.apply(g), in), out -> {
          y.set(out.getFirst().floats());
          w.set(whole(g.rank() + 5, y.get().length));
          return List.of(Tensor.of(out.getFirst().shape(), w.get()));
        });
        return new double[] {dot(w.get(), y.get()), dot(r.gradients().getFirst().floats(), x.floats())};
      });
      assertEquals(dots.stream().mapToDouble(d -> d[0]).sum(), dots.stream().mapToDouble(d -> d[1]).sum(), c.name);
    }
  }

  private static double dot(float[] a, float[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> (double) a[i] * b[i]).sum();
  }

  /// The rows of all ranks against one rank that has them all, by the kernel and by the definition: outputs,
  /// statistics, gradients. Sums of 40 terms of size 2: 8·√40·2⁻²⁴·2 is 6e-6.
  @ParameterizedTest @ValueSource(ints = {1, 2, 3, 4}) void batchNormSeesTheRowsOfAll(int ranks) {
    int[] rows = IntStream.range(0, ranks).map(r -> 3 + 2 * r).toArray();
    int all = Arrays.stream(rows).sum(), c = 6;
    var expected = Group.run(devices(1), _ -> {
      var in = List.of(Draw.uniform(1, Shape.of(all, c), -2, 2), Draw.uniform(2, Shape.of(c), 0.5f, 2),
          Draw.uniform(3, Shape.of(c), -1, 1));
      var statistics = Tensor.applyAll(new Fused.BatchNorm(1e-5f, true), in);
      var v = Grad.vjp(in, x -> Tensor.applyAll(new Fused.BatchNorm(1e-5f, false), x), _ ->
          List.of(Draw.uniform(4, Shape.of(all, c), -1, 1)));
      return floats(v.values().getFirst(), statistics.get(1), statistics.get(2), v.gradients().get(0),
          v.gradients().get(1), v.gradients().get(2));
    }).getFirst();
    for (boolean kernel : new boolean[] {true, false}) {
      var got = Group.run(devices(ranks), g -> {
        int from = IntStream.range(0, g.rank()).map(r -> rows[r]).sum(), to = from + rows[g.rank()];
        var in = List.of(Draw.uniform(1, Shape.of(all, c), -2, 2).slice(0, from, to).copy(),
            Draw.uniform(2, Shape.of(c), 0.5f, 2), Draw.uniform(3, Shape.of(c), -1, 1));
        var op = new Collective.BatchNorm(g, 1e-5f, true);
        var v = Grad.vjp(in, x -> kernel ? Tensor.applyAll(op, x) : op.define(x), y ->
            Arrays.asList(Draw.uniform(4, Shape.of(all, c), -1, 1).slice(0, from, to).copy(), null, null, null));
        assertEquals(all, v.values().get(3).item());
        return floats(v.values().get(0), v.values().get(1), v.values().get(2), v.gradients().get(0),
            v.gradients().get(1), v.gradients().get(2));
      });
      float[] dWeight = new float[c], dBias = new float[c];
      for (int r = 0, from = 0; r < ranks; from += rows[r++]) {
        var mine = got.get(r);
        assertArrayEquals(Arrays.copyOfRange(expected.get(0), from * c, (from + rows[r]) * c), mine.get(0), 1e-5f);
        assertArrayEquals(expected.get(1), mine.get(1), 6e-6f);
        assertArrayEquals(expected.get(2), mine.get(2), 6e-6f);
        assertArrayEquals(Arrays.copyOfRange(expected.get(3), from * c, (from + rows[r]) * c), mine.get(3), 1e-5f);
        for (int j = 0; j < c; j++) { dWeight[j] += mine.get(4)[j]; dBias[j] += mine.get(5)[j]; }
      }
      assertArrayEquals(expected.get(4), dWeight, 2e-5f);
      assertArrayEquals(expected.get(5), dBias, 2e-5f);
    }
  }

  private static List<float[]> floats(Tensor... tensors) { return Arrays.stream(tensors).map(Tensor::floats).toList(); }

  /// Sums of floats that depend on their order have the same bits on every rank and in every run.
  @Test void theOrderOfSumsIsFixed() {
    List<float[]> first = null;
    for (int run = 0; run < 5; run++) {
      var got = Group.run(devices(4), g -> Tensor.apply(new Collective.AllReduce(g, 1f / 3, 1),
          Draw.uniform(g.rank(), Shape.of(100_003), -1, 1)).floats());
      for (var r : got) assertArrayEquals(got.getFirst(), r);
      if (first != null) assertArrayEquals(first.getFirst(), got.getFirst());
      first = got;
    }
  }

  @Test void aFailingRankTakesTheOthersOut() {
    var seen = new Throwable[4];
    var told = new CountDownLatch(3);
    var e = assertThrows(IOException.class, () -> Group.run(devices(4), g -> {
      if (g.rank() == 2) throw new IOException("disk on fire");
      g.whenFailed(told::countDown);
      try { g.barrier(); }
      catch (Group.Failure f) {
        seen[g.rank()] = f;
        throw f;
      }
      return 0;
    }));
    assertEquals("disk on fire", e.getMessage());
    assertEquals(0, told.getCount());
    for (int r : new int[] {0, 1, 3}) {
      assertTrue(seen[r].getMessage().contains("rank 2 failed") && seen[r].getMessage().contains("disk on fire"),
          seen[r].getMessage());
      assertSame(e, seen[r].getCause());
    }
  }

  @Test void differentOpsAreNamed() {
    var e = assertThrows(Group.Failure.class, () -> Group.run(devices(2), g -> g.rank() == 0
        ? Tensor.apply(new Collective.AllGather(g, new int[] {2, 2}), Tensor.zeros(Shape.of(2, 3))).floats()
        : Tensor.apply(new Collective.AllReduce(g, 1, 1), Tensor.zeros(Shape.of(5))).floats()));
    assertTrue(e.getMessage().contains("rank 0: AllGather") && e.getMessage().contains("[1, 3]")
        && e.getMessage().contains("rank 1: AllReduce") && e.getMessage().contains("[5]"), e.getMessage());
  }

  @Test void differentWidthsAreNamed() {
    var e = assertThrows(Group.Failure.class, () ->
        Group.run(devices(2), g -> Tensor.apply(new Collective.AllGather(g, new int[] {2, 2}),
            Tensor.zeros(Shape.of(2, 3 + g.rank()))).floats()));
    assertTrue(e.getMessage().contains("F32 [1, 3]") && e.getMessage().contains("F32 [1, 4]"), e.getMessage());
  }

  @Test void aRankThatEndsEarlyIsNamed() {
    var e = assertThrows(Group.Failure.class, () -> Group.run(devices(3), g -> {
      if (g.rank() != 1) g.barrier();
      return 0;
    }));
    assertTrue(e.getMessage().contains("rank 1 has ended"), e.getMessage());
  }

  @Test void anInterruptedCallerStopsTheRanks() throws InterruptedException {
    var caught = new AtomicReference<Throwable>();
    var started = new CountDownLatch(1);
    var caller = new Thread(() -> {
      try {
        Group.run(devices(2), g -> {
          started.countDown();
          while (true) g.barrier();
        });
      } catch (Throwable t) { caught.set(t); }
    });
    caller.start();
    started.await();
    caller.interrupt();
    caller.join();
    assertTrue(caught.get() instanceof Group.Failure, String.valueOf(caught.get()));
  }

  @Test void wrongRowsAreRefused() {
    var g = Group.ALONE;
    assertThrows(IllegalArgumentException.class, () ->
        new Collective.AllGather(g, new int[] {2, 2}).infer(List.of(Type.f32(2, 3))));
    assertThrows(IllegalArgumentException.class, () ->
        new Collective.AllGather(g, new int[] {3}).infer(List.of(Type.f32(2, 3))));
    assertThrows(IllegalArgumentException.class, () ->
        new Collective.ReduceScatter(g, new int[] {3}).infer(List.of(Type.f32(2, 3))));
    assertThrows(IllegalArgumentException.class, () ->
        new Collective.AllReduce(g, 1, 1).infer(List.of(new Type(DType.I32, Shape.of(2)))));
  }
}
