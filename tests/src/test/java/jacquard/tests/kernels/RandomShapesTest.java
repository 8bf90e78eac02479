package jacquard.tests.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Ranges;
import jacquard.tensor.op.Reduction;
import jacquard.tests.Conformance;
import jacquard.tests.Draw;
import jacquard.tests.OpSpec;
import jacquard.tests.Placement;
import jacquard.tests.Sample;
import jacquard.tests.reference.Exact;
import jacquard.tests.reference.Reference;
import jacquard.tests.reference.ReferenceAdjoint;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/// Shapes, views, broadcasts, sequences and ranges that nobody chose, against the double reference.
class RandomShapesTest {
  private final Conformance conformance = new Conformance(Conformance.device());

  private List<Conformance.Result> run(Op op, List<Sample> in, Placement placement) {
    try (var _ = Scope.open(Conformance.device())) { return conformance.run(op, in, placement); }
  }

  private void check(Op op, Placement placement, OpSpec.Input... in) {
    var samples = OpSpec.of(op, in).draw(5);
    Conformance.compare(Conformance.reference(op, samples), run(op, samples, placement));
  }

  @Property(tries = 150, seed = "1")
  void binaryOpsBroadcast(@ForAll @Size(max = 4) List<@IntRange(max = 9) Integer> shape,
      @ForAll @IntRange(max = 15) int repeatA, @ForAll @IntRange(max = 15) int repeatB,
      @ForAll @IntRange(max = 2) int dropped, @ForAll Placement placement) {
    int[] a = shape.stream().mapToInt(i -> i).toArray(), b =
        java.util.Arrays.copyOfRange(a, Math.min(dropped, a.length), a.length);
    for (int i = 0; i < a.length; i++) if ((repeatA >> i & 1) == 1) a[i] = 1;
    for (int i = 0; i < b.length; i++) if ((repeatB >> i & 1) == 1) b[i] = 1;
    for (Op op : List.of(new Elementwise.Subtract(), new Elementwise.Divide()))
      check(op, placement, OpSpec.in(0.5, 2, a), OpSpec.in(0.5, 2, b));
  }

  @Property(tries = 150, seed = "2")
  void reductionsFoldAnyAxes(@ForAll @Size(min = 1, max = 4) List<@IntRange(max = 20) Integer> shape,
      @ForAll @IntRange(max = 15) int folded, @ForAll boolean keep, @ForAll Placement placement) {
    int[] s = shape.stream().mapToInt(i -> i).toArray(), axes =
        java.util.stream.IntStream.range(0, s.length).filter(a -> (folded >> a & 1) == 1).toArray();
    check(new Reduction.Sum(axes, keep), placement, OpSpec.f32(s));
    check(new Reduction.Max(axes, keep), placement, OpSpec.f32(s));
  }

  @Property(tries = 150, seed = "3")
  void productsOfAnySize(@ForAll @IntRange(max = 110) int m, @ForAll @IntRange(max = 70) int k,
      @ForAll @IntRange(max = 110) int n, @ForAll boolean ta, @ForAll boolean tb, @ForAll Placement placement) {
    check(new Contraction.MatMul(ta, tb), placement, ta ? OpSpec.f32(k, m) : OpSpec.f32(m, k), tb ? OpSpec.f32(n, k)
        : OpSpec.f32(k, n));
  }

  /// A chain of views shows the elements that the same chain of copies holds.
  @Property(tries = 200, seed = "4")
  void chainsOfViews(@ForAll("shapes") Shape shape,
      @ForAll @Size(min = 1, max = 6) List<@IntRange(max = 100_000) Integer> steps, @ForAll Placement placement) {
    var sample = Draw.sample(7, new Type(jacquard.tensor.DType.F32, shape), Draw.uniform(-1, 1));
    try (var _ = Scope.open(Conformance.device())) {
      var view = placement.place(sample).tensor();
      var copy = sample.exact();
      for (int step : steps) {
        var op = viewed(view.shape(), step);
        view = op instanceof Movement.Reshape(var to) ? view.reshape(to) : Tensor.applyAll(op, List.of(view)).getLast();
        copy = Reference.apply(op, List.of(copy)).getLast();
        assertEquals(copy.shape(), view.shape());
        Conformance.compare(op.toString(), copy, Sample.read(view).values(), 1);
      }
    }
  }

  @Provide Arbitrary<Shape> shapes() {
    return Arbitraries.integers().between(1, 7).list().ofMinSize(1).ofMaxSize(4)
        .map(l -> Shape.of(l.stream().mapToInt(i -> i).toArray()));
  }

  private static Movement viewed(Shape s, int choice) {
    int rank = s.rank(), axis = choice / 5 % rank, n = s.dim(axis);
    return switch (choice % 5) {
      case 0 -> new Movement.Slice(axis, choice / 50 % (n + 1), Math.max(choice / 50 % (n + 1), n - choice / 7 % 2));
      case 1 -> {
        int[] axes = java.util.stream.IntStream.range(0, rank).map(a -> (a + 1 + choice / 5) % rank).toArray();
        yield new Movement.Permute(axes);
      }
      case 2 -> new Movement.Reshape(choice / 5 % 2 == 0 || s.size() == 0 ? Shape.of(Math.toIntExact(s.size()))
          : Shape.of(n, Math.toIntExact(s.size() / n)));
      case 3 -> new Movement.Split(axis, new int[] {n / 2, n - n / 2});
      default -> {
        int[] d = new int[rank + 1];
        d[0] = 1 + choice / 5 % 3;
        for (int a = 0; a < rank; a++) d[a + 1] = s.dim(a) == 1 ? 1 + choice / 20 % 4 : s.dim(a);
        yield s.size() > 2000 ? new Movement.Slice(0, 0, Math.min(1, s.dim(0))) : new Movement.Expand(Shape.of(d));
      }
    };
  }

  /// Sequences of any lengths, empty ones too; each query with a range of its own, or causal ones; with bias or
  /// without.
  record Attending(List<Integer> queries, List<Integer> keys, int heads, int d, int e, int kind, boolean biased) {}

  @Provide Arbitrary<Attending> attending() {
    var lengths = Arbitraries.integers().between(0, 40).list().ofMinSize(1).ofMaxSize(4);
    return lengths.flatMap(q -> Combinators.combine(Arbitraries.integers().between(0, 40).list().ofSize(q.size()),
        Arbitraries.integers().between(1, 3), Arbitraries.integers().between(1, 35),
        Arbitraries.integers().between(1, 35), Arbitraries.integers().between(0, 2), Arbitraries.of(true, false))
        .as((k, heads, d, e, kind, biased) -> new Attending(q, k, heads, d, e, kind, biased)));
  }

  @Property(tries = 80, seed = "5")
  void attentionOverAnySequences(@ForAll("attending") Attending a, @ForAll Placement placement) {
    var q = Sequences.ofLengths(a.queries.stream().mapToInt(i -> i).toArray());
    var k = a.kind == 0 ? q : Sequences.ofLengths(a.keys.stream().mapToInt(i -> i).toArray());
    var ranges = a.kind == 0 ? Ranges.causal(q, k) : Ranges.full(q, k);
    // any part of what it could see, or nothing
    if (a.kind == 2) for (int r = 0; r < q.rows(); r++) {
      int from = ranges.from()[r], n = ranges.to()[r] - from, skip = n == 0 ? 0 : r * 7 % (n + 1);
      ranges.from()[r] = from + skip;
      ranges.to()[r] = from + skip + (n - skip == 0 ? 0 : r * 5 % (n - skip + 1));
    }
    var op = new Attention(a.heads, 0.3f, q, k, ranges, a.biased, true);
    var in = new ArrayList<>(List.of(OpSpec.f32(q.rows(), a.heads * a.d), OpSpec.f32(k.rows(), a.heads * a.d),
        OpSpec.f32(k.rows(), a.heads * a.e)));
    if (a.biased) in.add(OpSpec.f32(a.heads, q.longest(), k.longest()));
    checkWithGradient(op, new Adjoint.Attend(op), placement, in.toArray(OpSpec.Input[]::new));
  }

  @Property(tries = 40, seed = "6")
  void lossesOfAnyBatch(@ForAll @IntRange(min = 1, max = 60) int n, @ForAll @IntRange(min = 1, max = 30) int d,
      @ForAll @IntRange(min = 1, max = 70) int tile, @ForAll @IntRange(min = 1, max = 9) int groups,
      @ForAll boolean grouped, @ForAll Placement placement) {
    var in = new ArrayList<>(List.of(OpSpec.f32(n, d), OpSpec.f32(n, d), OpSpec.in(1, 3)));
    var softmax = new Contrastive.Softmax(tile, grouped, true);
    var sigmoid = new Contrastive.Sigmoid(tile, grouped, true);
    var of = OpSpec.ints(java.util.stream.IntStream.range(0, n).map(i -> i * 7 % groups).toArray());
    var biased = new ArrayList<>(in);
    biased.add(OpSpec.in(-3, -1));
    if (grouped) for (var l : List.of(in, biased)) { l.add(of); l.add(of); }
    checkWithGradient(softmax, new Adjoint.SoftmaxContrastive(softmax), placement, in.toArray(OpSpec.Input[]::new));
    check(sigmoid, placement, biased.toArray(OpSpec.Input[]::new));
  }

  private void checkWithGradient(Fused op, Adjoint adjoint, Placement placement, OpSpec.Input... inputs) {
    var in = OpSpec.of(op, inputs).draw(6);
    var exact = in.stream().map(Sample::exact).toList();
    var out = Reference.apply(op, exact);
    Conformance.compare(out, run(op, in, placement));
    var dy = Draw.sample(8, Type.f32(out.getFirst().shape().dims()), Draw.uniform(-1, 1));
    var needed = new ArrayList<Exact>();
    ReferenceAdjoint.of(op, exact, out, dy.exact(), needed);
    var samples = new ArrayList<Sample>();
    for (int i = 0; i < needed.size(); i++)
      samples.add(i < in.size() ? in.get(i) : Sample.of(Type.f32(needed.get(i).shape().dims()), needed.get(i)));
    Conformance.compare(Conformance.reference(adjoint, samples), run(adjoint, samples, placement));
  }

  @Property(tries = 60, seed = "7")
  void nothingIsLeftOver(@ForAll @IntRange(max = 30) int rows, @ForAll @IntRange(min = 1, max = 30) int width) {
    Device device = Conformance.device();
    long before = device.live().blocks();
    check(new Fused.Softmax(), Placement.SLICED, OpSpec.f32(rows, width));
    assertEquals(before, device.live().blocks());
  }
}
