package jacquard.kernels.cpu;

import jacquard.kernels.cpu.attention.CpuAttention;
import jacquard.kernels.cpu.convolution.CpuConv2d;
import jacquard.kernels.cpu.elementary.CpuElementwise;
import jacquard.kernels.cpu.elementary.CpuIndexing;
import jacquard.kernels.cpu.elementary.CpuMovement;
import jacquard.kernels.cpu.elementary.CpuReduction;
import jacquard.kernels.cpu.elementary.CpuUpdates;
import jacquard.kernels.cpu.matmul.CpuLinear;
import jacquard.kernels.cpu.rows.CpuBatchNorm;
import jacquard.kernels.cpu.rows.CpuContrastive;
import jacquard.kernels.cpu.rows.CpuRows;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Storage;
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
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;

/// The CPU: primitive arrays on the Java heap, kernels by the Vector API. This is the table op → kernel.
public final class CpuDevice implements Device {
  private final Pool pool = new Pool();
  private final AtomicLong asked = new AtomicLong(), most = new AtomicLong();
  private final String name;

  CpuDevice(String name) { this.name = name; }

  @Override public String name() { return name; }
  @Override public int rank() { return 0; }
  @Override public Object allocate(DType dtype, long size) {
    most.accumulateAndGet(asked.addAndGet(size * dtype.bytes()), Math::max);
    return pool.allocate(dtype, size);
  }

  @Override public void free(DType dtype, long size, Object block) {
    asked.addAndGet(-size * dtype.bytes());
    pool.free(dtype, block);
  }

  @Override public Most most() { return new Most(most.get(), pool.most()); }
  @Override public Live live() { return pool.live(); }
  @Override public void synchronize() {}

  @Override public boolean onHost() { return true; }

  @Override public void warm() { Rehearsal.begin(); }

  @Override public Health health() { return CpuHealth.measured(); }

  @Override public void close() {
    if (live().blocks() != 0) throw new IllegalStateException(live() + " still live");
  }

  @Override public void write(Object array, DType dtype, Object block, long size) {
    System.arraycopy(array, 0, block, 0, (int) size);
  }

  @Override public void fetch(Storage.Source from, DType dtype, Object block, long size) {
    from.copy(0, block, 0, (int) size);
  }

  @Override public Object read(Tensor t) {
    int n = (int) t.shape().size();
    Object r = t.dtype().array(n);
    // what still lies in a file stays there
    if (!t.storage().elsewhere(source -> source.copy(t.layout().offset(), r, 0, n)))
      System.arraycopy(t.storage().block(), t.layout().offset(), r, 0, n);
    return r;
  }

  @Override public void run(Op op, List<Tensor> in, List<Tensor> out) {
    if (!Profile.ON) { kernel(op, in, out); return; }
    long start = System.nanoTime();
    kernel(op, in, out);
    Profile.add(op, in, System.nanoTime() - start);
  }

  private void kernel(Op op, List<Tensor> in, List<Tensor> out) {
    if (op instanceof Adjoint.LayerNorm(var adding, var halved) && halved) {
      kernel(new Adjoint.LayerNorm(adding, false), in, out.subList(0, 3));
      CpuElementwise.run(new Elementwise.Cast(DType.BF16), out.subList(0, 1), out.get(3));
      return;
    }
    if (!(op instanceof Elementwise.Cast) && !(op instanceof Movement) && !(op instanceof Collective.AllGather)
        && (halves(in) || halves(out))) { widened(op, in, out); return; }
    switch (op) {
      case Elementwise e -> CpuElementwise.run(e, in, out.getFirst());
      case Reduction r   -> CpuReduction.run(r, in.getFirst(), out.getFirst());
      case Contraction c -> contraction(c, in, out);
      case Movement m    -> CpuMovement.run(m, in, out);
      case Indexing i    -> CpuIndexing.run(i, in, out.getFirst());
      case Fused f       -> fused(f, in, out);
      case Collective c  -> CpuCollectives.run(c, in, out);
      case Adjoint a     -> adjoint(a, in, out);
      case Update u      -> CpuUpdates.run(u, in);
      case Op.Custom c   -> throw new IllegalStateException("a custom op runs as its definition: " + c);
    }
  }

  private static boolean halves(List<Tensor> tensors) {
    for (var t : tensors) if (t.dtype() == DType.BF16 || t.dtype() == DType.F16) return true;
    return false;
  }

  /// 16-bit storage, 32-bit arithmetic.
  private void widened(Op op, List<Tensor> in, List<Tensor> out) {
    try (var _ = Scope.open(this)) {
      var wideIn = new ArrayList<Tensor>();
      for (var t : in) wideIn.add(t.dtype().floating() ? t.dtype() == DType.F32 ? t : wide(t) : t);
      var wideOut = new ArrayList<Tensor>();
      for (var t : out)
        wideOut.add(t.dtype().floating() && t.dtype() != DType.F32 ? Tensor.empty(new Type(DType.F32, t.shape())) : t);
      kernel(op, wideIn, wideOut);
      for (int i = 0; i < out.size(); i++)
        if (wideOut.get(i) != out.get(i))
          CpuElementwise.run(new Elementwise.Cast(out.get(i).dtype()), List.of(wideOut.get(i)), out.get(i));
    }
  }

  private static Tensor wide(Tensor t) {
    var w = Tensor.empty(new Type(DType.F32, t.shape()));
    CpuElementwise.run(new Elementwise.Cast(DType.F32), List.of(t), w);
    return w;
  }

  private static void contraction(Contraction op, List<Tensor> in, List<Tensor> out) {
    switch (op) {
      case Contraction.MatMul(var ta, var tb) -> CpuLinear.matMul(ta, tb, in.get(0), in.get(1), out.getFirst());
    }
  }

  private static void fused(Fused op, List<Tensor> in, List<Tensor> out) {
    switch (op) {
      case Fused.Linear l       -> CpuLinear.run(l, in, out);
      case Fused.Softmax _      -> CpuRows.softmax(Dense.of(in.getFirst()), Dense.of(out.getFirst()));
      case Fused.LayerNorm n    -> CpuRows.layerNorm(n.epsilon(), Dense.of(in), Dense.of(out));
      case Fused.Normalize n    -> CpuRows.normalize(n.epsilon(), Dense.of(in.getFirst()), Dense.of(out.getFirst()));
      case Fused.Norm _         -> CpuReduction.norm(Dense.of(in), Dense.of(out.getFirst()));
      case Fused.BatchNorm n    ->
          CpuBatchNorm.forward(n.epsilon(), UnaryOperator.identity(), Dense.of(in), Dense.of(out));
      case Fused.Conv2d c       -> CpuConv2d.forward(c, in, out.getFirst());
      case Fused.AveragePool p  -> CpuConv2d.averagePool(p, Dense.of(in.getFirst()), Dense.of(out.getFirst()));
      case Fused.Patches p      -> CpuImage.patches(p, in.getFirst(), Dense.of(out.getFirst()));
      case Attention a          -> CpuAttention.forward(a, in, out);
      case Contrastive.Softmax s ->
          CpuContrastive.softmax(s, Dense.of(in.subList(0, 3)), groups(s, in, 3), Dense.of(out));
      case Contrastive.Sigmoid s ->
          CpuContrastive.sigmoid(s, Dense.of(in.subList(0, 4)), groups(s, in, 4), Dense.of(out));
    }
  }

  private static void adjoint(Adjoint op, List<Tensor> in, List<Tensor> out) {
    switch (op) {
      case Adjoint.Activate(var f)   -> CpuElementwise.activationGradient(f, Dense.of(in.get(0)), Dense.of(in.get(1)),
          Dense.of(out.getFirst()));
      case Adjoint.Softmax _         ->
          CpuRows.softmaxGradient(Dense.of(in.get(0)), Dense.of(in.get(1)), Dense.of(out.getFirst()));
      case Adjoint.LinearWeight(var bias) -> {
        CpuLinear.matMul(true, false, in.get(1), in.get(0), out.get(0));
        if (bias) CpuReduction.run(new Reduction.Sum(new int[] {0}, false), in.get(1), out.get(1));
      }
      case Adjoint.LayerNorm _       -> CpuRows.layerNormGradient(Dense.of(in), Dense.of(out));
      case Adjoint.Normalize(var e)  ->
          CpuRows.normalizeGradient(e, Dense.of(in.get(0)), Dense.of(in.get(1)), Dense.of(out.getFirst()));
      case Adjoint.BatchNorm(var e)  -> CpuBatchNorm.backward(e, UnaryOperator.identity(), Dense.of(in), Dense.of(out));
      case Adjoint.CollectiveBatchNorm(var n) -> CpuCollectives.batchNormGradient(n, in, out);
      case Adjoint.Conv2dInput c     -> CpuConv2d.inputGradient(c, in, out.getFirst());
      case Adjoint.Conv2dWeight c    -> CpuConv2d.weightGradient(c, in, out.getFirst());
      case Adjoint.AveragePool(var p) ->
          CpuConv2d.averagePoolGradient(p, Dense.of(in.getFirst()), Dense.of(out.getFirst()));
      case Adjoint.Attend(var a, var packed) -> CpuAttention.backward(a, packed, in, out);
      case Adjoint.SoftmaxContrastive(var s) -> {
        int more = s.grouped() ? 5 : 3;
        CpuContrastive.softmaxGradient(s, Dense.of(in.subList(0, 3)), groups(s, in, 3),
            Dense.of(in.subList(more, more + 3)), Dense.of(out));
      }
    }
  }

  private static int[][] groups(Contrastive op, List<Tensor> in, int at) {
    return op.grouped() ? new int[][] {in.get(at).ints(), in.get(at + 1).ints()} : null;
  }
}
