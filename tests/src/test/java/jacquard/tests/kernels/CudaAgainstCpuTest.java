package jacquard.tests.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cuda.driver.Emulation;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Update;
import jacquard.tests.Draw;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.opentest4j.TestAbortedException;

/// What the op specs do not reach, on the GPU and on the CPU: updates, sizes of several blocks, 16-bit types; in every
/// order of threads and with the emulation's checks.
class CudaAgainstCpuTest {
  /// Sums of up to 9,000 values of size 1 in another order: √n·ε is 6e-6; of the largest.
  private static final float TOLERANCE = 1e-5f;

  @BeforeAll static void isThere() {
    var why = Device.unavailable().get("cuda");
    if (why != null) throw new TestAbortedException("no CUDA device: " + why);
  }

  @AfterEach void asBefore() {
    if (!Emulation.on()) return;
    Emulation.order(Emulation.Order.FORWARD);
    Emulation.check(false);
  }

  private static void order(Emulation.Order order) {
    if (!Emulation.on() && order != Emulation.Order.FORWARD)
      throw new TestAbortedException("a GPU orders threads as it likes");
    if (!Emulation.on()) return;
    Emulation.order(order);
    Emulation.check(true);
  }

  private static List<float[]> on(String device, Supplier<List<Tensor>> f) {
    var d = Device.named(device);
    List<float[]> r;
    try (var _ = Scope.open(d)) { r = f.get().stream().map(Tensor::floats).toList(); }
    assertEquals(0, d.live().blocks(), device);
    return r;
  }

  private static void same(float tolerance, Supplier<List<Tensor>> f) {
    var expected = on("cpu", f);
    var found = on("cuda", f);
    for (int i = 0; i < expected.size(); i++) {
      float largest = 1;
      for (float v : expected.get(i)) largest = Math.max(largest, Math.abs(v));
      assertArrayEquals(expected.get(i), found.get(i), tolerance * largest, "output " + i);
    }
    var again = on("cuda", f);
    for (int i = 0; i < found.size(); i++) assertArrayEquals(found.get(i), again.get(i), "the same bits");
  }

  private static Tensor index(int n, int rows, int step) {
    return Tensor.ofInts(Shape.of(n), IntStream.range(0, n).map(i -> i % 17 == 3 ? -1 : (int) ((long) i * step % rows))
        .toArray());
  }

  @ParameterizedTest @EnumSource(Emulation.Order.class) void rowsByNumber(Emulation.Order order) {
    order(order);
    for (var size : List.of(new int[] {5000, 70_000, 8, 7919}, new int[] {9000, 3, 36, 1}, new int[] {2049, 300, 5, 31},
        new int[] {1, 1, 1, 1}))
      same(TOLERANCE, () -> {
        var x = Draw.uniform(1, Shape.of(size[0], size[2]), -1, 1);
        var i = index(size[0], size[1], size[3]);
        var y = x.scatterAdd(size[1], i);
        return List.of(y, y.gather(i), x.cast(DType.BF16).gather(Tensor.ofInts(Shape.of(3), 0, -1, size[0] - 1)));
      });
  }

  /// Two sums of up to 3,000 BF16 numbers, each rounded once: 2⁻⁸.
  @Test void rowsOfBf16() {
    same(1 / 256f, () ->
        List.of(Draw.uniform(1, Shape.of(9000, 36), -1, 1).cast(DType.BF16).scatterAdd(3, index(9000, 3, 1))));
  }

  @Test void anIndexOutOfRangeIsTold() {
    try (var _ = Scope.open(Device.named("cuda"))) {
      var x = Draw.uniform(1, Shape.of(5, 3), -1, 1);
      var e = assertThrows(IllegalArgumentException.class, () -> x.gather(0, 4, 7).floats());
      assertTrue(e.getMessage().contains("index[2] = 7"), e.getMessage());
      assertThrows(IllegalArgumentException.class, () ->
          x.scatterAdd(3, Tensor.ofInts(Shape.of(5), 0, 1, 2, 3, -2)).floats());
      assertArrayEquals(x.slice(0, 4, 5).floats(), x.gather(4).floats());
    }
  }

  @ParameterizedTest @EnumSource(Emulation.Order.class) void batchNorm(Emulation.Order order) {
    order(order);
    for (var shape : List.of(Shape.of(700, 70), Shape.of(65, 3)))
      same(4 * TOLERANCE, () -> {
        var x = Draw.uniform(1, shape, 29, 31);
        Tensor g = Draw.uniform(2, Shape.of(shape.dim(1)), 0.5f, 2), b = Draw.uniform(3, Shape.of(shape.dim(1)), -1, 1),
            dy = Draw.uniform(4, shape, -1, 1);
        var y = Tensor.applyAll(new Fused.BatchNorm(1e-5f, true), List.of(x, g, b));
        var d = Tensor.applyAll(new Adjoint.BatchNorm(1e-5f), List.of(x, g, y.get(1), y.get(2), dy));
        var r = new ArrayList<>(y);
        r.addAll(d);
        return r;
      });
  }

  @ParameterizedTest @EnumSource(Emulation.Order.class) void convolution(Emulation.Order order) {
    order(order);
    same(TOLERANCE, () -> {
      var c = new Fused.Conv2d(new Grid(9, 7), 2, 1);
      Tensor x = Draw.uniform(1, Shape.of(3 * 63, 8), -1, 1), w = Draw.uniform(2, Shape.of(12, 3, 3, 8), -1, 1), y =
          Tensor.apply(c, x, w), dy = Draw.uniform(3, y.shape(), -1, 1);
      return List.of(y, Tensor.apply(new Adjoint.Conv2dInput(c), w, dy),
          Tensor.apply(new Adjoint.Conv2dWeight(c, w.shape()), x, dy));
    });
    same(TOLERANCE, () -> {
      var p = new Fused.AveragePool(new Grid(9, 7), 2);
      var y = Tensor.apply(p, Draw.uniform(1, Shape.of(3 * 63, 5), -1, 1));
      return List.of(y, Tensor.apply(new Adjoint.AveragePool(p), y));
    });
  }

  /// Against the same numbers in F32; sums of 72 products of size 1, BF16 factors exact, the result rounded to 2⁻⁸ and
  /// the windows' sums once more.
  @Test void convolutionOfBf16() {
    try (var _ = Scope.open(Device.named("cuda"))) {
      var c = new Fused.Conv2d(new Grid(9, 7), 2, 1);
      Tensor x = Draw.uniform(1, Shape.of(3 * 63, 8), -1, 1).cast(DType.BF16), w =
          Draw.uniform(2, Shape.of(12, 3, 3, 8), -1, 1).cast(DType.BF16);
      var y = Tensor.apply(c, x, w);
      var dy = Draw.uniform(3, y.shape(), -1, 1).cast(DType.BF16);
      var found = List.of(y, Tensor.apply(new Adjoint.Conv2dInput(c), w, dy),
          Tensor.apply(new Adjoint.Conv2dWeight(c, w.shape()), x, dy));
      Tensor wx = x.cast(DType.F32), ww = w.cast(DType.F32), wd = dy.cast(DType.F32);
      var expected = List.of(Tensor.apply(c, wx, ww), Tensor.apply(new Adjoint.Conv2dInput(c), ww, wd),
          Tensor.apply(new Adjoint.Conv2dWeight(c, w.shape()), wx, wd));
      for (int i = 0; i < 3; i++) {
        float largest = 0;
        for (float v : expected.get(i).floats()) largest = Math.max(largest, Math.abs(v));
        assertArrayEquals(expected.get(i).floats(), found.get(i).floats(), (i == 1 ? 2 : 1) * largest / 256,
            "output " + i);
      }
    }
  }

  @ParameterizedTest @EnumSource(Emulation.Order.class) void updates(Emulation.Order order) {
    order(order);
    same(TOLERANCE, () -> {
      var in = new ArrayList<Tensor>();
      var updates = new ArrayList<Update>();
      for (int n : new int[] {5, 10_000, 4096, 1, 777}) {
        var shape = Shape.of(n);
        updates.add(new Update.AdamW(1e-2, 0.9, 0.98, 1e-6, n % 2 * 0.2, 3, 0.5f));
        for (int k = 0; k < 4; k++) in.add(Draw.uniform(10 * n + k, shape, k == 2 ? 0 : -1, 1));
        updates.add(new Update.NAdamW(1e-2, 0.9, 0.98, 1e-6, n % 2 * 0.2, 3, 0.7, 1.1, 0.5f));
        for (int k = 0; k < 4; k++) in.add(Draw.uniform(20 * n + k, shape, k == 2 ? 0 : -1, 1));
        updates.add(new Update.Descent(0.1, 0.9, n % 2 == 0, 0.2, 0.5f));
        for (int k = 0; k < 3; k++) in.add(Draw.uniform(30 * n + k, shape, -1, 1));
        updates.add(new Update.Blend(0.1f, 1.5f));
        for (int k = 0; k < 2; k++) in.add(Draw.uniform(40 * n + k, shape, -1, 1));
      }
      Tensor.applyAll(new Update.Together(updates), in);
      var r = new ArrayList<>(in);
      r.add(Tensor.applyAll(new Fused.Norm(), in).getFirst());
      return r;
    });
  }
}
