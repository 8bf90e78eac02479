package jacquard.kernels.cuda;

import static jacquard.kernels.cuda.CudaDevice.suffix;

import jacquard.kernels.cuda.launch.CudaBatchNorm;
import jacquard.kernels.nccl.NcclGroup;
import jacquard.tensor.DType;
import jacquard.tensor.Group.Stretch;
import jacquard.tensor.Group;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Collective;
import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The ops of a group of ranks whose devices reach each other's memory: `cuda-src/kernels/all_gather.cu`. Of ranks of
/// different processes [CudaNccl] moves what lies on their devices; without NCCL they exchange host arrays, as their
/// group offers.
///
/// A device has one of these: its flags, which its peers raise, and the abort word, which every wait reads. The flags'
/// steps only grow: a call begins after the last step that any of its ranks has seen.
public final class CudaCollectives {
  /// As many ranks as the kernels' argument structs hold; blocks that a call takes, at most: all of them run at once on
  /// any GPU, as waiting needs. Elements of a chunk of all_reduce, bytes of a row of its table.
  private static final int RANKS = 16, BLOCKS = 36, THREADS = 512, CHUNK = 4096, ROW = 2 * RANKS * 8 + 16;
  private static final int LEFT = RANKS * Integer.BYTES;

  /// What a rank tells the others of a call: where its tensors lie.
  private record Offer(long flags, int step, long[] x, long[] y) {}

  private final CudaDevice device;
  private final long flags;
  private final ByteBuffer abort;
  private int step;
  private Group joined;

  CudaCollectives(CudaDevice device) {
    this.device = device;
    flags = device.lasting((long) RANKS * BLOCKS * Integer.BYTES);
    device.context().clear(flags, (long) RANKS * BLOCKS * Integer.BYTES);
    device.context().synchronize();
    abort = device.context().pinned(Integer.BYTES);
  }

  void run(Collective op, List<Tensor> in, List<Tensor> out) {
    var what = op.agreed(types(in));
    var group = op.group();
    if (!group.together()) {
      if (op instanceof Collective.BatchNorm n) CudaOps.defined(device, n::define, in, out);
      else if (group instanceof NcclGroup n) new CudaNccl(device, n).run(op, what, in, out);
      else throughHost(op, what, in, out);
      return;
    }
    switch (op) {
      case Collective.AllGather(_, var rows) -> {
        long each = in.getFirst().dtype().bytes() * row(out.getFirst());
        gather(group, what, device.dense(in.getFirst()), CudaDevice.address(out.getFirst()), bytes(rows, each));
      }
      case Collective.ReduceScatter(_, var rows) ->
          scatter(group, what, in.getFirst().dtype(), device.dense(in.getFirst()), CudaDevice.address(out.getFirst()),
          bytes(rows, row(out.getFirst())));
      case Collective.AllReduce(_, var factor, _) -> {
        for (var type : in.stream().map(Tensor::dtype).distinct().toList()) {
          int[] of = java.util.stream.IntStream.range(0, in.size()).filter(i -> in.get(i).dtype() == type).toArray();
          reduce(group, what, type, factor, Arrays.stream(of).mapToLong(i -> device.dense(in.get(i))).toArray(),
              Arrays.stream(of).mapToLong(i -> CudaDevice.address(out.get(i))).toArray(),
              Arrays.stream(of).mapToLong(i -> in.get(i).shape().size()).toArray());
        }
      }
      case Collective.BatchNorm n -> CudaBatchNorm.forward(device, this, n, what, in, out);
    }
  }

  /// Elements of a row of the first axis.
  static long row(Tensor t) {
    long n = 1;
    for (int a = 1; a < t.shape().rank(); a++) n *= t.dim(a);
    return n;
  }

  private static long[] bytes(int[] rows, long each) { return Arrays.stream(rows).mapToLong(r -> r * each).toArray(); }

  private static List<Type> types(List<Tensor> tensors) { return tensors.stream().map(Tensor::type).toList(); }

  // Calls

  /// The parts of all ranks, so many bytes each, one after another.
  public void gather(Group group, String what, long x, long y, long[] bytes) {
    var offers = meet(group, what, new long[] {x}, new long[] {y});
    long from = Arrays.stream(bytes, 0, group.rank()).sum();
    long n = bytes[group.rank()];
    long low = from | n | x;
    for (var o : offers) low |= o.y[0];
    int unit = 16;
    while (low % unit != 0) unit /= unit == 16 ? 4 : 2;
    launch(group, what, offers, "all_gather_" + unit, from / unit, n / unit,
        blocks(Arrays.stream(bytes).max().orElse(0), 16 * THREADS));
  }

  private void scatter(Group group, String what, DType type, long x, long y, long[] elements) {
    var offers = meet(group, what, new long[] {x}, new long[] {y});
    long from = Arrays.stream(elements, 0, group.rank()).sum(), n = elements[group.rank()], low = y;
    for (var o : offers) low |= o.x[0];
    int pack = low % (4 * type.bytes()) == 0 && (from | n) % 4 == 0 ? 4 : 1;
    launch(group, what, offers, "reduce_scatter" + suffix(type) + (pack == 4 ? "x4" : ""), from / pack, n / pack,
        blocks(Arrays.stream(elements).max().orElse(0), 4 * THREADS));
  }

  private void launch(Group group, String what, List<Offer> offers, String kernel, long from, long n, int blocks) {
    device.call(kernel).pointers(RANKS, offers.stream().mapToLong(o -> o.x[0]).toArray())
        .pointers(RANKS, offers.stream().mapToLong(o -> o.y[0]).toArray())
        .pointers(RANKS, offers.stream().mapToLong(Offer::flags).toArray()).pointer(device.context().address(abort))
            .i64(from).i64(n)
        .i32(group.rank()).i32(group.size()).i32(BLOCKS).i32(step - 1).launch(blocks, 1, 1, THREADS, LEFT);
    left(group, what);
  }

  /// y = factor·Σ x of any number of tensors of so many elements.
  public void reduce(Group group, String what, DType type, float factor, long[] x, long[] y, long[] elements) {
    var offers = meet(group, what, x, y);
    var table = ByteBuffer.allocate(ROW * x.length).order(ByteOrder.nativeOrder());
    int chunks = 0, rows = 0;
    for (int i = 0; i < x.length; i++) {
      if (elements[i] == 0) continue;
      rows++;
      long low = 0;
      for (int r = 0; r < RANKS; r++) {
        long a = r < offers.size() ? offers.get(r).x[i] : 0;
        table.putLong(a);
        low |= a;
      }
      for (int r = 0; r < RANKS; r++) {
        long a = r < offers.size() ? offers.get(r).y[i] : 0;
        table.putLong(a);
        low |= a;
      }
      table.putLong(elements[i]).putInt(chunks).putInt(low % (4 * type.bytes()) == 0 ? 1 : 0);
      chunks = Math.addExact(chunks, (int) Math.ceilDiv(elements[i], (long) CHUNK));
    }
    if (rows == 0) return;
    long at = device.table(Arrays.copyOf(table.array(), rows * ROW));
    device.call("all_reduce" + suffix(type)).pointers(RANKS, offers.stream().mapToLong(Offer::flags).toArray())
        .pointer(device.context().address(abort)).table(at, ROW)
        .i32(group.rank()).i32(group.size()).i32(BLOCKS).i32(step - 1).i32(rows).i32(chunks).f32(factor)
            .launch(blocks(chunks, group.size()), 1, 1, THREADS, LEFT);
    left(group, what);
  }

  /// The same number on all ranks, since block meets block.
  private static int blocks(long n, int each) { return (int) Math.clamp(Math.ceilDiv(n, (long) each), 1, BLOCKS); }

  /// Tells the others where this rank's tensors lie, and takes the steps of the call.
  private List<Offer> meet(Group group, String what, long[] x, long[] y) {
    var offers = new ArrayList<Offer>();
    for (var o : group.meet(what, new Offer(flags, step, x, y))) offers.add((Offer) o);
    for (var o : offers) step = Math.max(step, o.step);
    step += 2;
    return offers;
  }

  /// Before a group's first call. The ranks meet without holding their devices, which two of them may have given as
  /// one.
  void join(Group group) {
    if (joined == group) return;
    if (group.size() > RANKS)
      throw new IllegalArgumentException(group.size() + " ranks in one process, the CUDA kernels take " + RANKS);
    var devices = group.meet("the devices of a group", device);
    for (int r = 0; r < group.size(); r++)
      if (!(devices.get(r) instanceof CudaDevice d))
        throw new IllegalArgumentException("rank " + r + " has no CUDA device, rank " + group.rank() + " has "
            + device.name() + "; all ranks need one kind");
      else if (d == device && r != group.rank())
        throw new IllegalArgumentException("ranks " + r + " and " + group.rank() + " are both on " + device.name()
            + "; each needs a device of its own");
    device.guarded(() -> {
      // calls of earlier groups, which may have been given up
      device.context().synchronize();
      for (var d : devices) if (d != device) device.context().reach(((CudaDevice) d).context());
      return null;
    });
    abort.putInt(0, 0);
    group.whenFailed(() -> abort.putInt(0, 1));
    joined = group;
  }

  /// Where the call was given up, the group says why.
  private void left(Group group, String what) {
    if (abort.getInt(0) != 0) group.meet(what, null);
  }

  // Ranks of different processes

  private void throughHost(Collective op, String what, List<Tensor> in, List<Tensor> out) {
    var x = new ArrayList<Stretch>();
    var y = new ArrayList<Stretch>();
    try (var _ = Scope.open(device)) { for (var t : in) x.add(stretch(t.read())); }
    for (var t : out) y.add(stretch(CudaDevice.array(t.type())));
    switch (op) {
      case Collective.AllGather(var group, _) -> group.allGather(what, x.getFirst(), y.getFirst());
      case Collective.ReduceScatter(var group, var rows) ->
          group.reduceScatter(what, x.getFirst(),
              Arrays.stream(rows).map(r -> (int) (r * row(out.getFirst()))).toArray(), y.getFirst());
      case Collective.AllReduce(var group, var factor, _) -> group.allReduce(what, factor, x, y);
      case Collective.BatchNorm _ -> throw new IllegalStateException();
    }
    for (int i = 0; i < y.size(); i++)
      device.write(y.get(i).array(), out.get(i).dtype(), out.get(i).storage().block(), out.get(i).shape().size());
  }

  private static Stretch stretch(Object array) { return new Stretch(array, 0, Array.getLength(array)); }
}
