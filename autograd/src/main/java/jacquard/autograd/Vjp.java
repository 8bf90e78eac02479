package jacquard.autograd;

import static jacquard.autograd.Pullback.in;
import static jacquard.autograd.Pullback.needing;
import static jacquard.autograd.Pullback.needingOutput;
import static jacquard.tensor.Tensor.apply;
import static java.util.Arrays.asList;

import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
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
import java.util.Arrays;

/// The gradient table: for each op how `dy` flows back to its inputs. Broadcasting is undone once, in [Tape], never in
/// a row.
final class Vjp {
  private Vjp() {}

  static Pullback of(Op op, int inputs) {
    return switch (op) {
      case Elementwise e -> elementwise(e);
      case Reduction r   -> reduction(r);
      case Contraction c -> contraction(c);
      case Movement m    -> movement(m);
      case Indexing i    -> indexing(i);
      case jacquard.tensor.op.Fused f -> VjpFused.of(f, inputs);
      case Collective c -> collective(c);
      case Adjoint a     -> throw new UnsupportedOperationException("the gradient of a gradient kernel: " + a);
      case Update u      -> throw new IllegalStateException("an update is queued, not recorded: " + u);
      case Op.Custom c   -> Tape.throughDefinition(inputs, c::define);
    };
  }

  private static Pullback elementwise(Elementwise op) {
    return switch (op) {
      case Elementwise.Add _      -> Pullback.of(a -> asList(a.dy(), a.dy()));
      case Elementwise.Subtract _ -> Pullback.of(a -> asList(a.dy(), a.wants(1) ? a.dy().negate() : null));
      case Elementwise.Multiply _ -> needing(in(0, 1), a ->
          asList(a.wants(0) ? a.dy().mul(a.x(1)) : null, a.wants(1) ? a.dy().mul(a.x(0)) : null));
      case Elementwise.Divide _   -> needing(in(0, 1), a -> {
        var q = a.dy().divide(a.x(1));
        return asList(q, a.wants(1) ? q.mul(a.x(0)).divide(a.x(1)).negate() : null);
      });
      case Elementwise.Affine(var scale, _) -> Pullback.of(a -> asList(a.dy().mul(scale)));
      case Elementwise.Exp _      -> needingOutput(a -> asList(a.dy().mul(a.y())));
      case Elementwise.Log _      -> needing(in(0), a -> asList(a.dy().divide(a.x())));
      case Elementwise.Sqrt _     -> needingOutput(a -> asList(a.dy().divide(a.y()).mul(0.5f)));
      case Elementwise.Sigmoid _  -> needingOutput(a -> asList(a.dy().mul(a.y()).mul(a.y().affine(-1, 1))));
      case Elementwise.Tanh _     -> needingOutput(a -> asList(a.dy().mul(a.y().mul(a.y()).affine(-1, 1))));
      case Elementwise.Softplus _ -> needing(in(0), a -> asList(a.dy().mul(a.x().sigmoid())));
      case Elementwise.Equal _    -> Pullback.STOP;
      case Elementwise.Clamp(var low, var high) ->
          needing(in(0), a -> asList(a.dy().mul(a.x().equal(a.x().clamp(low, high)))));
      case Elementwise.Activate(var f) ->
          needing(in(0), a -> asList(apply(new Adjoint.Activate(f), a.x(), a.dy().cast(a.x().dtype()).dense())))
              .again(in(0), a -> apply(op, a.x()));
      case Elementwise.Cast _     ->
          Pullback.of(a -> asList(a.x().dtype().floating() ? a.dy().cast(a.x().dtype()) : null))
          .again(in(0), a -> apply(op, a.x()));
    };
  }

  private static Pullback reduction(Reduction op) {
    return switch (op) {
      case Reduction.Sum s -> Pullback.of(a -> asList(kept(s, a.x().shape(), a.dy()).expand(a.x().shape())));
      case Reduction.Max m -> new Pullback(in(0), in(0), a -> {                      // shared equally among ties
        var hit = a.x().equal(kept(m, a.x().shape(), a.y()));
        var count = apply(new Reduction.Sum(m.axes(), true), hit);
        return asList(hit.mul(kept(m, a.x().shape(), a.dy())).divide(count));
      });
    };
  }

  /// The result of a reduction with its folded axes back as extents of 1.
  private static Tensor kept(Reduction op, Shape of, Tensor y) {
    int[] d = of.dims();
    boolean[] f = op.folded(d.length);
    for (int i = 0; i < d.length; i++) if (f[i]) d[i] = 1;
    return y.reshape(d);
  }

  private static Pullback contraction(Contraction op) {
    return switch (op) {
      case Contraction.MatMul(var ta, var tb) -> needing(in(0, 1), a -> asList(
          !a.wants(0) ? null : ta ? added(a.before(), a.x(1).matmul(tb, a.dy(), true)) : left(tb, a),
          !a.wants(1) ? null : tb ? learned(plain(a.x(0), ta), a.dy()) : learned(a.dy(), plain(a.x(0), ta))))
          .ofProduct().adding(0);
    };
  }

  /// dA = dC·Bᵀ plus what has come before: in F32 the product adds it as it writes.
  private static Tensor left(boolean tb, Pullback.Application a) {
    Tensor before = a.before(), b = plain(a.x(1), tb);
    if (before == null || before.dtype() != DType.F32 || a.dy().dtype() != DType.F32 || b.dtype() != DType.F32)
      return added(before, a.dy().matmul(false, a.x(1), !tb));
    return a.dy().linear(b, null, Activation.NONE, before);
  }

  private static Tensor added(Tensor before, Tensor d) {
    return before == null ? d : before.add(d.cast(before.dtype()));
  }

  private static Tensor plain(Tensor x, boolean transposed) { return transposed ? x.permute(1, 0) : x; }

  /// dW = dzᵀ·x in F32: the gradient of what a product learns.
  static Tensor learned(Tensor x, Tensor dz) { return apply(new Adjoint.LinearWeight(false), x, dz); }

  private static Pullback movement(Movement op) {
    return switch (op) {
      case Movement.Reshape _ -> Pullback.of(a -> asList(a.dy().reshape(a.x().shape())));
      case Movement.Permute(var axes) -> Pullback.of(a -> asList(a.dy().permute(inverse(axes))));
      case Movement.Slice(var axis, var from, var to) ->
          Pullback.of(a -> asList(apply(new Movement.Pad(axis, from, a.x().dim(axis) - to), a.dy())));
      case Movement.Expand _ -> Pullback.of(a -> asList(a.dy()));                    // the driver sums
      case Movement.Split(var axis, var sizes) -> Pullback.of(a -> {
        var parts = new ArrayList<Tensor>();
        for (int i = 0; i < sizes.length; i++)
          parts.add(a.cotangents()[i] != null ? a.cotangents()[i] : Tensor.zeros(a.x().shape().with(axis, sizes[i])));
        return asList(Tensor.concat(axis, parts));
      });
      case Movement.Concat(var axis) -> Pullback.of(a -> {
        int[] sizes = Arrays.stream(a.in()).mapToInt(t -> t.dim(axis)).toArray();
        return a.dy().split(axis < 0 ? axis + a.dy().shape().rank() : axis, sizes);
      });
      case Movement.Copy _ -> Pullback.of(a -> asList(a.dy()));
      case Movement.Pad(var axis, var before, _) ->
          Pullback.of(a -> asList(a.dy().slice(axis, before, before + a.x().dim(axis))));
      case Movement.Fill _ -> Pullback.STOP;
    };
  }

  private static int[] inverse(int[] axes) {
    int[] r = new int[axes.length];
    for (int i = 0; i < r.length; i++) r[axes[i]] = i;
    return r;
  }

  /// Gathering and scattering sums are each other's gradient: what all ranks read of a row, they all hand back. They
  /// add it up in F32, whatever they read it in.
  private static Pullback collective(Collective op) {
    return switch (op) {
      case Collective.AllGather(var g, var rows)     ->
          needing(in(0), a -> asList(apply(new Collective.ReduceScatter(g, rows), a.dy().cast(DType.F32).dense())))
              .again(in(0), a -> apply(op, a.x()));
      case Collective.ReduceScatter(var g, var rows) ->
          Pullback.of(a -> asList(apply(new Collective.AllGather(g, rows), a.dy().dense())));
      case Collective.AllReduce r -> Pullback.of(a -> {
        var d = new ArrayList<Tensor>();
        for (int i = 0; i < a.inputs(); i++)
          d.add(a.cotangents()[i] == null ? Tensor.zeros(a.x(i).shape()) : a.cotangents()[i].dense());
        return Tensor.applyAll(r, d);
      });
      case Collective.BatchNorm n -> new Pullback(in(0, 1), in(1, 2, 3),
          a -> Tensor.applyAll(new Adjoint.CollectiveBatchNorm(n),
          asList(a.x(0), a.x(1), a.y(1), a.y(2), a.y(3), a.dy().dense())));
    };
  }

  private static Pullback indexing(Indexing op) {
    return switch (op) {
      case Indexing.Gather _ -> needing(in(1), a -> asList(a.dy().scatterAdd(a.x(0).dim(0), a.x(1)), null));
      case Indexing.ScatterAdd _ -> needing(in(1), a -> asList(a.dy().gather(a.x(1)), null));
    };
  }
}
