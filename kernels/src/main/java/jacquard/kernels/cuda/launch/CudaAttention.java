package jacquard.kernels.cuda.launch;

import static jacquard.kernels.cuda.RowTables.TILE;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.DType;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import java.util.List;

/// Attention and its gradient: `cuda-src/kernels/attention.cu`, `attention_backward.cu` for BF16 heads of a multiple of
/// 8 up to 128, keys and values of any two such widths; `attention_f32.cu` for F32, any width up to 256, and, cast, for
/// BF16 of other widths.
public final class CudaAttention {
  /// Widths for which there are BF16 kernels; others take the next.
  private static final int[] WIDTHS = {32, 64, 72, 80, 88, 96, 104, 112, 128};
  private static final int WIDEST = 256, NARROW = 64;
  /// Rows that a block of the F32 kernels takes; sequences and most shares of a bias' gradient.
  private static final int SIDE = 32, SHARE = 16, MOST_SHARES = 16;
  private static final float LOG2E = 1.44269504f;

  private CudaAttention() {}

  /// Whether the BF16 kernels take these inputs: q, k, v and what follows them but the bias and the log-sum-exp.
  public static boolean takes(Attention op, List<Tensor> in) {
    for (int i = 0; i < 3; i++) {
      int width = in.get(i).dim(1) / op.heads();
      if (in.get(i).dtype() != DType.BF16 || width % 8 != 0 || width > WIDTHS[WIDTHS.length - 1]) return false;
    }
    return true;
  }

  /// Whether there is a kernel at all; a wider head runs as the definition.
  public static boolean fits(Attention op, List<Tensor> in) {
    return Math.max(in.get(0).dim(1), in.get(2).dim(1)) / op.heads() <= WIDEST;
  }

  /// Rows of heads: where they start, elements from row to row.
  private record Rows(long address, int stride) {
    static Rows of(CudaDevice device, Tensor t) {
      int stride = t.layout().strides()[0];
      long address = CudaDevice.address(t);
      boolean adjacent = t.layout().strides()[1] == 1 && stride >= t.dim(1)
          && (t.dtype() == DType.F32 || address % 16 == 0 && stride % 8 == 0);
      return adjacent ? new Rows(address, stride) : new Rows(device.dense(t), t.dim(1));
    }
    static Rows out(Tensor t) { return new Rows(CudaDevice.address(t), t.dim(1)); }
    /// Columns of a matrix, from one on.
    static Rows out(Tensor t, int column) {
      return new Rows(CudaDevice.address(t) + (long) column * t.dtype().bytes(), t.dim(1));
    }
  }

  /// The variant of a kernel, and what its shared memory holds.
  private record Kernel(boolean half, int d, int e, int width) {
    static Kernel of(Attention op, List<Tensor> in) {
      boolean half = in.getFirst().dtype() == DType.BF16;
      int d = in.get(0).dim(1) / op.heads();
      int e = in.get(2).dim(1) / op.heads();
      int wide = Math.max(d, e);
      int width = wide <= NARROW ? NARROW : WIDEST;
      if (half) for (int i = WIDTHS.length - 1; i >= 0; i--) if (WIDTHS[i] >= wide) width = WIDTHS[i];
      return new Kernel(half, d, e, width);
    }
    String name(String what) { return "attention_" + what + (half ? "_" : "_f32_") + width; }
    int row(int width) { return 2 * (Math.ceilDiv(width, 16) * 16 + 8); }
    int halves() { return half ? 1 : TILE / SIDE; }
    int wide(int d, int e, int scores) {
      return 4 * SIDE * (d * (this.d + 1) + e * (this.e + 1) + scores * (SIDE + 1));
    }
    int forward() { return half ? 5 * TILE * row(width) + 2 * TILE * 4 : wide(2, 1, 1); }
    int queries() { return half ? 6 * TILE * row(width) : wide(2, 2, 1); }
    int keys() {
      int queries = width <= 88 ? 64 : 32;
      return half ? (2 * TILE + 4 * queries) * row(width) + 8 * queries * 4 : wide(2, 2, 2);
    }
    int biasWidth() { return width <= 64 ? 64 : 128; }
    String bias() { return half ? "attention_backward_bias_" + biasWidth() : "attention_backward_bias_f32"; }
    int biasShared() { return half ? 4 * TILE * row(biasWidth()) : wide(2, 2, 0); }
    int biasTiles(int rows, int columns) {
      return Math.ceilDiv(rows, half ? TILE : SIDE) * Math.ceilDiv(columns, half ? TILE : SIDE);
    }
  }

  /// The bias in F32, or null's address.
  private static long bias(CudaDevice device, Attention op, List<Tensor> in) {
    if (!op.biased()) return 0;
    var t = in.get(3);
    if (t.dtype() == DType.F32) return device.dense(t);
    long from = device.dense(t), to = device.temporary(4 * t.shape().size());
    cast(device, from, t.dtype(), to, DType.F32, t.shape().size());
    return to;
  }

  private static void cast(CudaDevice device, long from, DType source, long to, DType target, long n) {
    device.call("cast").pointer(from).pointer(to).i64(n).i32(source.ordinal()).i32(target.ordinal()).over(n, 8);
  }

  /// in: q, k, v, [bias]; out: o[, log-sum-exp]
  public static void forward(CudaDevice device, Attention op, List<Tensor> in, List<Tensor> out) {
    var table = device.tables().of(device, op);
    Rows q = Rows.of(device, in.get(0));
    Rows k = Rows.of(device, in.get(1));
    Rows v = Rows.of(device, in.get(2));
    Rows o = Rows.out(out.getFirst());
    var kernel = Kernel.of(op, in);
    long bias = bias(device, op, in);
    // the largest score is then not that of the largest product
    boolean scaled = op.biased() || op.scale() <= 0;
    device.call(kernel.name("forward")).pointer(q.address).pointer(k.address).pointer(v.address).pointer(bias)
        .pointer(o.address)
        .pointer(out.size() > 1 ? CudaDevice.address(out.get(1)) : 0).pointer(table.queryTiles()).pointer(table.from())
            .pointer(table.to())
        .i32(q.stride).i32(k.stride).i32(v.stride).i32(o.stride).i32(op.heads()).i32(kernel.d).i32(kernel.e)
        .i32(op.biased() ? in.get(3).dim(1) : 0).i32(op.biased() ? in.get(3).dim(2) : 0)
        .f32(op.scale()).f32(scaled ? op.scale() * LOG2E : 1).f32(scaled ? 1 : op.scale() * LOG2E)
        .blocks(table.queryTileCount(), op.heads(), kernel.halves(), kernel.forward());
  }

  /// in: q, k, v, [bias], o, log-sum-exp, do; out: dq, dk, dv, packed as one matrix or not, [dbias]
  public static void backward(CudaDevice device, Attention op, boolean packed, List<Tensor> in, List<Tensor> out) {
    int more = op.biased() ? 4 : 3, rows = op.queries().rows(), heads = op.heads();
    var table = device.tables().of(device, op);
    Rows[] from = {Rows.of(device, in.get(0)), Rows.of(device, in.get(1)), Rows.of(device, in.get(2)),
        Rows.of(device, in.get(more)), Rows.of(device, in.get(more + 2))};
    int dk = in.get(0).dim(1), dv = dk + in.get(1).dim(1);
    Rows[] to = packed ? new Rows[] {Rows.out(out.getFirst(), 0), Rows.out(out.getFirst(), dk),
        Rows.out(out.getFirst(), dv)}
        : new Rows[] {Rows.out(out.get(0)), Rows.out(out.get(1)), Rows.out(out.get(2))};
    var kernel = Kernel.of(op, in);
    long bias = bias(device, op, in);
    long lse = device.dense(in.get(more + 1));
    long delta = device.temporary(4L * rows * heads);
    int sequences = op.queries().count();
    int biasRows = op.biased() ? in.get(3).dim(1) : 0;
    int biasColumns = op.biased() ? in.get(3).dim(2) : 0;
    int shares = Math.clamp(Math.ceilDiv(sequences, SHARE), 1, MOST_SHARES);
    int size = heads * biasRows * biasColumns;
    long dbias = op.biased() ? CudaDevice.address(out.getLast()) : 0;
    long parts = op.biased() && shares > 1 ? device.temporary(4L * shares * size) : dbias;
    for (int step = 0; step < (op.biased() ? 3 : 2); step++) {
      var call = device.call(switch (step) { case 0 -> kernel.name("backward_queries"); case 1 ->
          kernel.name("backward_keys"); default -> kernel.bias(); });
      for (var r : from) call.pointer(r.address);
      call.pointer(bias).pointer(lse).pointer(delta);
      for (var r : to) call.pointer(r.address);
      call.pointer(parts).pointer(step == 1 ? table.keyTiles() : table.queryTiles()).pointer(table.from())
          .pointer(table.to()).pointer(table.queryOffsets()).pointer(table.keyOffsets());
      for (var r : from) call.i32(r.stride);
      for (var r : to) call.i32(r.stride);
      call.i32(heads).i32(kernel.d).i32(kernel.e).i32(biasRows).i32(biasColumns).i32(sequences).f32(op.scale());
      switch (step) {
        case 0 -> call.blocks(table.queryTileCount(), heads, kernel.halves(), kernel.queries());
        case 1 -> call.blocks(table.keyTileCount(), heads, kernel.halves(), kernel.keys());
        default -> call.blocks(kernel.biasTiles(biasRows, biasColumns), heads, shares, kernel.biasShared());
      }
    }
    if (op.biased() && shares > 1)
      device.call("attention_bias_fold").pointer(parts).pointer(dbias).i32(size).i32(shares).over(size, 1);
  }
}
