package jacquard.tests;

import static jacquard.tests.OpSpec.f32;
import static jacquard.tests.OpSpec.in;
import static jacquard.tests.OpSpec.ints;
import static jacquard.tests.OpSpec.of;

import jacquard.tensor.DType;
import jacquard.tensor.Group;
import jacquard.tensor.Shape;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Indexing;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Reduction;
import jacquard.tensor.op.Update;
import java.util.ArrayList;
import java.util.List;

/// The specs of all ops, odd sizes first: 1, 13, 65, 77, 197, then what crosses the blocks of the kernels, and what has
/// no elements. Here the elementary ops; the fused ones and their gradients in [FusedSpecs].
public final class OpSpecs {
  static final double INF = Double.POSITIVE_INFINITY, NAN = Double.NaN;

  private OpSpecs() {}

  public static List<OpSpec> all() {
    var r = new ArrayList<OpSpec>();
    elementwise(r);
    reductions(r);
    products(r);
    movements(r);
    indexing(r);
    updates(r);
    collectives(r);
    r.addAll(FusedSpecs.all());
    return r;
  }

  private static void elementwise(List<OpSpec> r) {
    for (Op op : List.of(new Elementwise.Add(), new Elementwise.Subtract(), new Elementwise.Multiply())) {
      r.add(of(op, in(-2, 2, 13, 7), in(-2, 2, 13, 7)));
      r.add(of(op, in(-2, 2, 3, 5, 7), in(-2, 2, 7)));
      r.add(of(op, in(-2, 2, 3, 1, 7), in(-2, 2, 5, 1)));
      r.add(of(op, f32(), f32(197)));
      r.add(of(op, f32(0, 5), f32(5)));
      r.add(of(op, in(Draw.these(0, -0.0, INF, -INF, NAN, 1e-40, 3e38), 7, 1),
          in(Draw.these(0, 1, INF, -INF, NAN, 1e-40, 3e38), 7)));
      r.add(of(op, f32(129, 257), f32(129, 257)).asLarge());
    }
    r.add(of(new Elementwise.Divide(), f32(13, 7), in(0.5, 2, 13, 1)));
    r.add(of(new Elementwise.Divide(), in(0.5, 2, 65), in(0.5, 2)));
    r.add(of(new Elementwise.Divide(), in(Draw.these(0, -1, 1, INF, NAN), 5, 1),
        in(Draw.these(0, 1, -INF, NAN, 1e-30), 5)));
    r.add(of(new Elementwise.Equal(), f32(13, 7), f32(13, 7)));
    r.add(of(new Elementwise.Equal(), in(Draw.whole(0, 3), 3, 1, 13), in(Draw.whole(0, 3), 5, 1)));
    r.add(of(new Elementwise.Equal(), in(Draw.these(0, -0.0, INF, -INF, NAN, 1e-40, 3e38), 7, 1),
        in(Draw.these(0, 1, INF, -INF, NAN, 1e-40, 3e38), 7)));
    for (Op op : List.of(new Elementwise.Affine(1.5f, -0.3f), new Elementwise.Exp(), new Elementwise.Sigmoid(),
        new Elementwise.Tanh(), new Elementwise.Softplus(),
        new Elementwise.Clamp(-1.01f, 1.02f))) {
      r.add(of(op, in(-2, 2, 5, 13)));
      r.add(of(op, in(-20, 20, 1)));
      r.add(of(op, in(-80, 80, 3, 65)));
      r.add(of(op, f32(0, 3)));
      r.add(of(op, in(-5, 5, 16500)).asLarge());
    }
    for (Op op : List.of(new Elementwise.Sigmoid(), new Elementwise.Tanh(), new Elementwise.Softplus(),
        new Elementwise.Clamp(-1, 1)))
      r.add(of(op, in(Draw.these(INF, -INF, NAN, 0, -0.0, 1e-40, -1e-40, 100, -100, 1e-7, 0.59999, 0.6001, 3e38, -3e38),
      37)));
    r.add(of(new Elementwise.Exp(),
        in(Draw.these(-INF, NAN, 0, -0.0, 1e-40, -200, -88, -87.31, -87.2, 88.6, 1e-7), 37)));
    for (Op op : List.of(new Elementwise.Log(), new Elementwise.Sqrt())) {
      r.add(of(op, in(0.5, 3, 5, 13)));
      r.add(of(op, in(Draw.these(0, INF, NAN, -1, 1e-40, 1e-30, 3e38, 1, 0.9999999), 13)));
    }
    for (var a : Activation.values()) if (a != Activation.NONE) {
      var op = new Elementwise.Activate(a);
      r.add(of(op, in(-3, 3, 7, 13)));
      r.add(of(op, in(-12, 12, 197)));
      r.add(of(op, in(Draw.these(NAN, 0, 1e-40, -1e-40, 60, -60, 1e-6, -1e-6, 1.4141, 1.4143, 5.7, -5.7), 37)));
    }
    for (var from : DType.values()) for (var to : DType.values()) {
      var values = from.floating() && to.floating() ? Draw.these(0, -0.0, 1, 1.00390625, 1.01171875, 65504, 65520,
          -1e-7, 1e-40, 3.4e38, INF, -INF, NAN, 0.1, 3.14159265)
          : from == DType.BOOL ? Draw.whole(0, 1) : from == DType.U8 || to == DType.U8 ? Draw.whole(0, 255)
          : from.floating() ? Draw.uniform(-1000, 1000)
          : Draw.these(0, 1, -1, 16777217, -16777219, 2147483647, 40000);
      r.add(of(new Elementwise.Cast(to), new OpSpec.Input(new Type(from, Shape.of(3, 13)), values)));
    }
  }

  private static void reductions(List<OpSpec> r) {
    for (boolean keep : new boolean[] {false, true})
      for (int[] axes : new int[][] {{0}, {1}, {-1}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}, {}}) {
        r.add(of(new Reduction.Sum(axes, keep), f32(3, 13, 5)));
        r.add(of(new Reduction.Max(axes, keep), f32(3, 13, 5)));
      }
    r.add(of(new Reduction.Sum(new int[] {}, false), f32()));
    r.add(of(new Reduction.Sum(new int[] {1}, false), in(0, 1, 3, 197)));
    r.add(of(new Reduction.Sum(new int[] {0}, false), f32(0, 5)));
    r.add(of(new Reduction.Sum(new int[] {1}, false), f32(5, 0)));
    r.add(of(new Reduction.Sum(new int[] {1}, false), f32(0, 5)));
    r.add(of(new Reduction.Max(new int[] {0}, false), f32(0, 5)));
    r.add(of(new Reduction.Max(new int[] {1}, false), in(Draw.mixed(Draw.uniform(-1, 1), 7, NAN, INF, -INF), 13, 65)));
    r.add(of(new Reduction.Max(new int[] {0}, false), in(Draw.mixed(Draw.uniform(-1, 1), 7, NAN, INF, -INF), 5, 13)));
    r.add(of(new Reduction.Max(new int[] {1}, false), in(Draw.these(-INF), 3, 20)));
    r.add(of(new Reduction.Sum(new int[] {1}, false), in(Draw.mixed(Draw.uniform(0, 1), 40, INF), 13, 65)));
    r.add(of(new Reduction.Sum(new int[] {0}, false), f32(5000, 41)).asLarge());
    r.add(of(new Reduction.Sum(new int[] {1}, false), f32(300, 99)).asLarge());
    r.add(of(new Reduction.Sum(new int[] {0, 1, 2}, false), in(0, 1, 7, 65, 77)).asLarge());
  }

  private static void products(List<OpSpec> r) {
    for (boolean ta : new boolean[] {false, true}) for (boolean tb : new boolean[] {false, true}) {
      var op = new Contraction.MatMul(ta, tb);
      for (int[] s : new int[][] {{7, 13, 5}, {1, 1, 1}, {1, 77, 65}, {65, 1, 13}, {13, 65, 1}, {8, 16, 32}, {0, 3, 5},
          {3, 0, 5}, {3, 5, 0}})
        r.add(product(op, s[0], s[1], s[2]));
      for (int[] s : new int[][] {{97, 515, 33}, {197, 65, 77}, {5, 13, 771}, {193, 40, 300}, {260, 1030, 3}})
        r.add(product(op, s[0], s[1], s[2]).asLarge());
    }
    r.add(of(new Contraction.MatMul(false, false), in(Draw.mixed(Draw.uniform(-1, 1), 31, NAN, INF), 13, 20),
        f32(20, 40)));
    r.add(of(new Contraction.MatMul(false, true), in(1e-25, 2e-25, 5, 13), in(1e-20, 2e-20, 7, 13)));
  }

  private static OpSpec product(Contraction.MatMul op, int m, int k, int n) {
    return of(op, op.transposeA() ? f32(k, m) : f32(m, k), op.transposeB() ? f32(n, k) : f32(k, n));
  }

  private static void movements(List<OpSpec> r) {
    for (var t : DType.values()) {
      var values = t == DType.BOOL ? Draw.whole(0, 1) : Draw.whole(0, 100);
      for (Op op : List.of(new Movement.Copy(), new Movement.Pad(1, 2, 1), new Movement.Concat(-1),
          new Movement.Permute(new int[] {1, 0}), new Movement.Reshape(Shape.of(65))))
        r.add(of(op, new OpSpec.Input(new Type(t, Shape.of(5, 13)), values)));
    }
    r.add(of(new Movement.Reshape(Shape.of(5, 6)), f32(3, 10)));
    r.add(of(new Movement.Permute(new int[] {2, 0, 1}), f32(3, 5, 7)));
    r.add(of(new Movement.Slice(1, 2, 5), f32(3, 7)));
    r.add(of(new Movement.Slice(0, 3, 3), f32(3, 7)));
    r.add(of(new Movement.Expand(Shape.of(4, 3, 7)), f32(3, 1)));
    r.add(of(new Movement.Split(1, new int[] {2, 5}), f32(3, 7)));
    r.add(of(new Movement.Split(0, new int[] {0, 1, 12}), f32(13, 3)));
    r.add(of(new Movement.Concat(1), f32(3, 2), f32(3, 5), f32(3, 0)));
    r.add(of(new Movement.Concat(0), f32(1, 13, 5), f32(65, 13, 5)));
    r.add(of(new Movement.Concat(1), f32(5, 1, 13), f32(5, 77, 13)));
    r.add(of(new Movement.Copy(), f32()));
    r.add(of(new Movement.Copy(), f32(0, 7)));
    r.add(of(new Movement.Copy(), in(Draw.these(NAN, INF, -0.0, 1e-45), 13)));
    r.add(of(new Movement.Copy(), f32(197, 3, 77)).asLarge());
    r.add(of(new Movement.Pad(0, 1, 0), f32(3)));
    r.add(of(new Movement.Pad(2, 0, 3), f32(2, 3, 5)));
    r.add(of(new Movement.Pad(0, 2, 2), f32(0, 3)));
    r.add(of(new Movement.Fill(Shape.of(3), 2)));
    r.add(of(new Movement.Fill(Shape.SCALAR, -0.5f)));
    r.add(of(new Movement.Fill(Shape.of(0, 2), 1)));
  }

  private static void indexing(List<OpSpec> r) {
    for (Op op : List.of(new Indexing.Gather(), new Indexing.ScatterAdd(6))) {
      r.add(of(op, f32(5, 7), ints(4, 0, -1, 2, 2)));
      r.add(of(op, f32(3, 65), ints(2, 2, 2)));
      r.add(of(op, f32(1, 13), ints(0)));
    }
    r.add(of(new Indexing.Gather(), f32(5, 7), ints()));
    r.add(of(new Indexing.Gather(), in(Draw.mixed(Draw.uniform(-1, 1), 5, NAN), 4, 3), ints(-1, 3)));
    r.add(of(new Indexing.ScatterAdd(3), f32(0, 7), ints()));
    for (int[] d : new int[][] {{256, 7, 300}, {257, 8, 300}, {530, 3, 5}})
      r.add(of(new Indexing.ScatterAdd(d[2]), f32(d[0], d[1]),
          new OpSpec.Input(new Type(DType.I32, Shape.of(d[0])), Draw.whole(-1, d[2] - 1))));
    r.add(of(new Indexing.ScatterAdd(5), f32(3000, 41),
        new OpSpec.Input(new Type(DType.I32, Shape.of(3000)), Draw.whole(-1, 4))).asLarge());
    r.add(of(new Indexing.Gather(), f32(77, 41),
        new OpSpec.Input(new Type(DType.I32, Shape.of(3000)), Draw.whole(-1, 76))).asLarge());
  }

  /// On a group of one rank; `CollectivesTest` has more.
  private static void collectives(List<OpSpec> r) {
    var alone = Group.ALONE;
    for (int[] s : new int[][] {{5, 13}, {1, 1}, {65, 77}, {0, 3}}) {
      r.add(of(new Collective.AllGather(alone, new int[] {s[0]}), f32(s)));
      r.add(of(new Collective.ReduceScatter(alone, new int[] {s[0]}), f32(s)));
      r.add(of(new Collective.AllReduce(alone, 0.5f, 2), f32(s), f32(7)));
      if (s[0] == 0) continue;
      OpSpec.Input x = in(-2, 2, s), column = f32(s[1]);
      for (boolean recorded : new boolean[] {false, true})
        r.add(of(new Collective.BatchNorm(alone, 1e-5f, recorded), x, column, column));
      r.add(of(new Adjoint.CollectiveBatchNorm(new Collective.BatchNorm(alone, 1e-5f, true)), x, column, column,
          in(0.5, 2, s[1]), in(Draw.these(s[0])), f32(s)));
    }
    r.add(of(new Collective.AllGather(alone, new int[] {4}), ints(3, 1, -4, 1)));
  }

  private static void updates(List<OpSpec> r) {
    for (int n : new int[] {1, 13, 197, 0}) {
      OpSpec.Input p = f32(n), m = f32(n), v = in(0, 1, n), g = f32(n);
      r.add(of(new Update.AdamW(1e-3, 0.9, 0.98, 1e-6, 0.2, 1, 1), p, m, v, g));
      r.add(of(new Update.AdamW(1e-2, 0.9, 0.95, 1e-8, 0, 1000, 0.3f), p, m, v, g));
      r.add(of(new Update.NAdamW(1e-3, 0.9, 0.98, 1e-6, 0.2, 3, 0.4, 0.8, 0.7f), p, m, v, g));
      r.add(of(new Update.Descent(1e-2, 0.9, true, 0.1, 1), p, m, g));
      r.add(of(new Update.Descent(1e-2, 0, false, 0, 0.5f), p, m, g));
      r.add(of(new Update.Blend(0.1f, 1.25f), p, g));
      r.add(of(new Update.Together(List.of(new Update.AdamW(1e-3, 0.9, 0.98, 1e-6, 0.2, 1, 1),
          new Update.Descent(1e-2, 0.9, true, 0.1, 1))), p, m, v, g, f32(3, n), f32(3, n), f32(3, n)));
    }
    r.add(of(new Update.AdamW(1e-3, 0.9, 0.98, 1e-6, 0.2, 7, 1), f32(3, 13), in(-1e-20, 1e-20, 3, 13),
        in(0, 1e-38, 3, 13), in(-1e-20, 1e-20, 3, 13)));
    r.add(of(new Update.AdamW(1e-3, 0.9, 0.98, 1e-6, 0.2, 7, 1), f32(33000), f32(33000), in(0, 1, 33000), f32(33000))
        .asLarge());
  }
}
