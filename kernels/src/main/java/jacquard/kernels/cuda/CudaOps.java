package jacquard.kernels.cuda;

import static jacquard.tensor.DType.BF16;
import static jacquard.tensor.DType.F32;

import jacquard.kernels.cuda.launch.CudaAttention;
import jacquard.kernels.cuda.launch.CudaBatchNorm;
import jacquard.kernels.cuda.launch.CudaContrastive;
import jacquard.kernels.cuda.launch.CudaElementwise;
import jacquard.kernels.cuda.launch.CudaImage;
import jacquard.kernels.cuda.launch.CudaIndexing;
import jacquard.kernels.cuda.launch.CudaMatMul;
import jacquard.kernels.cuda.launch.CudaMovement;
import jacquard.kernels.cuda.launch.CudaReduction;
import jacquard.kernels.cuda.launch.CudaRows;
import jacquard.kernels.cuda.launch.CudaUpdates;
import jacquard.kernels.cuda.launch.convolution.CudaConv2d;
import jacquard.tensor.DType;
import jacquard.tensor.Interpreter;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Indexing;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Reduction;
import jacquard.tensor.op.Update;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/// The table op → kernel of a GPU. What has no kernel runs as its definition; 16-bit tensors that a kernel does not
/// take are widened to F32 and back.
public final class CudaOps {
  private final CudaDevice device;

  CudaOps(CudaDevice device) { this.device = device; }

  void run(Op op, List<Tensor> in, List<Tensor> out) {
    if (!takes(op, in, out)) { widened(op, in, out); return; }
    switch (op) {
      case Elementwise e -> CudaElementwise.run(device, e, in, out.getFirst());
      case Reduction r   -> CudaReduction.run(device, r, in.getFirst(), out.getFirst());
      case Contraction c -> contraction(c, in, out);
      case Movement m    -> CudaMovement.run(device, m, in, out.getFirst());
      case Collective c  -> device.collectives().run(c, in, out);
      case Indexing i    -> CudaIndexing.run(device, i, in.get(0), in.get(1), out.getFirst());
      case Fused f       -> fused(f, in, out);
      case Adjoint a     -> adjoint(a, in, out);
      case Update u      -> CudaUpdates.run(device, u, in);
      case Op.Custom c   -> throw new IllegalStateException("a custom op runs as its definition: " + c);
    }
  }

  /// Whether the kernels take these types as they are: F32 all, BF16 those that mixed precision runs in it, F16 none
  /// but casts and copies. A record in each line, so that whoever adds a kernel says what it takes.
  private static boolean takes(Op op, List<Tensor> in, List<Tensor> out) {
    boolean f16 = any(in, DType.F16) || any(out, DType.F16);
    boolean half = f16 || any(in, BF16) || any(out, BF16);
    boolean all = all(in, BF16) && all(out, BF16);
    return switch (op) {
      // elements as they are, or of any two types
      case Elementwise.Cast _, Movement _, Indexing.Gather _, Collective.AllGather _ -> true;
      case Elementwise.Binary _, Elementwise.Unary _, Reduction _, Contraction.MatMul _ -> all || !half;
      case Indexing.ScatterAdd _ -> !f16;
      // between processes F32 alone
      case Collective.AllReduce r -> r.group().together() ? !f16 : !half;
      case Collective.ReduceScatter r -> !half || all && r.group().together();
      case Collective.BatchNorm _ -> !half;
      // bias and result may be F32
      case Fused.Linear _ -> !half || !f16 && all(in.subList(0, 2), BF16);
      case Fused.LayerNorm _ -> !half || !f16 && wide(in);
      // the bias may be F32
      case Fused.Conv2d _ -> !half || !f16 && all(in.subList(0, 2), BF16) && all(out, BF16);
      case Fused.AveragePool _ -> all || !half;
      case Fused.Softmax _, Fused.Normalize _, Fused.Norm _, Fused.BatchNorm _, Fused.Patches _ -> !half;
      case Attention a -> !half || !f16 && CudaAttention.takes(a, in);
      case Contrastive.Softmax c -> !half || !f16 && CudaContrastive.takes(c, in);
      case Contrastive.Sigmoid c -> !half || !f16 && CudaContrastive.takes(c, in);
      // a sum over the batch: the result is F32
      case Adjoint.LinearWeight _, Adjoint.Conv2dWeight _ -> !half || all(in, BF16);
      // dy may be BF16
      case Adjoint.LayerNorm _ -> !half || !f16 && wide(in.subList(0, 4)) && wide(in.subList(5, in.size()));
      case Adjoint.Activate _, Adjoint.Conv2dInput _, Adjoint.AveragePool _ -> all || !half;
      case Adjoint.Softmax _, Adjoint.Normalize _, Adjoint.BatchNorm _, Adjoint.CollectiveBatchNorm _ -> !half;
      case Adjoint.Attend(var a, _) -> !half || !f16 && CudaAttention.takes(a, in);
      case Adjoint.SoftmaxContrastive(var c) -> !half || !f16 && CudaContrastive.takes(c, in);
      // F32 always
      case Update _ -> true;
      // as its definition
      case Op.Custom _ -> true;
    };
  }

  private static boolean any(List<Tensor> tensors, DType type) {
    return tensors.stream().anyMatch(t -> t.dtype() == type);
  }
  private static boolean all(List<Tensor> tensors, DType type) {
    return tensors.stream().allMatch(t -> t.dtype() == type);
  }

  /// 16-bit storage, 32-bit arithmetic.
  private void widened(Op op, List<Tensor> in, List<Tensor> out) {
    if (op instanceof Adjoint.LayerNorm(var adding, var halved) && halved) {
      run(new Adjoint.LayerNorm(adding, false), in, out.subList(0, 3));
      CudaElementwise.cast(device, out.getFirst(), out.get(3));
      return;
    }
    try (var _ = Scope.open(device)) {
      var wideIn = new ArrayList<Tensor>();
      for (var t : in) wideIn.add(halved(t.dtype()) ? wide(t) : t);
      var wideOut = new ArrayList<Tensor>();
      for (var t : out) wideOut.add(halved(t.dtype()) ? Tensor.empty(new Type(F32, t.shape())) : t);
      run(op, wideIn, wideOut);
      for (int i = 0; i < out.size(); i++)
        if (wideOut.get(i) != out.get(i)) CudaElementwise.cast(device, wideOut.get(i), out.get(i));
    }
  }

  private static boolean wide(List<Tensor> tensors) { return all(tensors, F32); }
  private static boolean halved(DType t) { return t == BF16 || t == DType.F16; }

  private Tensor wide(Tensor t) {
    var to = Tensor.empty(new Type(F32, t.shape()));
    CudaElementwise.cast(device, t, to);
    return to;
  }

  /// An op without a kernel: its definition, on this device.
  public static void defined(CudaDevice device, UnaryOperator<List<Tensor>> definition, List<Tensor> in,
      List<Tensor> out) {
    ScopedValue.where(Interpreter.CURRENT, Interpreter.PLAIN).run(() -> {
      try (var _ = Scope.open(device)) {
        var results = definition.apply(in);
        for (int i = 0; i < out.size(); i++) CudaMovement.copy(device, results.get(i), CudaDevice.address(out.get(i)));
      }
    });
  }

  private void contraction(Contraction op, List<Tensor> in, List<Tensor> out) {
    switch (op) {
      case Contraction.MatMul(var ta, var tb) ->
          CudaMatMul.matMul(device, ta, tb, in.get(0), in.get(1), out.getFirst());
    }
  }

  private void fused(Fused op, List<Tensor> in, List<Tensor> out) {
    switch (op) {
      case Fused.Linear l       -> CudaMatMul.linear(device, l, in, out);
      case Fused.Softmax _      -> CudaRows.softmax(device, in.getFirst(), out.getFirst());
      case Fused.LayerNorm n    -> CudaRows.layerNorm(device, n.epsilon(), in, out);
      case Fused.Normalize n    -> CudaRows.normalize(device, n.epsilon(), in.getFirst(), out.getFirst());
      case Fused.Norm _         -> CudaUpdates.norm(device, in, out.getFirst());
      case Fused.BatchNorm n    -> CudaBatchNorm.forward(device, n.epsilon(), in, out);
      case Fused.Conv2d c       -> CudaConv2d.forward(device, c, in, out);
      case Fused.AveragePool p  -> CudaConv2d.averagePool(device, p, in.getFirst(), out.getFirst());
      case Fused.Patches p      -> {
        if (p.mean().size() <= CudaImage.MOST_CHANNELS) CudaImage.patches(device, p, in.getFirst(), out.getFirst());
        else defined(device, p::define, in, out);
      }
      case Attention a          -> {
        if (CudaAttention.fits(a, in)) CudaAttention.forward(device, a, in, out);
        else defined(device, a::define, in, out);
      }
      case Contrastive.Softmax s -> CudaContrastive.softmax(device, s, in, out);
      case Contrastive.Sigmoid s -> CudaContrastive.sigmoid(device, s, in, out);
    }
  }

  private void adjoint(Adjoint op, List<Tensor> in, List<Tensor> out) {
    switch (op) {
      case Adjoint.Activate(var f)   ->
          CudaElementwise.activationGradient(device, f, in.get(0), in.get(1), out.getFirst());
      case Adjoint.LinearWeight(var bias) -> CudaMatMul.weightGradient(device, bias, in.get(0), in.get(1), out);
      case Adjoint.Softmax _         -> CudaRows.softmaxGradient(device, in.get(0), in.get(1), out.getFirst());
      case Adjoint.LayerNorm _       -> CudaRows.layerNormGradient(device, in, out);
      case Adjoint.Normalize(var e)  -> CudaRows.normalizeGradient(device, e, in.get(0), in.get(1), out.getFirst());
      case Adjoint.BatchNorm(var e)  -> CudaBatchNorm.backward(device, e, in, out);
      case Adjoint.CollectiveBatchNorm(var n) -> {
        if (n.group().together())
          CudaBatchNorm.backward(device, device.collectives(), n,
              "the gradient of " + n.agreed(in.stream().map(Tensor::type).toList()), in, out);
        else defined(device, op::define, in, out);
      }
      case Adjoint.Conv2dInput c     -> CudaConv2d.inputGradient(device, c, in, out);
      case Adjoint.Conv2dWeight c    -> CudaConv2d.weightGradient(device, c, in, out);
      case Adjoint.AveragePool(var p) -> CudaConv2d.averagePoolGradient(device, p, in.getFirst(), out.getFirst());
      case Adjoint.Attend a          -> {
        if (CudaAttention.fits(a.attention(), in)) CudaAttention.backward(device, a.attention(), a.packed(), in, out);
        else defined(device, a::define, in, out);
      }
      case Adjoint.SoftmaxContrastive(var s) -> CudaContrastive.softmaxGradient(device, s, in, out);
    }
  }
}
