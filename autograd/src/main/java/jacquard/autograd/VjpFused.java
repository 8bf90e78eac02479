package jacquard.autograd;

import static jacquard.autograd.Pullback.in;
import static jacquard.autograd.Pullback.needing;
import static jacquard.tensor.Tensor.apply;
import static jacquard.tensor.Tensor.applyAll;
import static java.util.Arrays.asList;

import jacquard.tensor.DType;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Fused;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The gradient table of the fused ops; `op` is the recorded variant.
final class VjpFused {
  private VjpFused() {}

  static Pullback of(Fused op, int inputs) {
    return switch (op) {
      case Fused.Linear l      -> linear(l);
      case Fused.Softmax _     ->
          Pullback.needingOutput(a -> asList(apply(new Adjoint.Softmax(), a.y(), a.dy().dense())));
      case Fused.LayerNorm n   -> new Pullback(in(0, 1), in(1, 2), a -> layerNorm(n, a)).adding(0)
          .again(in(0, 1, 2), a -> apply(op, a.x(0), a.x(1), a.x(2)));
      case Fused.Normalize(var e) -> needing(in(0), a -> asList(apply(new Adjoint.Normalize(e), a.x(), a.dy().dense())))
          .again(in(0), a -> apply(op, a.x()));
      case Fused.Norm _        -> new Pullback(IntStream.range(0, inputs).toArray(), in(0),
          a -> Arrays.stream(a.in()).map(x -> x.mul(a.dy().divide(a.y()))).toList());
      case Fused.BatchNorm(var e, _) -> new Pullback(in(0, 1), in(1, 2),
          a -> applyAll(new Adjoint.BatchNorm(e), List.of(a.x(0), a.x(1), a.y(1), a.y(2), a.dy().dense())));
      case Fused.Conv2d c      -> needing(in(0, 1), a -> convolution(c, a)).ofProduct();
      case Fused.AveragePool p -> Pullback.of(a -> asList(apply(new Adjoint.AveragePool(p), a.dy().dense())));
      case Fused.Patches _     -> Pullback.of(_ -> asList((Tensor) null));
      case Attention t         -> new Pullback(t.biased() ? in(0, 1, 2, 3) : in(0, 1, 2), in(0, 1), a -> attend(t, a));
      case Contrastive.Softmax s -> new Pullback(s.grouped() ? in(0, 1, 2, 3, 4) : in(0, 1, 2), in(1, 2),
          a -> padded(a, applyAll(new Adjoint.SoftmaxContrastive(s), joined(a, a.y(1), a.y(2)))));
      case Contrastive.Sigmoid _ -> new Pullback(Pullback.NONE, in(1, 2, 3, 4),
          a -> padded(a, IntStream.range(0, 4)
          .mapToObj(i -> a.wants(i) ? a.y(1 + i).mul(a.dy().cast(a.y(1 + i).dtype())) : null).toList()));
    };
  }

  /// z = x·Wᵀ + b, y = f(z) + a: dz = dy·f′(z), dx = dz·W, dW = dzᵀ·x and db = Σ rows of dz in F32, da = dy
  private static Pullback linear(Fused.Linear op) {
    boolean active = op.activation() != Activation.NONE;
    var pullback = new Pullback(in(0, 1), active ? in(1) : Pullback.NONE, a -> {
      var dz = (active ? apply(new Adjoint.Activate(op.activation()), a.y(1), a.dy().cast(a.y(1).dtype()).dense())
          : a.dy()).cast(a.x().dtype());
      var d = new ArrayList<Tensor>();
      d.add(a.wants(0) ? dz.matmul(a.x(1)) : null);
      if (op.bias() && a.wants(1) && a.wants(2))
        d.addAll(applyAll(new Adjoint.LinearWeight(true), List.of(a.x(0), dz)));
      else {
        d.add(a.wants(1) ? Vjp.learned(a.x(0), dz) : null);
        if (op.bias()) d.add(a.wants(2) ? dz.cast(DType.F32).sum(0) : null);
      }
      if (op.added()) d.add(a.dy());
      return d;
    });
    var product = pullback.ofProduct();
    return active && !op.added() ? product.again(Pullback.NONE, a -> a.y(1).activate(op.activation())) : product;
  }

  private static List<Tensor> convolution(Fused.Conv2d op, Pullback.Application a) {
    var dy = a.dy().dense();
    var d = new ArrayList<Tensor>();
    d.add(a.wants(0) ? apply(new Adjoint.Conv2dInput(op), a.x(1), dy) : null);
    d.add(a.wants(1) ? apply(new Adjoint.Conv2dWeight(op, a.x(1).shape()), a.x(0), dy) : null);
    if (op.biased()) d.add(a.wants(2) ? dy.cast(DType.F32).sum(0) : null);
    return d;
  }

  /// Where products read y in BF16, products made x: they read dx in BF16, and the way around them in F32.
  private static List<Tensor> layerNorm(Fused.LayerNorm op, Pullback.Application a) {
    boolean adding = a.before() != null, halved = op.to() == DType.BF16 && a.x().dtype() == DType.F32;
    var given = new ArrayList<>(List.of(a.x(0), a.x(1), a.y(1), a.y(2), a.dy().dense()));
    if (adding) given.add(a.before().cast(a.x().dtype()));
    var d = applyAll(new Adjoint.LayerNorm(adding, halved), given);
    if (halved) d.getFirst().halved(d.getLast());
    return d;
  }

  /// Of self-attention dq, dk and dv side by side: where one product made q, k and v, its gradient reads them as one
  /// matrix.
  private static List<Tensor> attend(Attention op, Pullback.Application a) {
    boolean packed = a.x(0).dim(0) == a.x(1).dim(0);
    var d = applyAll(new Adjoint.Attend(op, packed), joined(a, a.y(0), a.y(1)));
    if (!packed) return d;
    var r = new ArrayList<>(d.getFirst().split(1, a.x(0).dim(1), a.x(1).dim(1), a.x(2).dim(1)));
    r.addAll(d.subList(1, d.size()));
    return r;
  }

  /// The inputs, the extra tensors, then dy.
  private static List<Tensor> joined(Pullback.Application a, Tensor... more) {
    var r = new ArrayList<>(asList(a.in()));
    r.addAll(asList(more));
    r.add(a.dy().dense());
    return r;
  }

  /// No cotangent for the groups.
  private static List<Tensor> padded(Pullback.Application a, List<Tensor> d) {
    var r = new ArrayList<>(d);
    while (r.size() < a.inputs()) r.add(null);
    return r;
  }
}
