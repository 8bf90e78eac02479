package jacquard.tests;

import static jacquard.tests.OpSpec.bf16;
import static jacquard.tests.OpSpec.f32;
import static jacquard.tests.OpSpec.in;
import static jacquard.tests.OpSpec.ints;
import static jacquard.tests.OpSpecs.INF;
import static jacquard.tests.OpSpecs.NAN;

import jacquard.tensor.DType;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Ranges;
import jacquard.tests.OpSpec.Input;
import jacquard.tests.reference.Exact;
import jacquard.tests.reference.Reference;
import jacquard.tests.reference.ReferenceAdjoint;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/// The specs of the fused ops, their recorded variants, and their gradient kernels.
final class FusedSpecs {
  private final List<OpSpec> specs = new ArrayList<>();

  private FusedSpecs() {}

  static List<OpSpec> all() {
    var s = new FusedSpecs();
    s.layers();
    s.norms();
    s.convolutions();
    s.patches();
    s.attention();
    s.losses();
    return s.specs;
  }

  private void layers() {
    for (var a : Activation.values()) {
      add(new Fused.Linear(a, true, false), f32(7, 13), f32(5, 13), f32(5));
      add(new Fused.Linear(a, true, true), f32(65, 33), f32(77, 33), f32(77));
      add(new Fused.Linear(a, true, true, a != Activation.NONE), f32(13, 7), f32(5, 7), f32(5), f32(13, 5));
      specs.add(OpSpec.of(new Adjoint.Activate(a), in(-3, 3, 7, 13), f32(7, 13)));
      specs.add(OpSpec.of(new Adjoint.Activate(a), in(-30, 30, 197), f32(197)));
      specs.add(OpSpec.of(new Adjoint.Activate(a), in(Draw.these(0, -0.0, 1e-40, 60, -60, NAN), 37), f32(37)));
      specs.add(OpSpec.of(new Adjoint.Activate(a), in(-5, 5, 16500), f32(16500)).asLarge());
    }
    add(new Fused.Linear(Activation.NONE, false, false), f32(65, 33), f32(19, 33));
    add(new Fused.Linear(Activation.NONE, false, true, false), f32(65, 33), f32(77, 33), f32(65, 77));
    for (boolean bias : new boolean[] {true, false}) {
      var op = new Adjoint.LinearWeight(bias);
      for (int[] s : new int[][] {{13, 7, 5}, {1, 1, 1}, {65, 77, 33}, {0, 3, 5}, {3, 0, 5}, {197, 16, 65}})
        specs.add(OpSpec.of(op, f32(s[0], s[1]), f32(s[0], s[2])));
      specs.add(OpSpec.of(op, f32(2100, 40), f32(2100, 130)).asLarge());
    }
    specs.add(OpSpec.of(new Fused.Linear(Activation.NONE, true, true, false), f32(300, 40), f32(130, 40), f32(130),
        f32(300, 130)).asLarge());
    for (int rows : new int[] {1, 2, 8, 0})
      add(new Fused.Linear(Activation.QUICK_GELU, true, false), f32(rows, 77), f32(65, 77), f32(65));
    add(new Fused.Linear(Activation.GELU, true, true), f32(3, 0), f32(5, 0), f32(5));
    specs.add(OpSpec.of(new Fused.Linear(Activation.GELU, true, false), f32(197, 530), f32(96, 530), f32(96))
        .asLarge());
    specs.add(OpSpec.of(new Fused.Linear(Activation.NONE, true, false), f32(300, 64), f32(800, 64), f32(800))
        .asLarge());
  }

  private void norms() {
    for (int[] s : new int[][] {{5, 13}, {1, 1}, {65, 77}, {197, 16}, {3, 197}, {0, 5}}) {
      int r = s[0], d = s[1];
      add(new Fused.Softmax(), in(-3, 3, r, d));
      both(new Fused.Softmax(), new Adjoint.Softmax(), in(-3, 3, r, d));
      both(new Fused.LayerNorm(1e-5f, true), new Adjoint.LayerNorm(), in(-2, 2, r, d), f32(d), f32(d));
      specs.add(OpSpec.of(new Adjoint.LayerNorm(true, false), in(-2, 2, r, d), f32(d), f32(r), in(0.5, 2, r), f32(r, d),
          f32(r, d)));
      add(new Fused.LayerNorm(1e-5f, DType.BF16, true), in(-2, 2, r, d), f32(d), f32(d));
      specs.add(OpSpec.of(new Adjoint.LayerNorm(false, true), in(-2, 2, r, d), f32(d), f32(r), in(0.5, 2, r),
          bf16(r, d)));
      specs.add(OpSpec.of(new Adjoint.LayerNorm(true, true), in(-2, 2, r, d), f32(d), f32(r), in(0.5, 2, r), bf16(r, d),
          f32(r, d)));
      both(new Fused.Normalize(1e-12f), new Adjoint.Normalize(1e-12f), in(-2, 2, r, d));
      if (r > 0) both(new Fused.BatchNorm(1e-5f, true), new Adjoint.BatchNorm(1e-5f), in(-2, 2, r, d), f32(d), f32(d));
    }
    add(new Fused.Softmax(), in(-3, 3, 13));
    add(new Fused.Softmax(), in(-3, 3, 3, 5, 7));
    add(new Fused.Softmax(), in(-1e4, 1e4, 5, 65));                                // large logits
    add(new Fused.Softmax(), in(Draw.mixed(Draw.uniform(-3, 3), 3, -INF), 5, 65));    // masked
    add(new Fused.Softmax(), in(Draw.mixed(Draw.uniform(-3, 3), 60, NAN), 5, 65));
    add(new Fused.Softmax(), in(Draw.these(7), 5, 65));
    add(new Fused.LayerNorm(1e-5f, false), in(-2, 2, 5, 13), f32(13), f32(13));
    // a mean far above the deviation
    add(new Fused.LayerNorm(1e-5f, true), in(999, 1001, 13, 65), f32(65), f32(65));
    add(new Fused.LayerNorm(1e-5f, true), in(Draw.these(3), 5, 65), f32(65), f32(65));                 // no deviation
    add(new Fused.LayerNorm(1e-5f, true), in(-1e-20, 1e-20, 5, 65), f32(65), f32(65));
    add(new Fused.Normalize(1e-12f), in(Draw.these(0), 3, 13));
    both(new Fused.Normalize(1e-12f), new Adjoint.Normalize(1e-12f), in(-1e-30, 1e-30, 3, 13));
    both(new Fused.Normalize(0.1f), new Adjoint.Normalize(0.1f), in(-1e-2, 1e-2, 3, 13));
    add(new Fused.Normalize(1e-12f), in(-1e15, 1e15, 3, 65));
    add(new Fused.Norm(), in(-2, 2, 5, 13), f32(7), f32(1), f32(0));
    add(new Fused.Norm(), f32());
    specs.add(OpSpec.of(new Fused.Norm(), f32(300, 300), f32(1030)).asLarge());
    add(new Fused.BatchNorm(1e-5f, false), in(-2, 2, 13, 5), f32(5), f32(5));
    add(new Fused.BatchNorm(1e-5f, true), in(99, 101, 65, 13), f32(13), f32(13));
    large(new Fused.BatchNorm(1e-5f, true), new Adjoint.BatchNorm(1e-5f), in(-2, 2, 600, 33), f32(33), f32(33));
    large(new Fused.LayerNorm(1e-5f, true), new Adjoint.LayerNorm(), in(-2, 2, 300, 130), f32(130), f32(130));
    large(new Fused.Softmax(), new Adjoint.Softmax(), in(-3, 3, 77, 515));
  }

  private void convolutions() {
    convolution(new Grid(7, 5), 1, 1, 2, 3, 5, 3, 3);
    convolution(new Grid(7, 6), 2, 1, 2, 2, 3, 3, 3);
    convolution(new Grid(7, 7), 3, 0, 2, 2, 3, 3, 3);                              // patches: windows do not overlap
    convolution(new Grid(8, 5), 4, 0, 3, 3, 13, 4, 4);                             // patches with a remainder
    convolution(new Grid(5, 7), 1, 0, 2, 13, 65, 1, 1);
    convolution(new Grid(13, 13), 2, 3, 1, 3, 13, 7, 7);
    convolution(new Grid(3, 5), 1, 0, 1, 2, 3, 3, 5);                              // one output pixel
    convolution(new Grid(5, 5), 1, 1, 0, 2, 3, 3, 3);                              // no images
    convolution(new Grid(6, 7), 1, 1, 1, 1, 1, 2, 3);
    for (boolean biased : new boolean[] {true, false}) {
      convolution(new Fused.Conv2d(new Grid(7, 5), 1, new Padding(1, 0, 2, 1), 1, biased), 2, 3, 5, 3, 3);     // uneven
      convolution(new Fused.Conv2d(new Grid(7, 7), 3, Padding.NONE, 1, biased), 2, 2, 13, 3, 3);
      // groups of several channels
      convolution(new Fused.Conv2d(new Grid(5, 7), 1, Padding.NONE, 2, biased), 2, 26, 10, 1, 1);
      convolution(new Fused.Conv2d(new Grid(7, 6), 2, Padding.of(1), 2, biased), 2, 6, 4, 3, 3);
      // depthwise
      convolution(new Fused.Conv2d(new Grid(7, 5), 1, Padding.of(1), 13, biased), 2, 13, 13, 3, 3);
      convolution(new Fused.Conv2d(new Grid(7, 9), 1, Padding.of(3), 3, biased), 1, 3, 3, 7, 7);
    }
    convolution(new Fused.Conv2d(new Grid(13, 13), 2, Padding.same(new Grid(13, 13), 2, 2, 2), 1, false), 1, 1, 3, 2,
        2);
    convolution(new Fused.Conv2d(new Grid(8, 7), 2, Padding.same(new Grid(8, 7), 5, 5, 2), 5, false), 2, 5, 5, 5, 5);
    convolution(new Fused.Conv2d(new Grid(7, 13), 2, Padding.of(1), 17, false), 1, 17, 17, 3, 3);
    // two outputs a channel
    convolution(new Fused.Conv2d(new Grid(8, 8), 2, Padding.of(3), 3, true), 2, 3, 6, 7, 7);
    convolution(new Fused.Conv2d(new Grid(5, 4), 1, new Padding(0, 2, 1, 0), 7, false), 2, 7, 21, 3, 3);
    convolution(new Fused.Conv2d(new Grid(6, 5), 1, Padding.NONE, 13, true), 2, 13, 13, 1, 1);
    // pixels that no window reads
    convolution(new Fused.Conv2d(new Grid(7, 8), 3, Padding.NONE, 2, true), 1, 2, 2, 2, 2);
    convolution(new Fused.Conv2d(new Grid(4, 5), 1, Padding.of(1), 3, true), 0, 3, 3, 3, 3);
    convolution(new Fused.Conv2d(new Grid(3, 3), 1, Padding.of(1), 16, false), 2, 16, 16, 3, 3);
    for (int[] s : new int[][] {{56, 1, 7, 48}, {13, 2, 3, 200}, {14, 1, 5, 144}}) {
      var op = new Fused.Conv2d(Grid.of(s[0]), s[1], Padding.of(s[2] / 2), s[3], true);
      convolution(op, 3, s[3], s[3], s[2], s[2], OpSpec::asLarge);
    }
    for (int[] s : new int[][] {{17, 13, 3, 5, 133}, {12, 12, 2, 200, 13}}) {
      var grid = new Grid(s[0], s[1]);
      Input x = f32(s[2] * grid.size(), s[3]), w = f32(s[4], 3, 3, s[3]), dy = f32(s[2] * grid.size(), s[4]);
      var op = new Fused.Conv2d(grid, 1, 1);
      specs.add(OpSpec.of(op, x, w).asLarge());
      specs.add(OpSpec.of(new Adjoint.Conv2dInput(op), w, dy).asLarge());
      specs.add(OpSpec.of(new Adjoint.Conv2dWeight(op, w.type().shape()), x, dy).asLarge());
    }
    for (int[] s : new int[][] {{5, 7, 2, 2, 3}, {6, 6, 3, 1, 13}, {13, 4, 4, 2, 65}, {4, 4, 2, 0, 3}}) {
      var op = new Fused.AveragePool(new Grid(s[0], s[1]), s[2]);
      both(op, new Adjoint.AveragePool(op), f32(s[3] * s[0] * s[1], s[4]));
    }
  }

  private void patches() {
    var three = List.of(0.48f, 0.45f, 0.4f);
    for (int[] s : new int[][] {{6, 9, 3, 2, 3}, {8, 8, 4, 3, 3}, {7, 5, 2, 2, 3}, {5, 7, 1, 2, 3}, {28, 14, 14, 1, 3},
        {4, 4, 2, 0, 3}, {5, 4, 2, 2, 1}, {4, 4, 2, 1, 4}, {4, 6, 2, 1, 5}}) {
      var values = java.util.stream.Stream.iterate(0.25f, v -> v + 0.03f).limit(s[4]).toList();
      add(new Fused.Patches(new Grid(s[0], s[1]), s[2], s[4] == 3 ? three : values, values),
          new Input(new Type(DType.U8, Shape.of(s[3] * s[0] * s[1], s[4])), Draw.whole(0, 255)));
    }
  }

  private void convolution(Grid grid, int stride, int padding, int images, int in, int out, int kh, int kw) {
    convolution(new Fused.Conv2d(grid, stride, padding), images, in, out, kh, kw);
  }

  private void convolution(Fused.Conv2d op, int images, int in, int out, int kh, int kw) {
    convolution(op, images, in, out, kh, kw, UnaryOperator.identity());
  }

  private void convolution(Fused.Conv2d op, int images, int in, int out, int kh, int kw, UnaryOperator<OpSpec> as) {
    Input x = f32(images * op.grid().size(), in), w = f32(out, kh, kw, in / op.groups()), dy =
        f32(images * op.to(w.type().shape()).size(), out);
    specs.add(as.apply(op.biased() ? OpSpec.of(op, x, w, f32(out)) : OpSpec.of(op, x, w)));
    specs.add(as.apply(OpSpec.of(new Adjoint.Conv2dInput(op), w, dy)));
    specs.add(as.apply(OpSpec.of(new Adjoint.Conv2dWeight(op, w.type().shape()), x, dy)));
  }

  private void attention() {
    Sequences s = Sequences.ofLengths(3, 1, 5), q = Sequences.ofLengths(1, 2, 1), odd =
        Sequences.ofLengths(65, 13, 1, 77), gaps = Sequences.ofLengths(5, 0, 13);
    attend(new Attention(2, 0.4f, s, s, Ranges.full(s, s)), f32(9, 6), f32(9, 6), f32(9, 10));
    attend(new Attention(2, 0.4f, s, s, Ranges.causal(s, s)), f32(9, 6), f32(9, 6), f32(9, 6));
    attend(new Attention(2, 0.4f, s, s, Ranges.causal(s, s)).withBias(), f32(9, 6), f32(9, 6), f32(9, 6), f32(2, 5, 6));
    attend(new Attention(1, 0.4f, q, s, Ranges.full(q, s)), f32(4, 5), f32(9, 5), f32(9, 3));
    attend(new Attention(3, 0.2f, odd, odd, Ranges.full(odd, odd)), f32(156, 39), f32(156, 39), f32(156, 39));
    attend(new Attention(3, 0.2f, odd, odd, Ranges.causal(odd, odd)).withBias(), f32(156, 39), f32(156, 39),
        f32(156, 39), f32(3, 77, 80));
    // large logits
    attend(new Attention(1, 0.125f, odd, odd, Ranges.causal(odd, odd)), in(-8, 8, 156, 65), in(-8, 8, 156, 65),
        f32(156, 65));
    // masked
    attend(new Attention(1, 0.4f, s, s, Ranges.full(s, s)).withBias(), f32(9, 4), f32(9, 4), f32(9, 4),
        in(Draw.mixed(Draw.uniform(-1, 1), 4, -1e30), 1, 5, 5));
    // a sequence without rows
    attend(new Attention(2, 0.4f, gaps, gaps, Ranges.full(gaps, gaps)), f32(18, 6), f32(18, 6), f32(18, 6));
    // rows without keys
    attend(new Attention(2, 0.4f, s, s, new Ranges(new int[] {0, 1, 3, 3, 4, 6, 5, 9, 8},
        new int[] {3, 2, 3, 4, 9, 7, 5, 9, 9})), f32(9, 6), f32(9, 6), f32(9, 6));
    Sequences two = Sequences.ofLengths(2, 1), three = Sequences.ofLengths(1, 2);
    // wider than any kernel
    attend(new Attention(1, 0.1f, two, two, new Ranges(new int[] {0, 1, 3}, new int[] {2, 1, 3})).withBias(),
        f32(3, 264), f32(3, 264), f32(3, 3), f32(1, 2, 2));
    attend(new Attention(2, 0.1f, three, two, Ranges.full(three, two)), f32(3, 6), f32(3, 6), f32(3, 520));
    var longer = Sequences.ofLengths(515, 77);
    attendLarge(new Attention(1, 0.4f, longer, longer, Ranges.causal(longer, longer)), f32(592, 4), f32(592, 4),
        f32(592, 4));
    attendLarge(new Attention(1, 0.4f, longer, longer, Ranges.full(longer, longer)).withBias(), f32(592, 3),
        f32(592, 3), f32(592, 1), f32(1, 515, 515));
    var vit = Sequences.equal(2, 197);
    attendLarge(new Attention(1, 0.125f, vit, vit, Ranges.full(vit, vit)), f32(394, 64), f32(394, 64), f32(394, 64));
  }

  private void attend(Attention op, Input... in) {
    add(op, in);
    both((Attention) op.recorded(), new Adjoint.Attend(op), in);
    if (op.queries().rows() == op.keys().rows())
      specs.add(adjoint((Attention) op.recorded(), new Adjoint.Attend(op, true), in));
  }

  private void attendLarge(Attention op, Input... in) { large((Attention) op.recorded(), new Adjoint.Attend(op), in); }

  private void losses() {
    for (int tile : new int[] {2, 128}) for (int[] s : new int[][] {{7, 5}, {1, 1}, {65, 13}, {197, 16}}) {
      Input x = f32(s[0], s[1]), scale = in(1, 3), bias = in(-3, -1);
      int[] groups = new int[s[0]];
      for (int i = 0; i < groups.length; i++) groups[i] = i * 5 % 13 % 7;
      for (boolean grouped : new boolean[] {false, true}) {
        var softmax = new Contrastive.Softmax(tile, grouped, true);
        var sigmoid = new Contrastive.Sigmoid(tile, grouped, true);
        both(softmax, new Adjoint.SoftmaxContrastive(softmax), grouped
            ? new Input[] {x, x, scale, ints(groups), ints(groups)} : new Input[] {x, x, scale});
        add(sigmoid, grouped ? new Input[] {x, x, scale, bias, ints(groups), ints(groups)}
            : new Input[] {x, x, scale, bias});
      }
    }
    var sharp = new Contrastive.Softmax(16, false, true);
    both(sharp, new Adjoint.SoftmaxContrastive(sharp), f32(33, 13), f32(33, 13), in(Draw.these(100)));
    add(new Contrastive.Sigmoid(16, false, true), f32(33, 13), f32(33, 13), in(Draw.these(100)), in(Draw.these(-10)));
    add(new Contrastive.Softmax(16, false, false), f32(13, 5), f32(13, 5), in(1, 2, 1));
    add(new Contrastive.Sigmoid(16, false, false), f32(33, 5), f32(33, 5), in(1, 2), in(-2, -1));
    specs.add(OpSpec.of(new Contrastive.Sigmoid(100, false, true), f32(420, 20), f32(420, 20), in(1, 3), in(-3, -1))
        .asLarge());
    large(new Contrastive.Softmax(100, false, true),
        new Adjoint.SoftmaxContrastive(new Contrastive.Softmax(100, false, true)), f32(420, 20), f32(420, 20),
        in(1, 3));
  }

  private void add(Fused op, Input... in) { specs.add(OpSpec.of(op, in)); }

  /// A fused op and its gradient kernel.
  private void both(Fused op, Adjoint adjoint, Input... in) {
    add(op, in);
    specs.add(adjoint(op, adjoint, in));
  }

  private void large(Fused op, Adjoint adjoint, Input... in) {
    specs.add(OpSpec.of(op, in).asLarge());
    specs.add(adjoint(op, adjoint, in).asLarge());
  }

  /// The gradient kernel applied to the op's inputs, a cotangent, and what the recorded forward gives of them.
  private static OpSpec adjoint(Fused op, Adjoint adjoint, Input... in) {
    var types = new ArrayList<Type>();
    for (var i : in) types.add(i.type());
    var drawn = new ArrayList<>(List.of(in));
    drawn.add(new Input(op.infer(types).getFirst(), Draw.uniform(-1, 1)));
    return new OpSpec(adjoint, drawn, samples -> {
      var exact = new ArrayList<>(samples.stream().map(Sample::exact).toList());
      var dy = exact.removeLast();
      var needed = new ArrayList<Exact>();
      ReferenceAdjoint.of(op, exact, Reference.apply(op, exact), dy, needed);
      var dtype = samples.getFirst().type().dtype();
      var r = new ArrayList<Sample>();
      for (var e : needed) {
        int given = exact.indexOf(e);
        r.add(given < 0 ? Sample.of(new Type(dtype, e.shape()), e) : samples.get(given));
      }
      return r;
    }, false);
  }

}
