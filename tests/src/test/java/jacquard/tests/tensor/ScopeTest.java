package jacquard.tests.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Tensors end with their scope, views keep the memory that they show, and what outlives a scope was asked to.
class ScopeTest {
  private final Device device = Device.best();
  private long before;

  @BeforeEach void count() { before = device.live().blocks(); }
  @AfterEach void nothingLeft() { assertEquals(before, device.live().blocks(), "blocks left over"); }

  @Test void aBlockEndsAllButItsResult() {
    try (var _ = Scope.open(device)) {
      var x = Tensor.full(Shape.of(5), 2);
      var y = Scope.result(() -> x.mul(x).exp().add(x));
      assertEquals(before + 2, device.live().blocks());
      assertTrue(y.live());
    }
  }

  @Test void aViewKeepsTheMemory() {
    try (var _ = Scope.open(device)) {
      var view = Scope.result(() -> Tensor.of(Shape.of(6), 1, 2, 3, 4, 5, 6).reshape(2, 3).slice(0, 1, 2));
      assertEquals(before + 1, device.live().blocks());
      assertEquals(4, view.floats()[0]);
    }
  }

  /// A result that the block did not make stays where it belongs.
  @Test void aResultFromOutsideIsLeftAlone() {
    try (var _ = Scope.open(device)) {
      var x = Tensor.scalar(1);
      try (var inner = Scope.open()) { assertEquals(x, inner.keep(x)); }
      assertTrue(x.live());
    }
  }

  @Test void theOutermostScopeKeepsNothing() {
    try (var s = Scope.open(device)) {
      var x = Tensor.scalar(1);
      assertTrue(assertThrows(IllegalStateException.class, () -> s.keep(x)).getMessage().contains("detached"));
    }
  }

  @Test void aDetachedScopeIsClosedByAnyThread() {
    var detached = Scope.detached(device);
    Tensor x;
    try (var _ = Scope.open(device)) { x = detached.adopt(Tensor.scalar(3)); }
    var y = detached.within(() -> Tensor.scalar(4));
    assertEquals(3, x.live() ? read(x) : Float.NaN);
    CompletableFuture.runAsync(detached::close).join();
    assertFalse(x.live() || y.live());
  }

  private float read(Tensor t) { try (var _ = Scope.open(device)) { return t.item(); } }

  /// What a loader thread made belongs to the step that adopts it.
  @Test void tensorsOfAnotherThreadAreAdopted() {
    var made = CompletableFuture.supplyAsync(() -> {
      try (var s = Scope.open(device)) { return Scope.detached(device).adopt(Tensor.scalar(5)); }
    }).join();
    try (var step = Scope.open(device)) { assertEquals(5, step.adopt(made).item()); }
    assertFalse(made.live());
  }

  @Test void useAfterTheEndNamesTensorAndPlace() {
    Tensor x;
    try (var _ = Scope.open(device)) { x = Tensor.zeros(Shape.of(2, 3)); }
    var m = assertThrows(IllegalStateException.class, x::floats).getMessage();
    assertTrue(m.contains("[2, 3]") && m.contains("ScopeTest"), m);
  }

  @Test void scopesCloseInOrder() {
    var outer = Scope.open(device);
    var inner = Scope.open();
    assertThrows(IllegalStateException.class, outer::close);
    inner.close();
    inner.close();                                                                 // twice does nothing
    assertTrue(assertThrows(IllegalStateException.class, () -> {
      try (var _ = Scope.open(device)) { inner.adopt(Tensor.scalar(1)); }
    }).getMessage().contains("closed"));
    Scope.current().close();
  }

  @Test void withoutAScopeTheErrorSaysWhatToDo() {
    var failure = CompletableFuture.supplyAsync(() ->
        assertThrows(IllegalStateException.class, () -> Tensor.scalar(1)).getMessage()).join();
    assertTrue(failure.contains("Scope.open"), failure);
  }

  /// Many threads at once, each with scopes of its own, on one device.
  @Test void threadsNeverMeet() {
    var x = Scope.detached(device);
    var shared = x.within(() -> Tensor.full(Shape.of(65, 65), 0.5f));
    var runs = java.util.stream.IntStream.range(0, 8).mapToObj(t -> CompletableFuture.supplyAsync(() -> {
      float sum = 0;
      for (int i = 0; i < 50; i++) try (var _ = Scope.open(device)) { sum = shared.matmul(shared).mul(t).sum().item(); }
      return sum;
    })).toList();
    for (int t = 0; t < 8; t++) assertEquals(t * 65 * 65 * 65 * 0.25f, runs.get(t).join());
    x.close();
  }
}
