package jacquard.kernels.cpu;

import jacquard.kernels.cpu.elementary.CpuMovement;
import jacquard.kernels.cpu.rows.CpuBatchNorm;
import jacquard.tensor.Group.Stretch;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Movement;
import java.util.ArrayList;
import java.util.List;

/// The ops of a group of ranks, by the exchange of host arrays that the group offers.
final class CpuCollectives {
  private CpuCollectives() {}

  static void run(Collective op, List<Tensor> in, List<Tensor> out) {
    var what = op.agreed(types(in));
    try (var _ = Scope.open(out.isEmpty() ? Scope.current().device() : out.getFirst().device())) {
      switch (op) {
        case Collective.AllGather(var group, _) -> group.allGather(what, of(in.getFirst()), of(out.getFirst()));
        case Collective.ReduceScatter(var group, var rows) -> {
          int width = (int) (in.getFirst().shape().size() / Math.max(1, in.getFirst().dim(0)));
          int[] counts = rows.clone();
          for (int r = 0; r < counts.length; r++) counts[r] *= width;
          group.reduceScatter(what, of(in.getFirst()), counts, of(out.getFirst()));
        }
        case Collective.AllReduce(var group, var factor, _) -> group.allReduce(what, factor, all(in), all(out));
        case Collective.BatchNorm(var group, var epsilon, _) ->
            CpuBatchNorm.forward(epsilon, s -> group.sum(what, s), Dense.of(in), Dense.of(out));
      }
    }
  }

  static void batchNormGradient(Collective.BatchNorm op, List<Tensor> in, List<Tensor> out) {
    var what = "the gradient of " + op.agreed(types(in));
    CpuBatchNorm.backward(op.epsilon(), s -> op.group().sum(what, s), Dense.of(in), Dense.of(out));
  }

  private static List<Type> types(List<Tensor> tensors) { return tensors.stream().map(Tensor::type).toList(); }

  private static List<Stretch> all(List<Tensor> tensors) {
    var r = new ArrayList<Stretch>();
    for (var t : tensors) r.add(of(t));
    return r;
  }

  /// A tensor's elements in a row; a strided one is copied first.
  private static Stretch of(Tensor t) {
    if (t.layout().dense()) return new Stretch(t.storage().block(), t.layout().offset(), (int) t.shape().size());
    var copy = Tensor.empty(t.type());
    CpuMovement.run(new Movement.Copy(), List.of(t), List.of(copy));
    return of(copy);
  }
}
