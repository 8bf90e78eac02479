package jacquard.kernels.cuda;

import jacquard.tensor.Group.Stretch;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Collective;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The ops of a group of ranks by way of the host: what each rank reads back is exchanged there and written to its device again.
final class CudaCollectives {
  private CudaCollectives() {}

  static void run(CudaDevice device, Collective op, List<Tensor> in, List<Tensor> out) {
    var what = op.agreed(in.stream().map(Tensor::type).toList());
    var from = new ArrayList<Stretch>();
    for (var t : in) from.add(stretch(device.read(dense(device, t)), t.type()));
    var to = new ArrayList<Stretch>();
    for (var t : out) to.add(stretch(array(t.type()), t.type()));
    switch (op) {
      case Collective.AllGather(var group, _) -> group.allGather(what, from.getFirst(), to.getFirst());
      case Collective.ReduceScatter(var group, var rows) -> {
        int width = from.getFirst().count() / Math.max(1, Arrays.stream(rows).sum());
        group.reduceScatter(what, from.getFirst(), Arrays.stream(rows).map(r -> r * width).toArray(), to.getFirst());
      }
      case Collective.AllReduce(var group, var factor, _) -> group.allReduce(what, factor, from, to);
      case Collective.BatchNorm n -> throw new IllegalStateException("runs as its definition: " + n);
    }
    for (int i = 0; i < to.size(); i++) device.write(to.get(i).array(), out.get(i).dtype(), out.get(i).storage().block(), to.get(i).count());
  }

  private static Tensor dense(CudaDevice device, Tensor t) {
    if (t.layout().dense()) return t;
    var copy = Tensor.empty(t.type());
    CudaMovement.copy(device, t, CudaDevice.address(copy));
    return copy;
  }

  private static Stretch stretch(Object array, Type type) { return new Stretch(array, 0, Math.toIntExact(type.shape().size())); }

  private static Object array(Type type) {
    int n = Math.toIntExact(type.shape().size());
    return switch (type.dtype()) {
      case F32 -> new float[n];
      case BF16, F16 -> new short[n];
      case I32 -> new int[n];
      case I64 -> new long[n];
      case U8, BOOL -> new byte[n];
    };
  }
}
