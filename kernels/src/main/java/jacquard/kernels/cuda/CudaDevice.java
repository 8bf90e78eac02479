package jacquard.kernels.cuda;

import static jacquard.tensor.DType.BF16;
import static jacquard.tensor.DType.F32;

import jacquard.kernels.cuda.driver.CudaException;
import jacquard.kernels.cuda.driver.Driver;
import jacquard.kernels.cuda.driver.Installed;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
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
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// A GPU: slabs of its memory, our own kernels on one stream. This is the table op → kernel.
///
/// Work is only asked for here and done later; a fault of a kernel shows at the next call, names the kernel asked for last and the op, and leaves
/// the device unusable, as CUDA does.
public final class CudaDevice implements Device {
  private final String name;
  private final boolean emulated;
  private final Driver.Context context;
  private final Slabs slabs;
  private final Staging staging;
  private final Call call;
  private final RowTables tables;
  private final Vendors vendors;
  private final ByteBuffer bad;                                                // where kernels report an index out of range
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

  @Override public synchronized Object allocate(DType dtype, long size) { return guarded(() -> new Block(slabs.allocate(size * dtype.bytes()))); }

  @Override public synchronized void free(DType dtype, long size, Object block) {
    if (broken != null) return;                                                // the memory went with the device
    context.enter();
    slabs.free(((Block) block).address(), size * dtype.bytes());
  }

  @Override public synchronized void write(Object array, DType dtype, Object block, long size) {
    guarded(() -> {
      staging.write(segment(array), ((Block) block).address(), size * dtype.bytes());
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
      broken = new IllegalStateException("%s can be used no longer: %s; kernel asked for last: %s%s".formatted(name, e.getMessage(), call.last(), op == null ? "" : ", by " + op), e);
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
    throw new IllegalArgumentException("%s: a gather or scatter asked for before this read got index[%d] = %d, which is outside its rows and not −1".formatted(name, (found >>> 32) - 1, (int) found));
  }

  // What kernels' Java halves use

  /// Where a kernel puts (position + 1) << 32 | index of an index out of range.
  long bad() { return context.address(bad); }

  /// A table in device memory, which lasts as long as the op.
  long table(byte[] rows) {
    long address = temporary(rows.length);
    staging.write(MemorySegment.ofArray(rows), address, rows.length);
    return address;
  }

  /// Begins a launch.
  public Call call(String kernel) { return call.of(kernel); }

  public Driver.Context context() { return context; }

  RowTables tables() { return tables; }
  Vendors vendors() { return vendors; }

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

  private synchronized CudaCollectives collectives() {
    return guarded(() -> collectives == null ? collectives = new CudaCollectives(this) : collectives);
  }

  /// Where a tensor's first element lies.
  public static long address(Tensor t) { return ((Block) t.storage().block()).address() + (long) t.layout().offset() * t.dtype().bytes(); }

  /// Memory until the op that runs has been asked for in full.
  long temporary(long bytes) {
    long address = slabs.allocate(bytes);
    temporaries.add(new long[] {address, bytes});
    return address;
  }

  /// A table that kernels read (offsets, ranges), until the op that runs has been asked for in full.
  long upload(int[] values) {
    long address = temporary(Math.max(4L, 4L * values.length));
    staging.write(MemorySegment.ofArray(values), address, 4L * values.length);
    return address;
  }

  /// Does work whose temporary memory ends with it, not with the op: what comes later on the stream may have it.
  void briefly(Runnable work) {
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
  long dense(Tensor t) {
    if (t.layout().dense()) return address(t);
    long copy = temporary(t.shape().size() * t.dtype().bytes());
    CudaMovement.copy(this, t, copy);
    return copy;
  }

  /// As [#dense] of a tensor that the kernel writes: a copy would lose what it writes.
  static long written(Tensor t) {
    if (!t.layout().dense()) throw new IllegalArgumentException("an update of a strided view " + t.type());
    return address(t);
  }

  // The table

  @Override public void run(Op op, List<Tensor> in, List<Tensor> out) {
    var group = op instanceof Collective c ? c.group() : op instanceof Adjoint.CollectiveBatchNorm a ? a.norm().group() : null;
    if (group != null && group.together()) collectives().join(group);
    asked(op, in, out);
  }

  private synchronized void asked(Op op, List<Tensor> in, List<Tensor> out) {
    var outer = this.op;
    int first = temporaries.size();
    this.op = op;
    try {
      guarded(() -> {
        kernel(op, in, out);
        return null;
      });
    } finally {
      release(first);
      this.op = outer;
    }
  }

  private void kernel(Op op, List<Tensor> in, List<Tensor> out) {
    if (!takes(op, in, out)) { widened(op, in, out); return; }
    switch (op) {
      case Elementwise e -> CudaElementwise.run(this, e, in, out.getFirst());
      case Reduction r   -> CudaReduction.run(this, r, in.getFirst(), out.getFirst());
      case Contraction c -> contraction(c, in, out);
      case Movement m    -> CudaMovement.run(this, m, in, out.getFirst());
      case Collective c  -> collectives().run(c, in, out);
      case Indexing i    -> CudaIndexing.run(this, i, in.get(0), in.get(1), out.getFirst());
      case Fused f       -> fused(f, in, out);
      case Adjoint a     -> adjoint(a, in, out);
      case Update u      -> CudaAdamW.run(this, u, in);
      case Op.Custom c   -> throw new IllegalStateException("a custom op runs as its definition: " + c);
    }
  }

  /// Whether the kernels take these types as they are: F32 all, BF16 those that mixed precision runs in it, F16 none but casts and copies.
  private static boolean takes(Op op, List<Tensor> in, List<Tensor> out) {
    if (op instanceof Movement || op instanceof Elementwise.Cast || op instanceof Indexing.Gather || op instanceof Collective.AllGather) return true;
    boolean f16 = false, bf16 = false, all = true;
    for (var list : List.of(in, out))
      for (var t : list) {
        f16 |= t.dtype() == DType.F16;
        bf16 |= t.dtype() == BF16;
        all &= t.dtype() == BF16;
      }
    if (f16) return false;
    if (!bf16) return true;
    return switch (op) {
      case Indexing.ScatterAdd _, Collective.AllReduce _ -> true;
      case Fused.Linear _ -> in.get(0).dtype() == BF16 && in.get(1).dtype() == BF16;
      case Adjoint.LinearWeight _ -> in.get(0).dtype() == BF16 && in.get(1).dtype() == BF16;
      case Elementwise _, Reduction _, Contraction _, Fused.Conv2d _, Fused.AveragePool _, Collective.ReduceScatter _, Adjoint.Activate _, Adjoint.Conv2dInput _, Adjoint.Conv2dWeight _,
           Adjoint.AveragePool _ -> all;
      case Attention a -> CudaAttention.takes(a, in);
      case Adjoint.Attend(var a, _) -> CudaAttention.takes(a, in);
      case Contrastive c -> CudaContrastive.takes(c, in);
      case Adjoint.SoftmaxContrastive(var c) -> CudaContrastive.takes(c, in);
      case Adjoint.SigmoidContrastive(var c) -> CudaContrastive.takes(c, in);
      default -> false;
    };
  }

  /// 16-bit storage, 32-bit arithmetic.
  private void widened(Op op, List<Tensor> in, List<Tensor> out) {
    if (op instanceof Update) throw new IllegalArgumentException(op + " of 16-bit tensors: updates are for F32");
    try (var _ = Scope.open(this)) {
      var wideIn = new ArrayList<Tensor>();
      for (var t : in) wideIn.add(halved(t.dtype()) ? cast(t) : t);
      var wideOut = new ArrayList<Tensor>();
      for (var t : out) wideOut.add(halved(t.dtype()) ? Tensor.empty(new Type(F32, t.shape())) : t);
      kernel(op, wideIn, wideOut);
      for (int i = 0; i < out.size(); i++) if (wideOut.get(i) != out.get(i)) CudaElementwise.cast(this, wideOut.get(i), out.get(i));
    }
  }

  private static boolean halved(DType t) { return t == BF16 || t == DType.F16; }

  private Tensor cast(Tensor t) {
    var wide = Tensor.empty(new Type(F32, t.shape()));
    CudaElementwise.cast(this, t, wide);
    return wide;
  }

  /// An op without a kernel: its definition, on this device.
  private void defined(Fused op, List<Tensor> in, List<Tensor> out) { defined(op::define, in, out); }

  void defined(UnaryOperator<List<Tensor>> definition, List<Tensor> in, List<Tensor> out) {
    ScopedValue.where(Interpreter.CURRENT, Interpreter.PLAIN).run(() -> {
      try (var _ = Scope.open(this)) {
        var results = definition.apply(in);
        for (int i = 0; i < out.size(); i++) CudaMovement.copy(this, results.get(i), address(out.get(i)));
      }
    });
  }

  private void contraction(Contraction op, List<Tensor> in, List<Tensor> out) {
    switch (op) {
      case Contraction.MatMul(var ta, var tb) -> CudaMatMul.matMul(this, ta, tb, in.get(0), in.get(1), out.getFirst());
    }
  }

  private void fused(Fused op, List<Tensor> in, List<Tensor> out) {
    switch (op) {
      case Fused.Linear l       -> CudaMatMul.linear(this, l, in, out);
      case Fused.Softmax _      -> CudaRows.softmax(this, in.getFirst(), out.getFirst());
      case Fused.LayerNorm n    -> CudaRows.layerNorm(this, n.epsilon(), in, out);
      case Fused.Normalize n    -> CudaRows.normalize(this, n.epsilon(), in.getFirst(), out.getFirst());
      case Fused.Norm _         -> CudaAdamW.norm(this, in, out.getFirst());
      case Fused.BatchNorm n    -> CudaBatchNorm.forward(this, n.epsilon(), in, out);
      case Fused.Conv2d c       -> CudaConv2d.forward(this, c, in.get(0), in.get(1), out.getFirst());
      case Fused.AveragePool p  -> CudaConv2d.averagePool(this, p, in.getFirst(), out.getFirst());
      case Fused.Patches p      -> {
        if (p.mean().size() <= CudaImage.MOST_CHANNELS) CudaImage.patches(this, p, in.getFirst(), out.getFirst());
        else defined(p, in, out);
      }
      case Attention a          -> {
        if (CudaAttention.fits(a, in)) CudaAttention.forward(this, a, in, out);
        else defined(a, in, out);
      }
      case Contrastive.Softmax s -> CudaContrastive.softmax(this, s, in, out);
      case Contrastive.Sigmoid s -> CudaContrastive.sigmoid(this, s, in, out.getFirst());
    }
  }

  private void adjoint(Adjoint op, List<Tensor> in, List<Tensor> out) {
    switch (op) {
      case Adjoint.Activate(var f)   -> CudaElementwise.activationGradient(this, f, in.get(0), in.get(1), out.getFirst());
      case Adjoint.LinearWeight _    -> CudaMatMul.weightGradient(this, in.get(0), in.get(1), out);
      case Adjoint.Softmax _         -> CudaRows.softmaxGradient(this, in.get(0), in.get(1), out.getFirst());
      case Adjoint.LayerNorm _       -> CudaRows.layerNormGradient(this, in, out);
      case Adjoint.Normalize(var e)  -> CudaRows.normalizeGradient(this, e, in.get(0), in.get(1), out.getFirst());
      case Adjoint.BatchNorm(var e)  -> CudaBatchNorm.backward(this, e, in, out);
      case Adjoint.CollectiveBatchNorm(var n) ->
          CudaBatchNorm.backward(this, collectives(), n, "the gradient of " + n.agreed(in.stream().map(Tensor::type).toList()), in, out);
      case Adjoint.Conv2dInput(var c) -> CudaConv2d.inputGradient(this, c, in.get(0), in.get(1), out.getFirst());
      case Adjoint.Conv2dWeight(var c, _) -> CudaConv2d.weightGradient(this, c, in.get(0), in.get(1), out.getFirst());
      case Adjoint.AveragePool(var p) -> CudaConv2d.averagePoolGradient(this, p, in.getFirst(), out.getFirst());
      case Adjoint.Attend a          -> {
        if (CudaAttention.fits(a.attention(), in)) CudaAttention.backward(this, a.attention(), a.packed(), in, out);
        else defined(a::define, in, out);
      }
      case Adjoint.SoftmaxContrastive(var s) -> CudaContrastive.softmaxGradient(this, s, in, out);
      case Adjoint.SigmoidContrastive(var s) -> CudaContrastive.sigmoidGradient(this, s, in, out);
    }
  }

  static String suffix(DType t) {
    return switch (t) {
      case F32 -> "_f32";
      case BF16 -> "_bf16";
      default -> throw new IllegalArgumentException("arithmetic is for floating tensors, not " + t);
    };
  }
}
