package jacquard.tests.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Storage;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import jacquard.tests.Draw;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/// Tensors whose elements lie elsewhere until they are used.
class SourceTest {
  private static final int N = 77, K = 613;
  private final AtomicLong copied = new AtomicLong(), closed = new AtomicLong();

  private Storage.Source source(float[] values) {
    return new Storage.Source() {
      @Override public void copy(long from, Object array, int at, int n) {
        copied.addAndGet(n);
        System.arraycopy(values, (int) from, array, at, n);
      }
      @Override public void close() { closed.incrementAndGet(); }
    };
  }

  @Test void fetchesOnceWhenUsed() {
    var device = Device.best();
    var before = device.live();
    try (var _ = Scope.open(device)) {
      float[] values = {1, 2, 3, 4, 5, 6};
      var t = Tensor.of(Type.f32(2, 3), source(values));
      var unused = Tensor.of(Type.f32(2, 3), source(values));
      assertEquals(before, device.live());
      assertEquals(21, t.sum().item());
      assertArrayEquals(values, t.floats());
      assertEquals(6, copied.get());
      assertEquals(1, closed.get());
      assertFalse(t.storage().elsewhere(_ -> {}));
      assertTrue(unused.storage().elsewhere(_ -> {}));
    }
    assertEquals(2, closed.get());
    assertEquals(before, device.live());
  }

  /// All of W, slices of its rows, one row of x and several, a depth of more than one slab: the bits of a weight in
  /// memory. The first use of a part reads it where it lies and keeps nothing, the second keeps it packed, the third
  /// reads nothing.
  @Test void linearLayersTakeWeightsWhereTheyLie() {
    try (var _ = Scope.open(Device.best())) {
      var inMemory = Draw.uniform(1, Shape.of(N, K), -1, 1);
      var bias = Draw.uniform(3, Shape.of(N), -1, 1);
      for (int rows : new int[] {1, 13, 130}) {
        var elsewhere = Tensor.of(new Type(DType.F32, Shape.of(N, K)), source(inMemory.floats()));
        var x = Draw.uniform(2, Shape.of(rows, K), -1, 1);
        for (int from : new int[] {0, 1, 40})
          for (long reads : new long[] {1, 1, 0}) {
            copied.set(0);
            var b = bias.slice(0, from, N);
            assertArrayEquals(x.linear(inMemory.slice(0, from, N), b, Activation.GELU).floats(),
                x.linear(elsewhere.slice(0, from, N), b, Activation.GELU).floats());
            if (Device.best().name().equals("cpu")) assertEquals(reads * (N - from) * K, copied.get());
          }
        assertArrayEquals(x.linear(inMemory, null, Activation.NONE).floats(), x.linear(elsewhere, null, Activation.NONE)
            .floats());
        assertArrayEquals(inMemory.floats(), elsewhere.floats());
      }
    }
  }

  /// Of a table only the rows that are asked for are read, again each time; reading it back takes nothing over either.
  @Test void rowsOfATableAreReadWhereTheyLie() {
    Assumptions.assumeTrue(Device.best().onHost());
    long live = Device.best().live().bytes();
    try (var _ = Scope.open(Device.best())) {
      var inMemory = Draw.uniform(1, Shape.of(N, K), -1, 1);
      long before = Device.best().live().bytes();
      var elsewhere = Tensor.of(new Type(DType.F32, Shape.of(N, K)), source(inMemory.floats()));
      for (int from : new int[] {0, 7}) {
        copied.set(0);
        assertArrayEquals(inMemory.slice(0, from, N).gather(3, -1, 0, 69, 3).floats(),
            elsewhere.slice(0, from, N).gather(3, -1, 0, 69, 3).floats());
        assertEquals(4 * K, copied.get());
      }
      assertArrayEquals(inMemory.floats(), elsewhere.floats());
      assertTrue(Device.best().live().bytes() - before < 4L * N * K, "the table was fetched");
      assertEquals(0, closed.get());
    }
    assertEquals(1, closed.get());
    assertEquals(live, Device.best().live().bytes());
  }

  /// An optimizer takes what it trains out of its file, and leaves there what is frozen.
  @Test void anOptimizerLeavesFrozenWeightsWhereTheyLie() {
    record Model(Tensor trained, Tensor frozen) {}
    try (var _ = Scope.open(Device.best())) {
      float[] values = {1, 2, 3, 4, 5, 6};
      var m = new Model(Tensor.of(Type.f32(2, 3), source(values)), Tensor.of(Type.f32(2, 3), source(values)));
      new Optimizer(new Optimizer.Sgd(0, false), Parameters.of(m).freeze("frozen"), 0, _ -> false);
      assertFalse(m.trained.storage().elsewhere(_ -> {}));
      assertTrue(m.frozen.storage().elsewhere(_ -> {}));
    }
  }
}
