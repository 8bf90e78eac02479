package jacquard.kernels.cuda;

import jacquard.kernels.cuda.launch.CudaElementwise;
import jacquard.kernels.nccl.NcclGroup;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Collective;
import java.util.Arrays;
import java.util.List;

/// The ops of a group of ranks whose devices NCCL joins. Sums of F32: rank k gets from each its part k, adds them up in
/// rank order, and all gather the parts, so that the bits are those of ranks in one process; or, on request, NCCL's
/// own.
///
/// @param group of this device's rank
record CudaNccl(CudaDevice device, NcclGroup group) {
  /// Floats that are added up at once.
  private static final int PIECE = 1 << 24;

  void run(Collective op, String what, List<Tensor> in, List<Tensor> out) {
    group.agree(what);
    switch (op) {
      case Collective.AllGather(_, var rows) -> {
        long each = in.getFirst().dtype().bytes() * CudaCollectives.row(out.getFirst());
        group.gather(what, device.dense(in.getFirst()), CudaDevice.address(out.getFirst()),
            Arrays.stream(rows).mapToLong(r -> r * each).toArray(), stream());
      }
      case Collective.ReduceScatter(_, var rows) -> {
        long each = CudaCollectives.row(out.getFirst());
        scatter(what, device.dense(in.getFirst()), CudaDevice.address(out.getFirst()),
            Arrays.stream(rows).mapToLong(r -> r * each).toArray());
      }
      case Collective.AllReduce(_, var factor, _) -> {
        long[] x = in.stream().mapToLong(device::dense).toArray();
        long[] y = out.stream().mapToLong(CudaDevice::address).toArray();
        long[] n = in.stream().mapToLong(t -> t.shape().size()).toArray();
        if (device.vendors().sums()) {
          group.sums(what, x, y, n, stream());
          if (factor != 1) for (int i = 0; i < y.length; i++) CudaElementwise.scale(device, factor, y[i], n[i]);
        } else reduce(what, factor, x, y, n);
      }
      case Collective.BatchNorm _ -> throw new IllegalStateException();
    }
  }

  private long stream() { return device.context().stream(); }

  /// @param parts floats of each rank's
  private void scatter(String what, long x, long y, long[] parts) {
    if (device.vendors().sums() && Arrays.stream(parts).distinct().count() == 1) {
      if (parts[0] > 0) group.part(what, x, y, parts[0], stream());
    } else parts(what, x, y, parts, 1);
  }

  /// y = factor·Σ over ranks of their part of x for this one, in rank order.
  private void parts(String what, long x, long y, long[] parts, float factor) {
    int size = group.size();
    long n = parts[group.rank()];
    device.briefly(() -> {
      long all = device.temporary(Math.max(4, 4 * n * size));
      group.exchange(what, x, all, Arrays.stream(parts).map(p -> 4 * p).toArray(), stream());
      for (int r = 1; r < size; r++) CudaElementwise.add(device, r == 1 ? all : y, all + 4 * n * r, y, n);
      if (size == 1) device.context().copy(y, all, 4 * n);
      if (factor != 1) CudaElementwise.scale(device, factor, y, n);
    });
  }

  /// The tensors one after another, in pieces that are cut alike for all ranks.
  private void reduce(String what, float factor, long[] x, long[] y, long[] n) {
    long total = Arrays.stream(n).sum();
    int size = group.size();
    for (long from = 0; from < total; from += PIECE) {
      long first = from, count = Math.min(PIECE, total - from), each = Math.ceilDiv(count, size);
      long[] parts = new long[size], bytes = new long[size];
      Arrays.fill(parts, each);
      Arrays.fill(bytes, 4 * each);
      device.briefly(() -> {
        long piece = device.temporary(4 * each * size), sum = device.temporary(4 * each);
        if (each * size > count) device.context().clear(piece + 4 * count, 4 * (each * size - count));
        walk(n, first, count, (i, at, skip, some) -> device.context().copy(piece + 4 * at, x[i] + 4 * skip, 4 * some));
        parts(what, piece, sum, parts, factor);
        group.gather(what, sum, piece, bytes, stream());
        walk(n, first, count, (i, at, skip, some) -> device.context().copy(y[i] + 4 * skip, piece + 4 * at, 4 * some));
      });
    }
  }

  /// Elements `skip … skip + some − 1` of tensor i lie at `at` of a piece.
  private interface Part { void of(int i, long at, long skip, long some); }

  private static void walk(long[] n, long from, long count, Part f) {
    long start = 0;
    for (int i = 0; i < n.length; start += n[i++]) {
      long a = Math.max(from, start), b = Math.min(from + count, start + n[i]);
      if (a < b) f.of(i, a - from, a - start, b - a);
    }
  }
}
