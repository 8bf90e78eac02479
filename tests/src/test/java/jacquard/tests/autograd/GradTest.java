package jacquard.tests.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.autograd.Parameters;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Update;
import jacquard.tests.Draw;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GradTest {
  public record Model(Tensor a, Tensor b, List<Tensor> unused) {}
  record QuickGelu() implements Op.Custom {
    @Override public List<Type> infer(List<Type> in) { return in; }
    @Override public List<Tensor> define(List<Tensor> in) {
      var x = in.getFirst();
      return List.of(x.mul(x.mul(1.702f).sigmoid()));
    }
  }

  private final Device device = Device.best();
  private long before;
  private Scope scope;

  @BeforeEach void open() { before = device.live().blocks(); scope = Scope.open(device); }
  @AfterEach void close() { scope.close(); assertEquals(before, device.live().blocks()); }

  @Test void parametersByPath() {
    var m = new Model(Draw.uniform(1, Shape.of(3, 2), -1, 1), Draw.uniform(2, Shape.of(2), -1, 1),
        List.of(Tensor.scalar(1)));
    var step = Grad.valueAndGrad(Parameters.of(m), () -> m.a.mul(m.b).sum());
    assertEquals(List.of("a", "b"), List.copyOf(step.gradients().keySet()));
    assertEquals(List.of("unused.0"), step.unreached());
    assertEquals(Shape.of(2), step.gradients().get("b").shape());
  }

  @Test void theGradientOfAMaximumIsSharedAmongTies() {
    var m = new Model(Tensor.of(Shape.of(2, 4), 3, 1, 3, 2, 0, 5, 4, 5), Tensor.scalar(1), List.of());
    var step = Grad.valueAndGrad(Parameters.of(m), () -> m.a.maxKeeping(1).sum());
    assertArrayEquals(new float[] {0.5f, 0, 0.5f, 0, 0, 0.5f, 0, 0.5f}, step.gradients().get("a").floats());
  }

  @Test void nothingReachedIsAnError() {
    var m = new Model(Tensor.scalar(1), Tensor.scalar(2), List.of());
    assertThrows(IllegalStateException.class, () -> Grad.valueAndGrad(Parameters.of(m), () -> Tensor.scalar(3)));
  }

  @Test void aCheckpointGivesTheSameBits() {
    Tensor x = Draw.uniform(3, Shape.of(5, 7), -1, 1), w = Draw.uniform(4, Shape.of(7, 7), -1, 1);
    var m = new Model(x, w, List.of());
    var plain = Grad.valueAndGrad(Parameters.of(m), () -> x.matmul(w).tanh().matmul(w).sum());
    var again = Grad.valueAndGrad(Parameters.of(m), () ->
        Grad.checkpoint(List.of(x.matmul(w)), t -> List.of(t.getFirst().tanh().matmul(w))).getFirst().sum());
    assertEquals(plain.value().item(), again.value().item());
    for (var p : plain.gradients().keySet())
      assertArrayEquals(plain.gradients().get(p).floats(), again.gradients().get(p).floats(), p);
  }

  /// A product adds its part of a gradient to what has come by another way, whichever way its factor lies: the bits of
  /// the sum.
  @Test void aProductAddsToTheOtherPathsGradient() {
    Tensor x = Draw.uniform(3, Shape.of(37, 19), -1, 1), w = Draw.uniform(4, Shape.of(19, 8), -1, 1);
    Tensor turned = w.permute(1, 0).dense(), once = Draw.uniform(5, Shape.of(37, 19), -1, 1);
    var m = new Model(x, once, List.of());
    UnaryOperator<Tensor> plain = a -> a.matmul(w), other = a -> a.matmul(false, turned, true);
    for (var product : List.of(plain, other)) {
      // the product comes first in forward, last in backward
      var alone = Grad.valueAndGrad(Parameters.of(m), () -> product.apply(x).exp().sum()).gradients().get("a");
      var both = Grad.valueAndGrad(Parameters.of(m), () ->
          product.apply(x).exp().sum().add(x.mul(once).sum())).gradients().get("a");
      assertArrayEquals(once.add(alone).floats(), both.floats());
    }
  }

  /// A weight used twice, one used within a checkpoint, one that is read by a cheap op made again: each gradient comes
  /// once, whole, with the bits of all together, in groups of so many elements, and is gone afterwards; the parameter
  /// may be overwritten then.
  @ParameterizedTest @CsvSource({"1,1 1 1", "50,2 1", "1000,3"}) void gradientsInGroups(long elements, String sizes) {
    Tensor x = Draw.uniform(3, Shape.of(5, 7), -1, 1), a = Draw.uniform(4, Shape.of(7, 7), -1, 1), b =
        Draw.uniform(5, Shape.of(7), -1, 1);
    var m = new Model(a, b, List.of(Draw.uniform(6, Shape.of(7, 7), -1, 1)));
    java.util.function.Supplier<Tensor> f = () -> {
      var h = x.matmul(a).layerNorm(b, b, 1e-5f).matmul(a).tanh();
      return Grad.checkpoint(List.of(h), t -> List.of(t.getFirst().matmul(m.unused.getFirst()).tanh())).getFirst()
          .mul(b).sum();
    };
    long start = device.live().blocks();
    var together = Grad.valueAndGrad(Parameters.of(m), f);
    long between = device.live().blocks();
    List<String> names = new java.util.ArrayList<>();
    List<Integer> groups = new java.util.ArrayList<>();
    var step = Grad.valueAndGrad(Parameters.of(m), f, elements, group -> {
      groups.add(group.size());
      group.forEach((name, g) -> {
        names.add(name);
        assertArrayEquals(together.gradients().get(name).floats(), g.floats(), name);
        var p = Parameters.of(m).all().get(name);
        Tensor.applyAll(new Update.Blend(1, 1), List.of(p, Tensor.full(p.shape(), Float.NaN)));
      });
    });
    assertEquals(together.value().item(), step.value().item());
    assertTrue(step.gradients().isEmpty());
    // in the order in which backward is done with them: 49, 7 and 49 elements
    assertEquals(List.of("unused.0", "b", "a"), names);
    assertEquals(sizes, groups.stream().map(String::valueOf).collect(java.util.stream.Collectors.joining(" ")));
    // all that the first call left but the gradients
    assertEquals(between - start - names.size(), device.live().blocks() - between);
  }

  @Test void aCustomOpIsItsDefinition() {
    var x = Draw.uniform(5, Shape.of(13), -2, 2);
    var custom = Grad.vjp(List.of(x), in -> Tensor.applyAll(new QuickGelu(), in), y ->
        List.of(Tensor.full(y.getFirst().shape(), 1)));
    var known = Grad.vjp(List.of(x), in -> List.of(in.getFirst().activate(jacquard.tensor.op.Activation.QUICK_GELU)),
        y -> List.of(Tensor.full(y.getFirst().shape(), 1)));
    assertArrayEquals(known.gradients().getFirst().floats(), custom.gradients().getFirst().floats(), 1e-6f);
  }

  @Test void useAfterEndNamesTheScope() {
    Tensor t;
    try (var _ = Scope.open()) { t = Tensor.scalar(1); }
    var e = assertThrows(IllegalStateException.class, t::item);
    assertTrue(e.getMessage().contains("GradTest"), e.getMessage());
  }

  @Test void shapesAreCheckedByTheOp() {
    var e = assertThrows(IllegalArgumentException.class, () ->
        Tensor.zeros(Shape.of(2, 3)).matmul(Tensor.zeros(Shape.of(2, 3))));
    assertTrue(e.getMessage().contains("MatMul") && e.getMessage().contains("[2, 3]"), e.getMessage());
  }
}
