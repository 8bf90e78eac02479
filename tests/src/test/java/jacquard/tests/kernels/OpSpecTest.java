package jacquard.tests.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Update;
import jacquard.tests.Draw;
import jacquard.tests.OpSpec;
import jacquard.tests.OpSpecs;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Every op against its definition, its gradient against finite differences and the definition's gradient, and no block left over.
class OpSpecTest {
  /// FP32 rounding through sums of up to 400 terms of size 1: c·√n·ε with c = 8 gives 2e-5.
  private static final float TOLERANCE = 2e-5f;

  @TestFactory Stream<DynamicTest> forwardAgainstDefinition() {
    return OpSpecs.all().stream().filter(s -> s.definition() != null).map(s -> DynamicTest.dynamicTest(s.name(), () -> clean(() -> {
      var in = s.draw(1);
      close(s.definition().apply(in), Tensor.applyAll(s.op(), in), TOLERANCE);
    })));
  }

  @TestFactory Stream<DynamicTest> gradientAgainstDefinition() {
    return OpSpecs.all().stream().filter(s -> s.definition() != null).map(s -> DynamicTest.dynamicTest(s.name(), () -> clean(() -> {
      var in = s.draw(2);
      var ours = gradients(s, in, x -> Tensor.applyAll(s.op(), x));
      var theirs = gradients(s, in, s.definition());
      for (int i = 0; i < s.inputs().size(); i++) close(List.of(theirs.get(i)), List.of(ours.get(i)), 4 * TOLERANCE);
    })));
  }

  /// Along a random direction: (f(x + h·u) − f(x − h·u))/2h against u·gradient. With h = 1e-2 and values of size 1 the error is
  /// h²·f‴ + ε/h, about 1e-4 + 1e-5 of the sum of the terms' sizes.
  @TestFactory Stream<DynamicTest> gradientAgainstDifferences() {
    return OpSpecs.all().stream().filter(s -> !s.inputs().isEmpty()).map(s -> DynamicTest.dynamicTest(s.name(), () -> clean(() -> {
      var in = s.draw(3);
      var d = gradients(s, in, x -> Tensor.applyAll(s.op(), x));
      for (int i = 0; i < s.inputs().size(); i++) {
        var u = Draw.uniform(77, s.inputs().get(i), -1, 1);
        float h = 1e-2f;
        double up = weighted(s, shifted(in, i, u, h)), down = weighted(s, shifted(in, i, u, -h));
        double numeric = (up - down) / (2 * h), exact = u.mul(d.get(i)).sum().item();
        double size = 0;
        for (float v : u.mul(d.get(i)).floats()) size += Math.abs(v);
        assertEquals(numeric, exact, 3e-3 * size + 2e-3, "input " + i);
      }
    })));
  }

  @TestFactory Stream<DynamicTest> sameBitsTwice() {
    return OpSpecs.all().stream().map(s -> DynamicTest.dynamicTest(s.name(), () -> clean(() -> {
      var in = s.draw(4);
      for (int repeat = 0; repeat < 3; repeat++) {
        var a = Tensor.applyAll(s.op(), in);
        var b = Tensor.applyAll(s.op(), in);
        for (int i = 0; i < a.size(); i++) assertArrayEquals(a.get(i).floats(), b.get(i).floats());
      }
    })));
  }

  @Test void everyOpHasASpec() {
    Set<Class<?>> known = new HashSet<>();
    OpSpecs.all().forEach(s -> known.add(s.op().getClass()));
    for (var op : records(Op.class)) assertTrue(known.contains(op), op + " has no spec in OpSpecs");
  }

  /// Records of the sealed tree but gradient kernels and updates, which are reached through gradients and the optimiser's tests.
  private static List<Class<?>> records(Class<?> type) {
    var r = new ArrayList<Class<?>>();
    if (type.isRecord()) r.add(type);
    else if (type != Adjoint.class && type != Update.class && type.isSealed()) for (var c : type.getPermittedSubclasses()) r.addAll(records(c));
    return r;
  }

  private static Tensor weights(Tensor y, int i) { return Draw.uniform(500 + i, y.shape(), 0.5f, 1.5f); }

  private static double weighted(OpSpec s, List<Tensor> in) {
    double sum = 0;
    var y = Tensor.applyAll(s.op(), in);
    for (int i = 0; i < y.size(); i++) sum += y.get(i).mul(weights(y.get(i), i)).sum().item();
    return sum;
  }

  private static List<Tensor> shifted(List<Tensor> in, int i, Tensor u, float h) {
    var r = new ArrayList<>(in);
    r.set(i, in.get(i).add(u.mul(h)));
    return r;
  }

  private static List<Tensor> gradients(OpSpec s, List<Tensor> in, java.util.function.Function<List<Tensor>, List<Tensor>> f) {
    return Grad.vjp(in, f, y -> {
      var c = new ArrayList<Tensor>();
      for (int i = 0; i < y.size(); i++) c.add(weights(y.get(i), i));
      return c;
    }).gradients();
  }

  private static void close(List<Tensor> expected, List<Tensor> found, float tolerance) {
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(expected.get(i).shape(), found.get(i).shape());
      float[] e = expected.get(i).floats(), f = found.get(i).floats();
      float largest = 1;
      for (float v : e) largest = Math.max(largest, Math.abs(v));
      assertArrayEquals(e, f, tolerance * largest, "output " + i);
    }
  }

  /// The device under test.
  Device device() { return Device.best(); }

  void clean(Runnable body) {
    var device = device();
    long before = device.live().blocks();
    try (var _ = Scope.open(device)) { body.run(); }
    assertEquals(before, device.live().blocks(), "blocks left over");
  }
}
