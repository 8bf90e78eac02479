package jacquard.tests.reference;

import static jacquard.tests.reference.ReferenceFused.sum;

import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Fused;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The gradients of the fused ops by their formulas.
public final class ReferenceAdjoint {
  private ReferenceAdjoint() {}

  /// The gradient kernel of a recorded op and what it is applied to, given the op's inputs, outputs and cotangent.
  /// `Linear` and `Norm` have none.
  public static Adjoint of(Fused op, List<Exact> in, List<Exact> out, Exact dy, List<Exact> inputs) {
    return switch (op) {
      case Fused.Linear l -> throw new IllegalArgumentException("products, not a kernel: " + l);
      case Fused.Norm n -> throw new IllegalArgumentException("quotients, not a kernel: " + n);
      case Fused.Patches p -> throw new IllegalArgumentException("of integers, without a gradient: " + p);
      case Fused.Softmax _ -> with(new Adjoint.Softmax(), inputs, out.getFirst(), dy);
      case Fused.LayerNorm _ -> with(new Adjoint.LayerNorm(), inputs, in.get(0), in.get(1), out.get(1), out.get(2), dy);
      case Fused.Normalize(var e) -> with(new Adjoint.Normalize(e), inputs, in.getFirst(), dy);
      case Fused.BatchNorm(var e, _) ->
          with(new Adjoint.BatchNorm(e), inputs, in.get(0), in.get(1), out.get(1), out.get(2), dy);
      case Fused.Conv2d c -> with(new Adjoint.Conv2dInput(c), inputs, in.get(1), dy);
      case Fused.AveragePool p -> with(new Adjoint.AveragePool(p), inputs, dy);
      case Attention a -> {
        inputs.addAll(in);
        yield with(new Adjoint.Attend(a), inputs, out.get(0), out.get(1), dy);
      }
      case Contrastive.Softmax s -> {
        inputs.addAll(in);
        yield with(new Adjoint.SoftmaxContrastive(s), inputs, out.get(1), out.get(2), dy);
      }
      case Contrastive.Sigmoid s -> throw new IllegalArgumentException("made in forward, not by a kernel: " + s);
    };
  }

  private static Adjoint with(Adjoint op, List<Exact> inputs, Exact... in) {
    inputs.addAll(Arrays.asList(in));
    return op;
  }

  /// The gradients of a fused op's floating inputs, given the cotangent of its first output.
  public static List<Exact> gradients(Fused op, List<Exact> in, Exact dy) {
    var recorded = (Fused) op.recorded();
    var out = ReferenceFused.apply(recorded, in);
    if (op instanceof Fused.Linear l) {
      var dz = l.activation() == Activation.NONE ? dy
          : apply(new Adjoint.Activate(l.activation()), List.of(out.get(1), dy)).getFirst();
      var r = new ArrayList<>(List.of(Reference.product(dz, false, in.get(1), false),
          Reference.product(dz, true, in.get(0), false)));
      if (l.bias()) r.add(Exact.of(in.get(2).shape(), j -> sum(dz.dim(0), i -> dz.get(i, j))));
      if (l.added()) r.add(dy);
      return r;
    }
    if (op instanceof Fused.Norm)
      return in.stream().map(x -> Exact.of(x.shape(), i -> x.get(i).times(dy.scalar().over(out.getFirst().scalar()))))
          .toList();
    if (op instanceof Contrastive.Sigmoid s) return sigmoid(s, in, dy.scalar());
    var inputs = new ArrayList<Exact>();
    var adjoint = of(recorded, in, out, dy, inputs);
    var r = new ArrayList<>(apply(adjoint, inputs));
    if (op instanceof Fused.Conv2d c) {
      r.addAll(apply(new Adjoint.Conv2dWeight(c, in.get(1).shape()), List.of(in.get(0), dy)));
      if (c.biased()) r.add(Exact.of(in.get(2).shape(), j -> sum(dy.dim(0), i -> dy.get(i, j))));
    }
    return r;
  }

  static List<Exact> apply(Adjoint op, List<Exact> in) {
    return switch (op) {
      case Adjoint.Activate(var f) ->
          List.of(Exact.of(in.get(0).shape(), i -> slope(f, in.get(0).get(i)).times(in.get(1).get(i))));
      case Adjoint.Softmax _ -> List.of(softmax(in.get(0), in.get(1)));
      case Adjoint.LinearWeight(var bias) -> {
        var w = Reference.product(in.get(1), true, in.get(0), false);
        yield bias ? List.of(w, Exact.of(Shape.of(in.get(1).dim(1)), j ->
            sum(in.get(1).dim(0), i -> in.get(1).get(i, j)))) : List.of(w);
      }
      case Adjoint.LayerNorm(_, var halved) -> {
        var d = layerNorm(in);
        yield halved ? List.of(d.get(0), d.get(1), d.get(2),
            Exact.of(d.getFirst().shape(), i -> d.getFirst().get(i).stored(DType.BF16))) : d;
      }
      case Adjoint.Normalize(var e) -> List.of(normalize(e, in.get(0), in.get(1)));
      case Adjoint.BatchNorm(var e) -> batchNorm(e, in);
      case Adjoint.CollectiveBatchNorm(var n) ->
          batchNorm(n.epsilon(), List.of(in.get(0), in.get(1), in.get(2), in.get(3), in.get(5)));
      case Adjoint.Conv2dInput(var c) -> List.of(ReferenceWindows.input(c, in.get(0), in.get(1)));
      case Adjoint.Conv2dWeight(var c, var w) -> List.of(ReferenceWindows.weight(c, w, in.get(0), in.get(1)));
      case Adjoint.AveragePool(var p) -> List.of(ReferenceWindows.pooled(p, in.getFirst()));
      case Adjoint.Attend(var a, var packed) -> packed ? packed(attend(a, in)) : attend(a, in);
      case Adjoint.SoftmaxContrastive(var s) -> contrastive(s, in);
    };
  }

  private static Real slope(Activation f, Real x) {
    return switch (f) {
      case NONE -> Real.ONE;
      case RELU -> x.value() > 0 ? Real.ONE : Real.ZERO;
      case GELU -> x.times(Math.sqrt(0.5)).erf().plus(Real.ONE).times(0.5)
          .plus(x.times(x).times(-0.5).exp().times(1 / Math.sqrt(2 * Math.PI)).times(x));
      case GELU_TANH -> {
        Real s = x.times(x), t = s.times(0.044715).plus(1).times(x).times(Math.sqrt(2 / Math.PI)).tanh();
        var steep = Real.ONE.minus(t.times(t)).times(Math.sqrt(2 / Math.PI)).times(s.times(3 * 0.044715).plus(1));
        yield t.plus(1).times(0.5).plus(x.times(0.5).times(steep));
      }
      case QUICK_GELU -> swish(1.702, x);
      case SILU -> swish(1, x);
    };
  }

  private static Real swish(double k, Real x) {
    var s = x.times(k).sigmoid();
    return s.plus(x.times(k).times(s).times(Real.ONE.minus(s)));
  }

  private static Exact softmax(Exact y, Exact dy) {
    int d = y.dim(-1);
    var dot = new Real[y.size() / Math.max(1, d)];
    for (int r = 0; r < dot.length; r++) {
      int at = r * d;
      dot[r] = sum(d, i -> y.get(at + i).times(dy.get(at + i)));
    }
    return Exact.of(y.shape(), i -> y.get(i).times(dy.get(i).minus(dot[i / d])));
  }

  private static List<Exact> layerNorm(List<Exact> in) {
    Exact x = in.get(0), g = in.get(1), mean = in.get(2), inverse = in.get(3), dy = in.get(4);
    int rows = x.dim(0), d = x.dim(1);
    var n = Exact.of(x.shape(), i -> x.get(i).times(inverse.get(i / d))
        .minus(mean.get(i / d).times(inverse.get(i / d))));
    var h = Exact.of(x.shape(), i -> dy.get(i).times(g.get(i % d)));
    Real[] a = new Real[rows], c = new Real[rows];
    for (int r = 0; r < rows; r++) {
      int row = r;
      a[r] = sum(d, j -> h.get(row, j)).times(1.0 / d);
      c[r] = sum(d, j -> h.get(row, j).times(n.get(row, j))).times(1.0 / d);
    }
    return List.of(Exact.of(x.shape(), i -> {
          var dx = h.get(i).minus(a[i / d]).minus(n.get(i).times(c[i / d])).times(inverse.get(i / d));
          return in.size() > 5 ? dx.plus(in.get(5).get(i)) : dx;
        }),
        Exact.of(Shape.of(d), j -> sum(rows, r -> dy.get(r, j).times(n.get(r, j)))),
        Exact.of(Shape.of(d), j -> sum(rows, r -> dy.get(r, j))));
  }

  private static Exact normalize(double epsilon, Exact x, Exact dy) {
    int d = x.dim(1);
    Real[] norm = new Real[x.dim(0)], c = new Real[norm.length];
    for (int r = 0; r < norm.length; r++) {
      int row = r;
      norm[r] = sum(d, j -> x.get(row, j).times(x.get(row, j))).sqrt();
      c[r] = norm[r].value() > epsilon ? sum(d, j -> x.get(row, j).times(dy.get(row, j))).over(norm[r]).over(norm[r])
          : Real.ZERO;
      if (norm[r].value() <= epsilon) norm[r] = Real.of(epsilon);
    }
    return Exact.of(x.shape(), i -> dy.get(i).minus(x.get(i).times(c[i / d])).over(norm[i / d]));
  }

  private static List<Exact> batchNorm(double epsilon, List<Exact> in) {
    Exact x = in.get(0), g = in.get(1), mean = in.get(2), variance = in.get(3), dy = in.get(4);
    int rows = x.dim(0), c = x.dim(1);
    var k = Exact.of(Shape.of(c), j -> variance.get(j).plus(epsilon).sqrt().inverse());
    var n = Exact.of(x.shape(), i -> x.get(i).minus(mean.get(i % c)).times(k.get(i % c)));
    var a = Exact.of(Shape.of(c), j -> sum(rows, r -> dy.get(r, j)));
    var b = Exact.of(Shape.of(c), j -> sum(rows, r -> dy.get(r, j).times(n.get(r, j))));
    return List.of(Exact.of(x.shape(), i -> dy.get(i).minus(a.get(i % c).times(1.0 / rows))
        .minus(n.get(i).times(b.get(i % c)).times(1.0 / rows)).times(g.get(i % c).times(k.get(i % c)))), b, a);
  }

  static Real.Sum[] sums(int n) {
    var s = new Real.Sum[n];
    Arrays.setAll(s, _ -> new Real.Sum());
    return s;
  }

  static Exact totals(Shape shape, Real.Sum[] s) { return Exact.of(shape, i -> s[i].total()); }

  /// dq, dk and dv as one matrix.
  private static List<Exact> packed(List<Exact> d) {
    int[] from = {0, d.get(0).dim(1), d.get(0).dim(1) + d.get(1).dim(1)};
    int wide = from[2] + d.get(2).dim(1);
    var r = new ArrayList<>(List.of(Exact.of(Shape.of(d.getFirst().dim(0), wide), i -> {
      int c = i % wide, part = c < from[1] ? 0 : c < from[2] ? 1 : 2;
      return d.get(part).get(i / wide, c - from[part]);
    })));
    r.addAll(d.subList(3, d.size()));
    return r;
  }

  /// P from q, k and the given log-sum-exp; dV = Pᵀ·dO, dS = P∘(dO·Vᵀ − D), D = Σ do·o.
  private static List<Exact> attend(Attention op, List<Exact> in) {
    int more = op.biased() ? 4 : 3, heads = op.heads(), d = in.get(0).dim(1) / heads, e = in.get(2).dim(1) / heads;
    Exact q = in.get(0), k = in.get(1), v = in.get(2), o = in.get(more), lse = in.get(more + 1), g = in.get(more + 2);
    Real.Sum[] dq = sums(q.size()), dk = sums(k.size()), dv = sums(v.size()), db =
        sums(op.biased() ? in.get(3).size() : 0);
    for (int s = 0; s < op.queries().count(); s++)
      for (int r = op.queries().from(s); r < op.queries().to(s); r++)
        for (int h = 0; h < heads; h++) {
          int row = r, head = h;
          var dot = sum(e, i -> g.get(row, head * e + i).times(o.get(row, head * e + i)));
          for (int j = op.ranges().from()[r]; j < op.ranges().to()[r]; j++) {
            int key = j, bias = op.biased() ? (h * in.get(3).dim(1) + r - op.queries().from(s)) * in.get(3).dim(2) + j
                - op.keys().from(s) : -1;
            var z = new Real.Sum();
            for (int i = 0; i < d; i++) z.add(q.get(r, h * d + i), k.get(j, h * d + i));
            var score = z.total().times(op.scale());
            var p = (bias < 0 ? score : score.plus(in.get(3).get(bias))).minus(lse.get(r, h)).exp();
            var dp = new Real.Sum();
            for (int i = 0; i < e; i++) {
              dp.add(g.get(r, h * e + i), v.get(j, h * e + i));
              dv[j * heads * e + h * e + i].add(p, g.get(r, h * e + i));
            }
            Real ds = p.times(dp.total().minus(dot)), scaled = ds.times(op.scale());
            if (bias >= 0) db[bias].add(ds);
            for (int i = h * d; i < h * d + d; i++) {
              dq[r * heads * d + i].add(scaled, k.get(key, i));
              dk[j * heads * d + i].add(scaled, q.get(r, i));
            }
          }
        }
    var r = new ArrayList<>(List.of(totals(q.shape(), dq), totals(k.shape(), dk), totals(v.shape(), dv)));
    if (op.biased()) r.add(totals(in.get(3).shape(), db));
    return r;
  }

  /// Of the sigmoid loss' inputs x, t, scale, bias.
  static List<Exact> sigmoid(Contrastive.Sigmoid op, List<Exact> in, Real dloss) {
    var given = new ArrayList<>(in);
    given.add(new Exact(Shape.SCALAR, new Real[] {dloss}));
    return contrastive(op, given);
  }

  /// With G = dloss·∂loss/∂z: dx = scale·G·t, dt = scale·Gᵀ·x, dscale = Σ G∘(x·tᵀ), dbias = Σ G.
  private static List<Exact> contrastive(Contrastive op, List<Exact> in) {
    Exact x = in.get(0), t = in.get(1);
    int n = x.dim(0), d = x.dim(1);
    boolean softmax = op instanceof Contrastive.Softmax;
    Real scale = in.get(2).scalar(), dloss = in.getLast().scalar();
    Real.Sum[] dx = sums(x.size()), dt = sums(t.size()), rest = sums(2);
    int[] byRow = new int[n], byColumn = new int[n];
    for (int i = 0; i < n; i++) {
      byRow[i] = ReferenceFused.positives(op, in, n, i, true);
      byColumn[i] = ReferenceFused.positives(op, in, n, i, false);
    }
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) {
        var dot = new Real.Sum();
        for (int k = 0; k < d; k++) dot.add(x.get(i, k), t.get(j, k));
        Real z = dot.total().times(scale), g;
        boolean positive = ReferenceFused.positive(op, in, i, j);
        if (softmax) {
          Exact rows = in.get(in.size() - 3), columns = in.get(in.size() - 2);
          g = z.minus(rows.get(0, i)).exp().times(rows.get(1, i))
              .plus(z.minus(columns.get(0, j)).exp().times(columns.get(1, j)));
          if (positive) g = g.minus(Real.of(1.0 / byRow[i] + 1.0 / byColumn[j]));
          g = g.times(0.5);
        } else {
          g = z.plus(in.get(3).scalar()).sigmoid();
          if (positive) g = g.minus(Real.ONE);
        }
        g = g.times(dloss).times(1.0 / n);
        rest[0].add(g, dot.total());
        rest[1].add(g);
        var scaled = g.times(scale);
        for (int k = 0; k < d; k++) {
          dx[i * d + k].add(scaled, t.get(j, k));
          dt[j * d + k].add(scaled, x.get(i, k));
        }
      }
    var r = new ArrayList<>(List.of(totals(x.shape(), dx), totals(t.shape(), dt),
        totals(in.get(2).shape(), new Real.Sum[] {rest[0]})));
    if (!softmax) r.add(totals(in.get(3).shape(), new Real.Sum[] {rest[1]}));
    return r;
  }
}
