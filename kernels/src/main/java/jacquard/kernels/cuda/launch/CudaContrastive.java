package jacquard.kernels.cuda.launch;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.DType;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Contrastive;
import java.util.List;

/// The losses over all pairs and their gradients: `cuda-src/kernels/contrastive.cu`. A gradient takes so many rows at a
/// time that what is kept beside inputs and outputs stays within 2·tile·n bytes for BF16 and F32 alike, n of thousands:
/// five eighths for slopes, two for partial sums of their products, one for tables of a number a row.
public final class CudaContrastive {
  private CudaContrastive() {}

  /// Whether features are BF16 and scalars F32; other mixtures are cast.
  public static boolean takes(Contrastive op, List<Tensor> in) {
    int scalars = op instanceof Contrastive.Sigmoid ? 2 : 1;
    boolean ok = in.get(0).dtype() == DType.BF16 && in.get(1).dtype() == DType.BF16;
    for (int i = 2; i < in.size(); i++)
      ok &= in.get(i).dtype() == (op.grouped() && (i == 2 + scalars || i == 3 + scalars) ? DType.I32 : DType.F32);
    return ok;
  }

  /// One side of the problem, x and what belongs to its rows: group, peaks, shares.
  private record Side(long features, long group, long peaks, long share) {}

  /// What kernels are launched on, whichever side the rows are.
  private record Pairs(CudaDevice device, boolean half, int n, int d, long scale, long bias, long dloss, float factor) {
    static Pairs of(CudaDevice device, List<Tensor> in, boolean biased, long dloss, float factor) {
      var x = in.getFirst();
      return new Pairs(device, x.dtype() == DType.BF16, x.dim(0), x.dim(1), device.dense(in.get(2)),
          biased ? device.dense(in.get(3)) : 0, dloss, factor);
    }
    int side() { return half ? 128 : 64; }
    int bytes() { return half ? 2 : 4; }
    /// Tiles of operands, or the folds of softmax.
    int shared() { return half ? 2 * 3 * 128 * (32 + 8) * 2 : 2 * 16 * (64 + 1) * 4; }
    int across() { return Math.ceilDiv(n, side()); }
    int blocks(int rows) { return across() * Math.ceilDiv(rows, side()); }

    void run(String kernel, Side rows, Side columns, long g, long first, long second, long[] sums, int from,
        int count) {
      boolean vectors = half && d % 8 == 0 && rows.features % 16 == 0 && columns.features % 16 == 0;
      device.call("contrastive_" + kernel + (half ? "_bf16" : "_f32")).pointer(rows.features).pointer(columns.features)
          .pointer(scale).pointer(bias).pointer(dloss)
          .pointer(rows.group).pointer(columns.group).pointer(rows.peaks).pointer(columns.peaks).pointer(rows.share)
              .pointer(columns.share).pointer(g).pointer(first).pointer(second)
          .pointer(sums[0]).pointer(sums[1]).pointer(sums[2]).pointer(sums[3]).i32(n).i32(d).i32(from).i32(count)
              .i32(vectors ? 1 : 0).f32(factor)
          .blocks(across(), Math.ceilDiv(count, side()), 1, shared());
    }
  }
  private static final long[] NO_SUMS = new long[4];

  private static void fold(CudaDevice device, long to, long a, int an, float af, long b, int bn, float bf, long c,
      int cn, float cf) {
    device.call("contrastive_fold").pointer(a).pointer(b).pointer(c).pointer(to).i32(an).i32(bn).i32(cn).f32(af).f32(bf)
        .f32(cf).blocks(1, 1, 1, 256 * Double.BYTES);
  }

  /// x and t with what is known of them; `at`: where the groups are among the inputs.
  private static Side[] sides(CudaDevice device, Contrastive op, List<Tensor> in, int at, long rows, long columns) {
    long x = device.dense(in.get(0)), t = device.dense(in.get(1));
    if (!op.grouped()) return new Side[] {new Side(x, 0, rows, 0), new Side(t, 0, columns, 0)};
    int n = in.getFirst().dim(0);
    long a = device.dense(in.get(at));
    long b = device.dense(in.get(at + 1));
    long as = 0;
    long bs = 0;
    if (op instanceof Contrastive.Softmax) {
      as = device.temporary(4L * n);
      bs = device.temporary(4L * n);
      shares(device, a, b, as, n);
      shares(device, b, a, bs, n);
    }
    return new Side[] {new Side(x, a, rows, as), new Side(t, b, columns, bs)};
  }

  private static void shares(CudaDevice device, long of, long among, long shares, int n) {
    device.call("contrastive_shares").pointer(of).pointer(among).pointer(shares).i32(n)
        .blocks(Math.ceilDiv(n, 256), 1, 1, 256 * Integer.BYTES);
  }

  /// out: loss[, dx, dt, dscale, dbias]
  public static void sigmoid(CudaDevice device, Contrastive.Sigmoid op, List<Tensor> in, List<Tensor> out) {
    var pairs = Pairs.of(device, in, true, 0, 0);
    var s = sides(device, op, in, 4, 0, 0);
    int n = pairs.n, blocks = pairs.blocks(n);
    long partial = device.temporary(4L * blocks);
    pairs.run("sigmoid", s[0], s[1], 0, partial, 0, NO_SUMS, 0, n);
    fold(device, CudaDevice.address(out.getFirst()), partial, blocks, 1f / n, 0, 0, 0, 0, 0, 0);
    if (op.isRecorded())
      gradient(device, "sigmoid_slopes", op.tile(),
          Pairs.of(device, in, true, device.upload(new int[] {Float.floatToRawIntBits(1)}), 1f / n), s,
          out.subList(1, 5));
  }

  /// out: loss[, peaks of rows, of columns]
  public static void softmax(CudaDevice device, Contrastive.Softmax op, List<Tensor> in, List<Tensor> out) {
    var pairs = Pairs.of(device, in, false, 0, 0);
    var s = sides(device, op, in, 3, 0, 0);
    int n = pairs.n;
    int side = pairs.side();
    int across = pairs.across();
    int rows = Math.min(n, Math.max(side, 4 * op.tile() / side * side));
    int down = Math.ceilDiv(rows, side);
    boolean recorded = out.size() > 1;
    long rowPeaks = recorded ? CudaDevice.address(out.get(1)) : 0;
    long columnPeaks = recorded ? CudaDevice.address(out.get(2)) : device.temporary(8L * n);
    long rowSums = device.temporary(4L * n);
    long columnSums = device.temporary(4L * n);
    long chosen = device.temporary(4L * across * (across + 1));
    long[] sums = {device.temporary(4L * across * rows), device.temporary(4L * across * rows),
        device.temporary(4L * down * n), device.temporary(4L * down * n)};
    int blocks = 0;
    for (int from = 0; from < n; from += rows) {
      int count = Math.min(rows, n - from);
      pairs.run("softmax", s[0], s[1], 0, chosen + 4L * blocks, 0, sums, from, count);
      blocks += pairs.blocks(count);
      merge(device, sums[0], sums[1], recorded ? rowPeaks + 4L * from : 0, n, rowSums + 4L * from, count, across, true);
      merge(device, sums[2], sums[3], columnPeaks, n, from + rows < n ? 0 : columnSums, n, Math.ceilDiv(count, side),
          from == 0);
    }
    fold(device, CudaDevice.address(out.getFirst()), rowSums, n, 0.5f / n, columnSums, n, 0.5f / n, chosen, blocks,
        -0.5f / n);
  }

  /// `n` of `all` rows or columns.
  private static void merge(CudaDevice device, long tops, long sums, long peaks, int all, long result, int n, int count,
      boolean begins) {
    long second = peaks == 0 ? 0 : peaks + 4L * all;
    device.call("contrastive_merge").pointer(tops).pointer(sums).pointer(peaks).pointer(second).pointer(result).i32(n)
        .i32(count).i32(begins ? 1 : 0).over(n, 1);
  }

  /// in: x, t, scale, [groups], peaks of rows, of columns, dloss; out: dx, dt, dscale
  public static void softmaxGradient(CudaDevice device, Contrastive.Softmax op, List<Tensor> in, List<Tensor> out) {
    int at = op.grouped() ? 5 : 3;
    var pairs = Pairs.of(device, in, false, device.dense(in.get(at + 2)), 0.5f / in.getFirst().dim(0));
    gradient(device, "softmax_slopes", op.tile(), pairs,
        sides(device, op, in, 3, device.dense(in.get(at)), device.dense(in.get(at + 1))), out);
  }

  private static void gradient(CudaDevice device, String kernel, int tile, Pairs pairs, Side[] s, List<Tensor> out) {
    int n = pairs.n;
    int rows = Math.clamp(tile * 5 / (pairs.half ? 8 : 16), 1, n);
    int chunks = Math.ceilDiv(n, rows);
    int most = pairs.blocks(rows);
    long g = device.temporary((long) pairs.bytes() * rows * n);
    long scaled = device.temporary(4L * chunks * most);
    long plain = device.temporary(4L * chunks * most);
    for (int turn = 0; turn < 2; turn++) {
      Side x = s[turn], t = s[1 - turn];
      boolean first = turn == 0;
      int blocks = 0;
      for (int from = 0; from < n; from += rows) {
        int begin = from, count = Math.min(rows, n - from);
        pairs.run(kernel, x, t, g, first ? scaled + 4L * blocks : 0, first ? plain + 4L * blocks : 0, NO_SUMS, from,
            count);
        blocks += pairs.blocks(count);
        long to = CudaDevice.address(out.get(turn)) + (long) pairs.bytes() * begin * pairs.d;
        device.briefly(() -> CudaMatMul.product(device, pairs.half ? DType.BF16 : DType.F32, count, pairs.d, n,
            new CudaMatMul.Factor(g, n, false),
            new CudaMatMul.Factor(t.features, pairs.d, false), to, CudaMatMul.Epilogue.NONE, (long) tile * n / 2));
      }
      if (!first) continue;
      fold(device, CudaDevice.address(out.get(2)), scaled, blocks, 1, 0, 0, 0, 0, 0, 0);
      if (out.size() > 3) fold(device, CudaDevice.address(out.get(3)), plain, blocks, 1, 0, 0, 0, 0, 0, 0);
    }
  }
}
