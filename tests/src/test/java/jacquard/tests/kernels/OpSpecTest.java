package jacquard.tests.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Update;
import jacquard.tests.Conformance;
import jacquard.tests.Draw;
import jacquard.tests.OpSpec;
import jacquard.tests.OpSpecs;
import jacquard.tests.Sample;
import jacquard.tests.reference.Exact;
import jacquard.tests.reference.Real;
import jacquard.tests.reference.Reference;
import jacquard.tests.reference.ReferenceAdjoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Every op on this device against its meaning in double, on views as on dense tensors, and its gradient against three
/// witnesses: formulas, finite differences, and the gradient of its definition.
class OpSpecTest {
  /// The device under test.
  Device device() { return Conformance.device(); }

  /// What it is tested with.
  Stream<OpSpec> specs() { return OpSpecs.all().stream(); }

  @TestFactory Stream<DynamicTest> meansWhatTheReferenceSays() {
    return each(specs(), new Conformance(device())::check);
  }

  @TestFactory Stream<DynamicTest> theDefinitionMeansTheSame() {
    return each(finite().filter(s -> definition(s.op()) != null), s -> clean(() -> {
      var in = s.tensors(2);
      var found = definition(s.op()).apply(in);
      var expected = Conformance.reference(s.op(), s.draw(2));
      assertEquals(s.op().infer(in.stream().map(Tensor::type).toList()), found.stream().map(Tensor::type).toList());
      for (int k = 0; k < found.size(); k++)
        Conformance.compare("output " + k, expected.get(k), doubles(found.get(k)), 2);
    }));
  }

  private static UnaryOperator<List<Tensor>> definition(Op op) {
    return switch (op) {
      case Fused f -> f::define;
      case Adjoint a -> a::define;
      default -> null;
    };
  }

  @TestFactory Stream<DynamicTest> gradientAgainstFormulas() {
    return each(slopes(), s -> clean(() -> gradients(s, x -> Tensor.applyAll(s.op(), x), 1)));
  }

  /// A composition rounds more often than the formulas of which the tolerance is made.
  @TestFactory Stream<DynamicTest> gradientOfTheDefinition() {
    return each(slopes().filter(s -> !s.large() && s.inputs().getFirst().type().shape().size() > 0), s ->
        clean(() -> gradients(s, x -> ((Fused) s.op()).define(x), 4)));
  }

  private static void gradients(OpSpec s, Function<List<Tensor>, List<Tensor>> f, double times) {
    var in = s.draw(3);
    var type = s.op().infer(in.stream().map(Sample::type).toList()).getFirst();
    var dy = Draw.sample(77, type, Draw.uniform(-1, 1));
    var found = Grad.vjp(s.tensors(3), f, y -> Arrays.asList(Arrays.copyOf(new Tensor[] {dy.tensor()}, y.size())))
        .gradients();
    var expected = ReferenceAdjoint.gradients((Fused) s.op(), in.stream().map(Sample::exact).toList(), dy.exact());
    for (int k = 0; k < expected.size(); k++)
      Conformance.compare("gradient " + k, expected.get(k), doubles(found.get(k)), times);
  }

  /// Along a random direction u, in double: (8·(φ(h) − φ(−h)) − φ(2h) + φ(−2h))/12h, whose error is of the order h⁴,
  /// against u·gradient. A fused op's gradient has the tolerance of its formulas; an elementary op's is a sum of at
  /// most n terms: √n·ε of its size, times 16 for the roundings of a rule.
  @TestFactory Stream<DynamicTest> gradientAgainstDifferences() {
    return each(specs().filter(OpSpecTest::smooth), s -> clean(() -> {
      var in = s.draw(4);
      var types = s.op().infer(in.stream().map(Sample::type).toList());
      // statistics beside the first output carry no gradient
      int seen = s.op() instanceof Fused || s.op() instanceof jacquard.tensor.op.Collective.BatchNorm ? 1
          : types.size();
      var w = new ArrayList<Sample>();
      for (int k = 0; k < seen; k++) w.add(Draw.sample(500 + k, types.get(k), Draw.uniform(0.5, 1.5)));
      var d = Grad.vjp(s.tensors(4), x -> Tensor.applyAll(s.op(), x), y ->
          Arrays.asList(Arrays.copyOf(w.stream().map(Sample::tensor).toArray(Tensor[]::new), y.size()))).gradients();
      var formulas = s.op() instanceof Fused f
          ? ReferenceAdjoint.gradients(f, in.stream().map(Sample::exact).toList(), w.getFirst().exact()) : null;
      long most = Stream.concat(types.stream(), in.stream().map(Sample::type)).mapToLong(t -> t.shape().size()).max()
          .orElse(1);
      for (int i = 0; i < in.size(); i++) {
        double[] x = in.get(i).values(), u = new double[x.length];
        if (!in.get(i).type().dtype().floating() || x.length == 0) continue;
        double low = Arrays.stream(x).min().orElse(0), high = Arrays.stream(x).max().orElse(0), size =
            high > low ? high - low : Math.max(1e-30, Math.abs(high)), h = 1e-6;
        var direction = Draw.sample(900 + i, Type.f32(x.length), Draw.uniform(-1, 1)).values();
        for (int k = 0; k < u.length; k++) u[k] = direction[k] * size;
        double numeric = (8 * (along(s.op(), in, i, u, h, w) - along(s.op(), in, i, u, -h, w))
            - along(s.op(), in, i, u, 2 * h, w) + along(s.op(), in, i, u, -2 * h, w)) / (12 * h);
        double[] g = d.get(i) == null ? new double[x.length] : doubles(d.get(i));
        double exact = 0, allowed = 0;
        for (int k = 0; k < u.length; k++) {
          exact += u[k] * g[k];
          allowed += Math.abs(u[k]) * (formulas == null ? 16 * 0x1p-23 * Math.sqrt(most) * Math.abs(g[k])
              : formulas.get(i).get(k).tolerance());
        }
        assertEquals(numeric, exact, allowed + 1e-9 * Math.abs(along(s.op(), in, i, u, 0, w)) + 1e-6 * size,
            "input " + i);
      }
    }));
  }

  private static double along(Op op, List<Sample> in, int i, double[] u, double h, List<Sample> w) {
    var moved = new ArrayList<Exact>();
    for (int k = 0; k < in.size(); k++) {
      double[] x = in.get(k).values();
      boolean mine = k == i;
      moved.add(Exact.of(in.get(k).type().shape(), e -> Real.of(mine ? x[e] + h * u[e] : x[e])));
    }
    var y = Reference.apply(op, moved);
    double sum = 0;
    for (int k = 0; k < w.size(); k++)
      for (int e = 0; e < y.get(k).size(); e++) sum += w.get(k).values()[e] * y.get(k).get(e).value();
    return sum;
  }

  /// Specs of ops with a gradient whose values stay away from infinities and, being drawn at random, from kinks.
  private static boolean smooth(OpSpec s) {
    if (s.large() || s.op() instanceof Adjoint || s.op() instanceof Update
        || s.op() instanceof jacquard.tensor.op.Elementwise.Cast)
      return false;
    var in = s.draw(4);
    return in.stream().anyMatch(t -> t.type().dtype().floating())
        && in.stream().filter(t -> t.type().dtype().floating())
        .allMatch(t -> t.type().dtype() == jacquard.tensor.DType.F32
        && Arrays.stream(t.values()).allMatch(v -> Math.abs(v) < 1e20))
        && Conformance.reference(s.op(), in).stream()
        .allMatch(e -> Arrays.stream(e.at()).allMatch(v -> Double.isFinite(v.value())));
  }

  @Test void everyOpHasASpec() {
    Set<Class<?>> known = new HashSet<>();
    OpSpecs.all().forEach(s -> known.add(s.op().getClass()));
    for (var op : records(Op.class)) assertTrue(known.contains(op), op + " has no spec in OpSpecs");
  }

  /// The records of a sealed family.
  static List<Class<?>> records(Class<?> type) {
    var r = new ArrayList<Class<?>>();
    if (type.isRecord()) r.add(type);
    else if (type.isSealed()) for (var c : type.getPermittedSubclasses()) r.addAll(records(c));
    return r;
  }

  /// The work of a spec is what a textbook counts.
  @Test void workIsCounted() {
    var matmul = OpSpec.of(new jacquard.tensor.op.Contraction.MatMul(false, true), OpSpec.f32(7, 13), OpSpec.f32(5, 13))
        .work();
    assertEquals(2 * 7 * 13 * 5, matmul.flops());
    assertEquals(4 * (7 * 13 + 5 * 13 + 7 * 5), matmul.bytes());
    for (var s : OpSpecs.all()) assertTrue(s.work().flops() >= 0 && s.work().bytes() >= 0, s.name());
    assertEquals(0, OpSpec.of(new jacquard.tensor.op.Movement.Reshape(Shape.of(6)), OpSpec.f32(2, 3)).work().bytes());
  }

  private Stream<OpSpec> finite() {
    return specs().filter(s -> s.draw(3).stream().allMatch(t -> Arrays.stream(t.values()).allMatch(Double::isFinite)));
  }

  /// Fused ops with a gradient: of floats.
  private Stream<OpSpec> slopes() {
    return finite().filter(s -> s.op() instanceof Fused && s.inputs().getFirst().type().dtype().floating());
  }

  private static double[] doubles(Tensor t) { return Sample.read(t).values(); }

  private static Stream<DynamicTest> each(Stream<OpSpec> specs, java.util.function.Consumer<OpSpec> test) {
    return specs.map(s -> DynamicTest.dynamicTest(s.name(), () -> test.accept(s)));
  }

  private void clean(Runnable body) {
    long before = device().live().blocks();
    try (var _ = Scope.open(device())) { body.run(); }
    assertEquals(before, device().live().blocks(), "blocks left over");
  }
}
