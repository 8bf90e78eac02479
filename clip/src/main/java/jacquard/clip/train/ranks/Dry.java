package jacquard.clip.train.ranks;

import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Ranges;
import jacquard.tensor.op.Update;
import java.util.List;

/// A device that keeps nothing and computes nothing, and counts what it is asked for. What is read of it is 0.
final class Dry implements Device {
  private static final Object NOTHING = new Object();

  private long blocks, bytes, peak, launches;
  private double operations;

  long bytes() { return bytes; }
  /// The most bytes that lived at a time since [#again].
  long peak() { return peak; }
  /// Ops that ran since then, views aside; each update of an optimizer's step is one.
  long launches() { return launches; }
  /// Additions and multiplications of products, convolutions, attention and contrastive losses since then.
  double operations() { return operations; }

  /// Begins to count anew.
  void again() {
    peak = bytes;
    launches = 0;
    operations = 0;
  }

  @Override public String name() { return "dry"; }
  @Override public int rank() { return -1; }
  @Override public void synchronize() {}
  @Override public void close() {}
  @Override public Live live() { return new Live(blocks, bytes); }
  @Override public void write(Object array, DType dtype, Object block, long size) {}
  @Override public Object read(Tensor t) { return t.dtype().array((int) t.shape().size()); }

  @Override public Object allocate(DType dtype, long size) {
    blocks++;
    bytes += size * dtype.bytes();
    peak = Math.max(peak, bytes);
    return NOTHING;
  }

  @Override public void free(DType dtype, long size, Object block) {
    blocks--;
    bytes -= size * dtype.bytes();
  }

  @Override public void run(Op op, List<Tensor> in, List<Tensor> out) {
    launches += op instanceof Update.Together t ? t.updates().size() : op instanceof Movement.View ? 0 : 1;
    operations += 2 * multiplications(op, in, out);
  }

  private static double multiplications(Op op, List<Tensor> in, List<Tensor> out) {
    double x = in.isEmpty() ? 0 : size(in.getFirst());
    return switch (op) {
      case Contraction.MatMul(var transposed, _) -> size(out.getFirst()) * in.getFirst().dim(transposed ? 0 : 1);
      case Fused.Linear _ -> x * in.get(1).dim(0);
      case Adjoint.LinearWeight _ -> x * in.get(1).dim(1);
      case Fused.Conv2d _ -> size(out.getFirst()) * window(in.get(1));
      case Adjoint.Conv2dInput _ -> size(in.get(1)) * window(in.getFirst());
      case Adjoint.Conv2dWeight _ -> size(in.get(1)) * window(out.getFirst());
      case Attention a -> pairs(a.ranges()) * (in.get(0).dim(1) + in.get(2).dim(1));
      case Adjoint.Attend(var a, _) -> pairs(a.ranges()) * (3 * in.get(0).dim(1) + 2 * in.get(2).dim(1));
      case Contrastive.Softmax _ -> x * in.getFirst().dim(0);
      case Contrastive.Sigmoid _ -> 3 * x * in.getFirst().dim(0);
      case Adjoint.SoftmaxContrastive _ -> 3 * x * in.getFirst().dim(0);
      default -> 0;
    };
  }

  /// Elements of one output channel's weights.
  private static double window(Tensor weight) { return size(weight) / Math.max(1, weight.dim(0)); }

  private static double size(Tensor t) { return t.shape().size(); }

  private static double pairs(Ranges r) {
    double n = 0;
    for (int q = 0; q < r.from().length; q++) n += Math.max(0, r.to()[q] - r.from()[q]);
    return n;
  }
}
