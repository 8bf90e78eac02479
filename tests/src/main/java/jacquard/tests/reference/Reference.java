package jacquard.tests.reference;

import static jacquard.tests.reference.Exact.number;
import static jacquard.tests.reference.Exact.place;

import jacquard.tensor.DType;
import jacquard.tensor.Layout;
import jacquard.tensor.Shape;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Indexing;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Reduction;
import jacquard.tensor.op.Update;
import java.util.ArrayList;
import java.util.List;

/// What every op means, in plain loops and in double: small, slow, and independent of kernels and definitions. Updates
/// give the new values of what they write.
public final class Reference {
  private Reference() {}

  public static List<Exact> apply(Op op, List<Exact> in) {
    return switch (op) {
      case Elementwise e -> List.of(elementwise(e, in));
      case Reduction r   -> List.of(reduction(r, in.getFirst()));
      case Contraction.MatMul(var ta, var tb) -> List.of(product(in.get(0), ta, in.get(1), tb));
      case Movement m    -> movement(m, in);
      case Indexing i    -> List.of(indexing(i, in.get(0), in.get(1)));
      case Fused f       -> ReferenceFused.apply(f, in);
      case Collective c  -> collective(c, in);
      case Adjoint a     -> ReferenceAdjoint.apply(a, in);
      case Update u      -> ReferenceUpdate.apply(u, in);
      case Op.Custom c   -> throw new IllegalArgumentException("a custom op is its definition: " + c);
    };
  }

  /// Of a group of one rank.
  private static List<Exact> collective(Collective op, List<Exact> in) {
    return switch (op) {
      case Collective.AllGather _, Collective.ReduceScatter _ -> in;
      case Collective.AllReduce(_, var factor, _) ->
          in.stream().map(x -> Exact.of(x.shape(), i -> x.get(i).times(factor))).toList();
      case Collective.BatchNorm(_, var epsilon, var recorded) -> {
        var r = new ArrayList<>(ReferenceFused.apply(new Fused.BatchNorm(epsilon, recorded), in));
        if (recorded) r.add(Exact.of(Shape.SCALAR, _ -> Real.of(in.getFirst().dim(0))));
        yield r;
      }
    };
  }

  private static Exact elementwise(Elementwise op, List<Exact> in) {
    if (op instanceof Elementwise.Binary b) {
      var to = b.infer(List.of(new Type(DType.F32, in.get(0).shape()), new Type(DType.F32, in.get(1).shape())))
          .getFirst().shape();
      return Exact.of(to, i -> {
        int[] p = place(to, i);
        Real x = in.get(0).get(number(in.get(0).shape(), p)), y = in.get(1).get(number(in.get(1).shape(), p));
        return switch (b) {
          case Elementwise.Add _ -> x.plus(y);
          case Elementwise.Subtract _ -> x.minus(y);
          case Elementwise.Multiply _ -> x.times(y);
          case Elementwise.Divide _ -> x.over(y);
          case Elementwise.Equal _ -> x.value() == y.value() ? Real.ONE : Real.ZERO;
        };
      });
    }
    var x = in.getFirst();
    return Exact.of(x.shape(), i -> switch (op) {
      case Elementwise.Affine(var scale, var shift) -> x.get(i).times(scale).plus(shift);
      case Elementwise.Exp _ -> x.get(i).exp();
      case Elementwise.Log _ -> x.get(i).log();
      case Elementwise.Sqrt _ -> x.get(i).sqrt();
      case Elementwise.Sigmoid _ -> x.get(i).sigmoid();
      case Elementwise.Tanh _ -> x.get(i).tanh();
      case Elementwise.Softplus _ -> x.get(i).softplus();
      case Elementwise.Clamp(var low, var high) ->
          new Real(Math.clamp(x.get(i).value(), (double) low, (double) high), x.get(i).variance());
      case Elementwise.Activate(var f) -> activate(f, x.get(i));
      case Elementwise.Cast(var to) -> new Real(cast(x.get(i).value(), to), x.get(i).variance());
      case Elementwise.Binary _ -> throw new IllegalStateException();
    });
  }

  static Real activate(Activation f, Real x) {
    return switch (f) {
      case NONE -> x;
      case RELU -> x.value() < 0 ? Real.ZERO : x;
      case GELU -> x.times(0.5).times(x.times(Math.sqrt(0.5)).erf().plus(Real.ONE));
      case GELU_TANH -> x.times(0.5)
          .times(x.times(x).times(0.044715).plus(1).times(x).times(Math.sqrt(2 / Math.PI)).tanh().plus(Real.ONE));
      case QUICK_GELU -> x.times(x.times(1.702).sigmoid());
      case SILU -> x.times(x.sigmoid());
    };
  }

  /// To the nearest, ties to even, among floats; towards zero among integers.
  public static double cast(double v, DType to) {
    return switch (to) {
      case F32 -> (float) v;
      case BF16 -> DType.fromBf16(DType.toBf16((float) v));
      case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) v));
      case I32 -> (int) v;
      case I64 -> (long) v;
      case U8 -> (int) v & 255;
      case BOOL -> v != 0 ? 1 : 0;
    };
  }

  private static Exact reduction(Reduction op, Exact x) {
    boolean[] folded = op.folded(x.shape().rank());
    Shape to = op.infer(List.of(new Type(DType.F32, x.shape()))).getFirst().shape(), kept = x.shape();
    for (int a = 0; a < folded.length; a++) if (folded[a]) kept = kept.with(a, 1);
    var sums = new Real.Sum[(int) to.size()];
    var largest = new Real[sums.length];
    for (int i = 0; i < sums.length; i++) { sums[i] = new Real.Sum(); largest[i] = Real.of(Double.NEGATIVE_INFINITY); }
    for (int i = 0; i < x.size(); i++) {
      int at = number(kept, place(x.shape(), i));
      sums[at].add(x.get(i));
      largest[at] = x.get(i).max(largest[at]);
    }
    return Exact.of(to, i -> op instanceof Reduction.Sum ? sums[i].total() : largest[i]);
  }

  static Exact product(Exact a, boolean ta, Exact b, boolean tb) {
    int m = a.dim(ta ? 1 : 0), k = a.dim(ta ? 0 : 1), n = b.dim(tb ? 0 : 1);
    return Exact.of(Shape.of(m, n), i -> {
      var s = new Real.Sum();
      for (int q = 0; q < k; q++) s.add(ta ? a.get(q, i / n) : a.get(i / n, q), tb ? b.get(i % n, q) : b.get(q, i % n));
      return s.total();
    });
  }

  private static List<Exact> movement(Movement op, List<Exact> in) {
    return switch (op) {
      case Movement.View v -> {
        var r = new ArrayList<Exact>();
        for (var l : v.view(Layout.dense(in.getFirst().shape()))) r.add(viewed(in.getFirst(), l));
        yield r;
      }
      case Movement.Copy _ -> List.of(in.getFirst());
      case Movement.Concat(var axis) -> {
        int a = axis < 0 ? axis + in.getFirst().shape().rank() : axis, extent =
            in.stream().mapToInt(t -> t.dim(a)).sum();
        var to = in.getFirst().shape().with(a, extent);
        yield List.of(Exact.of(to, i -> {
          int[] p = place(to, i);
          int t = 0;
          while (p[a] >= in.get(t).dim(a)) p[a] -= in.get(t++).dim(a);
          return in.get(t).get(at(in.get(t).shape(), p));
        }));
      }
      case Movement.Pad(var axis, var before, var after) -> {
        var x = in.getFirst();
        var to = x.shape().with(axis, before + x.dim(axis) + after);
        yield List.of(Exact.of(to, i -> {
          int[] p = place(to, i);
          p[axis] -= before;
          return p[axis] < 0 || p[axis] >= x.dim(axis) ? Real.ZERO : x.get(at(x.shape(), p));
        }));
      }
      case Movement.Fill(var shape, var value) -> List.of(Exact.of(shape, _ -> Real.of(value)));
    };
  }

  private static int at(Shape s, int[] place) {
    int n = 0;
    for (int a = 0; a < place.length; a++) n = n * s.dim(a) + place[a];
    return n;
  }

  private static Exact viewed(Exact x, Layout l) {
    return Exact.of(l.shape(), i -> {
      int[] p = place(l.shape(), i);
      int at = l.offset();
      for (int a = 0; a < p.length; a++) at += p[a] * l.strides()[a];
      return x.get(at);
    });
  }

  private static Exact indexing(Indexing op, Exact x, Exact index) {
    int d = x.dim(1), n = index.size();
    return switch (op) {
      case Indexing.Gather _ ->
          Exact.of(Shape.of(n, d), i -> index.integer(i / d) < 0 ? Real.ZERO : x.get(index.integer(i / d), i % d));
      case Indexing.ScatterAdd(var rows) -> {
        var sums = new Real.Sum[rows * d];
        for (int i = 0; i < sums.length; i++) sums[i] = new Real.Sum();
        for (int r = 0; r < n; r++)
          if (index.integer(r) >= 0) for (int c = 0; c < d; c++) sums[index.integer(r) * d + c].add(x.get(r, c));
        yield Exact.of(Shape.of(rows, d), i -> sums[i].total());
      }
    };
  }
}
