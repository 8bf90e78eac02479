package jacquard.tests.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Type;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Ranges;
import jacquard.tensor.op.Reduction;
import jacquard.tests.Conformance;
import jacquard.tests.OpSpec;
import jacquard.tests.OpSpecs;
import jacquard.tests.Placement;
import jacquard.tests.Sample;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// `infer` refuses what kernels cannot do: whatever is wrong with the number, dtypes or shapes of an op's inputs, it is
/// either refused, in words that name what was expected, or the device gives what the reference says.
class InferTest {
  /// Those that take any number of inputs from one on.
  private static final Set<Class<?>> ANY_NUMBER = Set.of(Fused.Norm.class, Movement.Concat.class);

  private record Wrong(String what, List<Sample> in) {}

  /// Of each op a spec for each number of inputs and outputs, the first that has elements.
  private static Map<String, OpSpec> specs() {
    var r = new LinkedHashMap<String, OpSpec>();
    for (var s : OpSpecs.all()) {
      if (s.large()) continue;
      var in = s.draw(1);
      boolean empty = in.stream().anyMatch(x -> x.values().length == 0);
      if (!empty)
        r.putIfAbsent(s.op().getClass().getName() + " of " + in.size() + " to " + s.op().infer(types(in)).size(), s);
    }
    return r;
  }

  @Test void everyOpIsHere() {
    assertEquals(OpSpecTest.records(Op.class).stream().map(Class::getName).collect(Collectors.toSet()),
        specs().values().stream().map(s -> s.op().getClass().getName()).collect(Collectors.toSet()));
  }

  @TestFactory Stream<DynamicTest> anotherNumberOfInputsIsRefused() {
    return specs().values().stream().map(s -> DynamicTest.dynamicTest(s.name(), () -> {
      var in = s.draw(1);
      if (!in.isEmpty()) refused(s.op(), List.of());
      if (in.isEmpty()) in = List.of(Sample.of(Type.f32(1), 1));
      else if (!ANY_NUMBER.contains(s.op().getClass())) refused(s.op(), types(in.subList(0, in.size() - 1)));
      var more = new ArrayList<>(in);
      more.add(in.getLast());
      if (!ANY_NUMBER.contains(s.op().getClass())) refused(s.op(), types(more));
    }));
  }

  @TestFactory Stream<DynamicTest> otherTypesAreRefusedOrRight() {
    return specs().values().stream().map(s -> DynamicTest.dynamicTest(s.name(), () -> {
      for (var w : wrong(s.draw(1))) refusedOrRight(s.op(), w);
    }));
  }

  /// Each input in turn of another kind of number, with one more of each extent, and with one more or one fewer axis.
  private static List<Wrong> wrong(List<Sample> in) {
    var r = new ArrayList<Wrong>();
    for (int i = 0; i < in.size(); i++) {
      var x = in.get(i);
      var shape = x.type().shape();
      r.add(new Wrong("input " + i + " of another dtype",
          with(in, i, x.as(x.type().dtype().floating() ? DType.I32 : DType.F32))));
      for (int a = 0; a < shape.rank(); a++)
        r.add(new Wrong("input " + i + " longer along axis " + a,
            with(in, i, shaped(x, shape.with(a, shape.dim(a) + 1)))));
      int[] more = new int[shape.rank() + 1];
      more[0] = 1;
      System.arraycopy(shape.dims(), 0, more, 1, shape.rank());
      r.add(new Wrong("input " + i + " with an axis more", with(in, i, shaped(x, Shape.of(more)))));
      if (shape.rank() > 0)
        r.add(new Wrong("input " + i + " with an axis fewer",
            with(in, i, shaped(x, Shape.of(java.util.Arrays.copyOfRange(shape.dims(), 1, shape.rank()))))));
    }
    return r;
  }

  private static List<Sample> with(List<Sample> in, int i, Sample x) {
    var r = new ArrayList<>(in);
    r.set(i, x);
    return r;
  }

  /// Its values over and over in another shape.
  private static Sample shaped(Sample x, Shape to) {
    double[] v = new double[Math.toIntExact(to.size())];
    for (int k = 0; k < v.length; k++) v[k] = x.values()[k % x.values().length];
    return new Sample(x.type().with(to), v);
  }

  private static void refusedOrRight(Op op, Wrong w) {
    try { op.infer(types(w.in)); }
    catch (IllegalArgumentException e) {
      assertTrue(e.getMessage().contains("expected"), w.what + ": " + e.getMessage());
      return;
    }
    try (var _ = Scope.open(Device.named("cpu"))) {
      Conformance.compare(Conformance.reference(op, w.in),
          new Conformance(Device.named("cpu")).run(op, w.in, Placement.DENSE));
    } catch (RuntimeException | AssertionError e) { throw new AssertionError(op + " takes " + types(w.in) + ", "
        + w.what + ", and then: " + e, e);
    }
  }

  private static void refused(Op op, List<Type> in, String... words) {
    var e = assertThrows(IllegalArgumentException.class, () -> op.infer(in), () -> op + " of " + in);
    for (var w : words) assertTrue(e.getMessage().contains(w), e.getMessage());
    assertTrue(e.getMessage().contains("expected"), e.getMessage());
  }

  private static List<Type> types(List<Sample> in) { return in.stream().map(Sample::type).toList(); }

  private static final Sequences TWO = Sequences.ofLengths(2, 3);

  private static Attention attention(int[] from, int[] to) {
    return new Attention(2, 1, TWO, TWO, new Ranges(from, to));
  }

  @Test void rangesStayWithinTheKeysOfTheirSequence() {
    var qkv = List.of(Type.f32(5, 4), Type.f32(5, 4), Type.f32(5, 6));
    assertEquals(List.of(Type.f32(5, 6)), attention(new int[] {0, 1, 2, 5, 2}, new int[] {2, 1, 5, 5, 3}).infer(qkv));
    // beyond all keys
    refused(attention(new int[] {0, 0, 2, 2, 2}, new int[] {2, 2, 5, 5, 6}), qkv, "query 4", "2 … 5", "not 2 … 6");
    // the next sequence's
    refused(attention(new int[] {0, 0, 2, 2, 2}, new int[] {2, 3, 5, 5, 5}), qkv, "query 1", "0 … 2", "not 0 … 3");
    // the one before
    refused(attention(new int[] {0, 0, 2, 1, 2}, new int[] {2, 2, 5, 5, 5}), qkv, "query 3", "not 1 … 5");
    refused(attention(new int[] {-1, 0, 2, 2, 2}, new int[] {2, 2, 5, 5, 5}), qkv, "query 0", "not -1 … 2");
    // backwards
    refused(attention(new int[] {0, 2, 2, 2, 2}, new int[] {2, 1, 5, 5, 5}), qkv, "query 1", "not 2 … 1");
    refused(attention(new int[] {0, 0, 2, 2}, new int[] {2, 2, 5, 5, 5}), qkv, "5 queries", "4 beginnings");
    refused(attention(new int[] {0, 0, 2, 2, 2}, new int[] {2, 2, 5, 5, 5, 5}), qkv, "6 ends");
  }

  @Test void sequencesAndHeadsFit() {
    var qkv = List.of(Type.f32(5, 4), Type.f32(5, 4), Type.f32(5, 6));
    var full = Ranges.full(TWO, TWO);
    refused(new Attention(0, 1, TWO, TWO, full), qkv);
    refused(new Attention(3, 1, TWO, TWO, full), qkv);
    refused(new Attention(4, 1, TWO, TWO, full), qkv, "heads·e");
    refused(new Attention(2, 1, TWO, Sequences.ofLengths(5), full), qkv, "2 and 1");
    var biased = new Attention(2, 1, TWO, TWO, full).withBias();
    for (var bias : List.of(Type.f32(1, 3, 3), Type.f32(2, 2, 3), Type.f32(2, 3, 2)))
      refused(biased, Stream.concat(qkv.stream(), Stream.of(bias)).toList(), "bias");
    var apart = new Attention(2, 1, Sequences.ofLengths(1, 1), TWO, Ranges.full(Sequences.ofLengths(1, 1), TWO));
    Type q = Type.f32(2, 4), o = Type.f32(2, 6), lse = Type.f32(2, 2);
    refused(new Adjoint.Attend(apart, true), List.of(q, qkv.get(1), qkv.get(2), o, lse, o), "as many queries as keys");
  }

  @Test void fieldsFitTheInputs() {
    var x = List.of(Type.f32(4, 6));
    for (int axis : new int[] {-1, 2}) {
      refused(new Movement.Slice(axis, 0, 1), x);
      refused(new Movement.Split(axis, new int[] {6}), x);
      refused(new Movement.Pad(axis, 1, 1), x);
    }
    refused(new Movement.Concat(2), x);
    refused(new Movement.Concat(-3), x);
    refused(new Movement.Slice(1, -1, 3), x);
    refused(new Movement.Slice(1, 3, 2), x);
    refused(new Movement.Slice(1, 0, 7), x);
    refused(new Movement.Split(1, new int[] {7, -1}), x);
    refused(new Movement.Split(1, new int[] {3, 2}), x);
    refused(new Movement.Pad(1, -1, 0), x);
    refused(new Movement.Reshape(Shape.of(5, 5)), x);
    refused(new Movement.Permute(new int[] {0, 0}), x);
    refused(new Movement.Permute(new int[] {0}), x);
    refused(new Movement.Expand(Shape.of(4, 7)), x);
    refused(new Movement.Expand(Shape.of(6)), x);
    for (int axis : new int[] {-3, 2}) {
      refused(new Reduction.Sum(new int[] {axis}, false), x);
      refused(new Reduction.Max(new int[] {axis}, true), x);
    }
    for (int size : new int[] {0, 3}) {
      refused(new Fused.AveragePool(new Grid(2, 4), size), List.of(Type.f32(8, 3)));
      refused(new Adjoint.AveragePool(new Fused.AveragePool(new Grid(2, 4), size)), List.of(Type.f32(2, 3)));
      refused(new Fused.Patches(new Grid(2, 4), size, List.of(0.5f), List.of(0.5f)),
          List.of(new Type(DType.U8, Shape.of(8, 1))));
    }
    refused(new Fused.LayerNorm(1e-5f, DType.I32, false), List.of(Type.f32(4, 6), Type.f32(6), Type.f32(6)));
    // a kernel larger than the grid by less than the stride
    refused(new Fused.Conv2d(new Grid(2, 4), 3, 0), List.of(Type.f32(8, 3), Type.f32(5, 3, 3, 3)));
  }
}
