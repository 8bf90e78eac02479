package jacquard.kernels.cuda;

import static jacquard.tensor.DType.BF16;
import static jacquard.tensor.DType.F32;

import jacquard.kernels.cuda.driver.CudaException;
import jacquard.kernels.cuda.driver.Driver;
import jacquard.kernels.cuda.driver.Installed;
import jacquard.kernels.cuda.launch.CudaMovement;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Op;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/// A GPU: slabs of its memory, our own kernels on one stream; [CudaOps] is the table op → kernel.
///
/// Work is only asked for here and done later; a fault of a kernel shows at the next call, names the kernel asked for
/// last and the op, and leaves the device unusable, as CUDA does.
public final class CudaDevice implements Device {
  private final String name;
  private final boolean emulated;
  private final Driver.Context context;
  private final Slabs slabs;
  private final Staging staging;
  private final Call call;
  private final RowTables tables;
  private final Vendors vendors;
  private final CudaOps ops = new CudaOps(this);
  // where kernels report an index out of range
  private final ByteBuffer bad;
  private final List<long[]> temporaries = new ArrayList<>();                  // address, bytes: of the op that runs
  private CudaCollectives collectives;
  private Op op;
  private IllegalStateException broken;

  public CudaDevice(Installed installed, int index) {
    name = index == 0 ? "cuda" : "cuda:" + index;
    emulated = installed.emulated();
    context = installed.driver().open(index);
    slabs = new Slabs(context, name, Boolean.getBoolean("jacquard.cuda.exact") || emulated);
    staging = new Staging(context);
    tables = new RowTables(context, staging);
    vendors = new Vendors(context);
    bad = context.pinned(Long.BYTES).putLong(0, 0);
    call = new Call(installed, context, installed.driver().attribute(index, Driver.MULTIPROCESSORS));
  }

  @Override public String name() { return name; }
  /// A GPU before the CPU, the CPU before an emulated GPU.
  @Override public int rank() { return emulated ? -1 : 1; }
  @Override public Live live() { return slabs.live(); }

  @Override public synchronized List<Library> libraries() { return guarded(vendors::all); }
  @Override public synchronized Map<String, String> used() { return guarded(vendors::used); }

  @Override public synchronized void use(String work, String library) {
    guarded(() -> {
      vendors.use(work, library);
      return null;
    });
  }

  @Override public void close() {
    if (live().blocks() != 0) throw new IllegalStateException(live() + " still live");
  }

  // Memory

  @Override public synchronized Object allocate(DType dtype, long size) {
    return guarded(() -> new Allocation(slabs.allocate(size * dtype.bytes())));
  }

  @Override public synchronized void free(DType dtype, long size, Object block) {
    if (broken != null) return;                                                // the memory went with the device
    context.enter();
    slabs.free(((Allocation) block).address(), size * dtype.bytes());
  }

  @Override public synchronized void write(Object array, DType dtype, Object block, long size) {
    guarded(() -> {
      staging.write(segment(array), ((Allocation) block).address(), size * dtype.bytes());
      return null;
    });
  }

  @Override public synchronized Object read(Tensor t) {
    Object array = array(t.type());
    long n = t.shape().size();
    return guarded(() -> {
      staging.read(address(t), segment(array), n * t.dtype().bytes());
      checkIndices();
      return array;
    });
  }

  @Override public synchronized void synchronize() {
    guarded(() -> {
      context.synchronize();
      checkIndices();
      return null;
    });
  }

  /// An array for the elements of a tensor.
  static Object array(Type type) {
    int n = Math.toIntExact(type.shape().size());
    return switch (type.dtype()) {
      case F32 -> new float[n];
      case BF16, F16 -> new short[n];
      case I32 -> new int[n];
      case I64 -> new long[n];
      case U8, BOOL -> new byte[n];
    };
  }

  private static MemorySegment segment(Object array) {
    return switch (array) {
      case float[] a -> MemorySegment.ofArray(a);
      case short[] a -> MemorySegment.ofArray(a);
      case int[] a -> MemorySegment.ofArray(a);
      case long[] a -> MemorySegment.ofArray(a);
      case byte[] a -> MemorySegment.ofArray(a);
      default -> throw new IllegalArgumentException("no tensor's elements: " + array.getClass());
    };
  }

  /// Runs with the context current; a fault of the device is told as such from then on.
  public synchronized <T> T guarded(Supplier<T> work) {
    if (broken != null) throw new IllegalStateException(broken.getMessage(), broken);
    try {
      context.enter();
      return work.get();
    } catch (CudaException e) {
      call.abandon();
      if (!e.fatal()) throw e;
      broken = new IllegalStateException("%s can be used no longer: %s; kernel asked for last: %s%s".formatted(name,
          e.getMessage(), call.last(), op == null ? "" : ", by " + op), e);
      throw broken;
    } catch (RuntimeException | Error e) {
      call.abandon();
      throw e;
    }
  }

  private void checkIndices() {
    long found = bad.getLong(0);
    if (found == 0) return;
    bad.putLong(0, 0);
    throw new IllegalArgumentException(("%s: a gather or scatter asked for before this read got index[%d] = %d, which "
        + "is outside its rows and not −1").formatted(name, (found >>> 32) - 1, (int) found));
  }

  // What kernels' Java halves use

  /// Where a kernel puts (position + 1) << 32 | index of an index out of range.
  public long bad() { return context.address(bad); }

  /// A table in device memory, which lasts as long as the op.
  public long table(byte[] rows) {
    long address = temporary(rows.length);
    staging.write(MemorySegment.ofArray(rows), address, rows.length);
    return address;
  }

  /// Begins a launch.
  public Call call(String kernel) { return call.of(kernel); }

  public Driver.Context context() { return context; }

  public RowTables tables() { return tables; }
  public Vendors vendors() { return vendors; }

  /// The kernel launched last.
  public String lastKernel() { return call.last(); }

  /// The names of the kernels that were launched since the device was opened.
  public Set<String> kernels() { return Set.copyOf(call.names()); }

  /// How many kernels were launched since the device was opened.
  public long launches() { return call.launches(); }

  /// Milliseconds of the stream's time that the work takes.
  public synchronized float timed(Runnable work) {
    return guarded(() -> {
      Object from = context.event(), to = context.event();
      context.record(from);
      work.run();
      context.record(to);
      context.await(to);
      return context.between(from, to);
    });
  }

  synchronized CudaCollectives collectives() {
    return guarded(() -> collectives == null ? collectives = new CudaCollectives(this) : collectives);
  }

  /// Where a tensor's first element lies.
  public static long address(Tensor t) {
    return ((Allocation) t.storage().block()).address() + (long) t.layout().offset() * t.dtype().bytes();
  }

  /// Memory until the op that runs has been asked for in full.
  public long temporary(long bytes) {
    long address = slabs.allocate(bytes);
    temporaries.add(new long[] {address, bytes});
    return address;
  }

  /// Memory for as long as the device, which no tensor has.
  long lasting(long bytes) { return slabs.ask(bytes, bytes); }

  /// A table that kernels read (offsets, ranges), until the op that runs has been asked for in full.
  public long upload(int[] values) {
    long address = temporary(Math.max(4L, 4L * values.length));
    staging.write(MemorySegment.ofArray(values), address, 4L * values.length);
    return address;
  }

  /// Does work whose temporary memory ends with it, not with the op: what comes later on the stream may have it.
  public void briefly(Runnable work) {
    int first = temporaries.size();
    try { work.run(); }
    finally { release(first); }
  }

  private void release(int first) {
    while (temporaries.size() > first) {
      var t = temporaries.removeLast();
      if (broken == null) slabs.free(t[0], t[1]);
    }
  }

  /// Where the elements of a tensor lie row-major: its own, or a copy's that lasts as long as the op.
  public long dense(Tensor t) {
    if (t.layout().dense()) return address(t);
    long copy = temporary(t.shape().size() * t.dtype().bytes());
    CudaMovement.copy(this, t, copy);
    return copy;
  }

  /// As [#dense] of a tensor that the kernel writes: a copy would lose what it writes.
  public static long written(Tensor t) {
    if (!t.layout().dense()) throw new IllegalArgumentException("an update of a strided view " + t.type());
    return address(t);
  }

  @Override public void run(Op op, List<Tensor> in, List<Tensor> out) {
    var group = op instanceof Collective c ? c.group() : op instanceof Adjoint.CollectiveBatchNorm a ? a.norm().group()
        : null;
    if (group != null && group.together()) collectives().join(group);
    asked(op, in, out);
  }

  private synchronized void asked(Op op, List<Tensor> in, List<Tensor> out) {
    var outer = this.op;
    int first = temporaries.size();
    this.op = op;
    try {
      guarded(() -> {
        ops.run(op, in, out);
        return null;
      });
    } finally {
      release(first);
      this.op = outer;
    }
  }

  public static String suffix(DType t) {
    return switch (t) {
      case F32 -> "_f32";
      case BF16 -> "_bf16";
      default -> throw new IllegalArgumentException("arithmetic is for floating tensors, not " + t);
    };
  }
}
