package jacquard.kernels.cpu.convolution;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jacquard.kernels.cpu.elementary.CpuMovement;
import jacquard.kernels.cpu.matmul.CpuLinear;
import jacquard.kernels.cpu.matmul.CpuMatMul;
import jacquard.kernels.cpu.matmul.Packing;
import jacquard.kernels.cpu.rows.CpuRows;
import jacquard.tensor.DType;
import jacquard.tensor.Grid;
import jacquard.tensor.Interpreter;
import jacquard.tensor.Padding;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Fused;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/// Convolution over rows of pixels as matrix products. In an image with its padding, a window of one kernel row is a
/// contiguous run of kw·i floats, so that windows are rows of A as they lie: y = Σ over ky of A_ky [pixels, kw·i] ·
/// W_ky [kw·i, o].
public final class CpuConv2d {
  /// Output pixels that a piece of work takes, at least: what they read stays in L2. For dW they are the depth of the
  /// product.
  private static final int STRETCH = 128, DEEP = 256;
  /// Partial weight gradients hold together at most so many floats; they are added in order.
  private static final int PARTIAL = 1 << 21, PIECES = 16;
  /// Outputs that a piece of a weight gradient takes, at least: fewer would not pay for packing the windows.
  private static final int OUTPUTS = 64;

  private static final ThreadLocal<float[][]> PADDED = ThreadLocal.withInitial(() -> new float[1][0]);

  private CpuConv2d() {}

  /// A stride-`stride` convolution of images [b, h·w, channels] that lie with `top` zeros above, `left` zeros before,
  /// and `gap` − 1 zeros between pixels.
  private record Windows(float[] a, int at, Grid from, int channels, int top, int left, int gap, Grid to, int stride,
      int kh, int kw, int batch, int stretch) {
    int run() { return kw * channels; }
    int height() { return (to.height() - 1) * stride + kh; }
    int width() { return (to.width() - 1) * stride + kw; }
    /// Rows of output pixels a band; images smaller than a stretch go together.
    int band() { return Math.min(to.height(), (stretch + to.width() - 1) / to.width()); }
    int together() { return Math.max(1, stretch / to.size()); }
    int bands() { return (to.height() + band() - 1) / band(); }
    int pieces() { return (batch + together() - 1) / together() * bands(); }

    /// Calls `body` with the output pixels of a piece, the padded pixels that they read, and where each window begins
    /// (and MR − 1 more).
    void piece(int piece, Body body) {
      int b0 = piece / bands() * together(), b1 = Math.min(batch, b0 + together()), y0 = piece % bands() * band(), y1 =
          Math.min(to.height(), y0 + band());
      int high = (y1 - y0 - 1) * stride + kh, row = width() * channels, size = (b1 - b0) * high * row;
      float[][] scratch = PADDED.get();
      if (scratch[0].length < size) scratch[0] = new float[size];
      float[] p = scratch[0];
      for (int b = b0, to = 0; b < b1; b++)
        for (int y = y0 * stride; y < y0 * stride + high; y++, to += row) fill(p, to, row, b, y);
      int[] begin = new int[(b1 - b0) * (y1 - y0) * to.width() + CpuMatMul.MR - 1];
      int n = 0;
      for (int b = 0; b < b1 - b0; b++)
        for (int y = 0; y < y1 - y0; y++)
          for (int x = 0; x < to.width(); x++) begin[n++] = ((b * high + y * stride) * width() + x * stride) * channels;
      body.run((b0 * to.height() + y0) * to.width(), n, p, begin, row);
    }

    /// One padded row.
    private void fill(float[] p, int at, int size, int b, int y) {
      int r = y - top;
      if (r < 0 || r % gap != 0 || r / gap >= from.height()) { Arrays.fill(p, at, at + size, 0); return; }
      int source = this.at + (b * from.height() + r / gap) * from.width() * channels, zeros = left * channels, count =
          Math.min(from.width() * channels, size - zeros);
      if (gap == 1) {
        Arrays.fill(p, at, at + zeros, 0);
        System.arraycopy(a, source, p, at + zeros, count);
        Arrays.fill(p, at + zeros + count, at + size, 0);
      } else {
        Arrays.fill(p, at, at + size, 0);
        for (int x = 0; x < from.width() && left + x * gap < width(); x++)
          System.arraycopy(a, source + x * channels, p, at + (left + x * gap) * channels, channels);
      }
    }

    /// y [pixels, n] from panels packed [ky][slab][panel][depth][NR].
    void multiply(float[] panels, int n, Dense bias, float[] y, int yo) {
      int wide = CpuMatMul.panels(n) * CpuMatMul.NR;
      Parallel.run(pieces(), piece -> piece(piece, (first, count, p, begin, row) -> {
        int[] at = new int[begin.length];
        for (int ky = 0; ky < kh; ky++)
          for (int k0 = 0; k0 < run(); k0 += CpuMatMul.KC) {
            for (int i = 0; i < at.length; i++) at[i] = begin[i] + ky * row + k0;
            CpuMatMul.tiles(ky + k0 > 0, count, n, Math.min(CpuMatMul.KC, run() - k0), p, at, panels,
                CpuMatMul.ALIGNED + (ky * run() + k0) * wide, y, yo + first * n, n, CpuMatMul.edge());
          }
        if (bias != null) add(bias, first, first + count, 0, n, y, yo, n);
      }));
    }
  }

  /// Adds the bias to columns j0 … j1−1 of rows i0 … i1−1 of y.
  private static void add(Dense bias, int i0, int i1, int j0, int j1, float[] y, int yo, int yr) {
    for (int i = i0; i < i1; i++) Simd.add(bias.a(), bias.at() + j0, y, yo + i * yr + j0, j1 - j0);
  }

  private interface Body { void run(int first, int count, float[] padded, int[] begin, int row); }

  private static Windows windows(Fused.Conv2d op, Dense x, Shape w, int stretch) {
    return new Windows(x.a(), x.at(), op.grid(), w.dim(3), op.padding().top(), op.padding().left(), 1, op.to(w),
        op.stride(), w.dim(1), w.dim(2), x.dim(0) / op.grid().size(), stretch);
  }

  private static boolean pointwise(Fused.Conv2d op, Shape w) {
    return w.dim(1) == 1 && w.dim(2) == 1 && op.stride() == 1 && op.padding().equals(Padding.NONE);
  }

  /// Windows that do not overlap are rows of a matrix, and the convolution is a linear layer.
  private static boolean patches(Fused.Conv2d op, Shape w) {
    return op.padding().equals(Padding.NONE) && op.stride() >= Math.max(w.dim(1), w.dim(2));
  }

  /// [pixels, kh·kw·i], in the current scope: from the pool, since fresh memory is zeroed and first touched by one core
  /// alone.
  private static float[] patches(Fused.Conv2d op, Dense x, Shape w) {
    int kh = w.dim(1), run = w.dim(2) * w.dim(3), k = kh * run, in = w.dim(3);
    Grid from = op.grid(), to = op.to(w);
    int pixels = x.dim(0) / from.size() * to.size();
    float[] p = CpuLinear.array(Tensor.empty(new Type(DType.F32, Shape.of(pixels, k))));
    Parallel.rows(pixels, Math.max(1, 65536 / k), (p0, p1) -> {
      for (int q = p0; q < p1; q++)
        for (int ky = 0; ky < kh; ky++) {
          int row = q / to.size() * from.height() + q % to.size() / to.width() * op.stride() + ky;
          System.arraycopy(x.a(), x.at() + (row * from.width() + q % to.width() * op.stride()) * in, p,
              q * k + ky * run, run);
        }
    });
    return p;
  }

  /// in: x, W, `[b]`. Groups of several channels each are products of their own.
  public static void forward(Fused.Conv2d op, List<Tensor> in, Tensor out) {
    Dense x = Dense.of(in.getFirst()), bias = op.biased() ? Dense.of(in.get(2)) : null, y = Dense.of(out);
    if (op.depthwise(in.get(1).shape())) CpuDepthwise.forward(op, x, in.get(1), bias, y);
    else if (op.groups() > 1) apart(() -> op.define(in), out);
    else forward(op, x, in.get(1), bias, y);
  }

  public static void inputGradient(Adjoint.Conv2dInput op, List<Tensor> in, Tensor dx) {
    if (op.conv().depthwise(in.getFirst().shape()))
      CpuDepthwise.inputGradient(op.conv(), Dense.of(in.get(0)), Dense.of(in.get(1)), Dense.of(dx));
    else if (op.conv().groups() > 1) apart(() -> op.define(in), dx);
    else inputGradient(op.conv(), Dense.of(in.get(0)), Dense.of(in.get(1)), Dense.of(dx));
  }

  public static void weightGradient(Adjoint.Conv2dWeight op, List<Tensor> in, Tensor dw) {
    if (op.conv().depthwise(op.weight()))
      CpuDepthwise.weightGradient(op.conv(), Dense.of(in.get(0)), Dense.of(in.get(1)), Dense.of(dw));
    else if (op.conv().groups() > 1) apart(() -> op.define(in), dw);
    else weightGradient(op.conv(), Dense.of(in.get(0)), Dense.of(in.get(1)), Dense.of(dw));
  }

  /// What other ops make, on this device.
  private static void apart(Supplier<List<Tensor>> ops, Tensor out) {
    ScopedValue.where(Interpreter.CURRENT, Interpreter.PLAIN).run(() -> {
      try (var _ = Scope.open(out.device())) {
        CpuMovement.copy(ops.get().getFirst(), CpuLinear.array(out), out.layout().offset());
      }
    });
  }

  private static void forward(Fused.Conv2d op, Dense x, Tensor weight, Dense bias, Dense y) {
    var w = Dense.of(weight);
    int o = w.dim(0), in = w.dim(3), all = w.size() / Math.max(1, o);
    if (patches(op, w.shape())) {
      boolean asIs = pointwise(op, w.shape());
      CpuMatMul.Epilogue last = bias == null ? null : (i0, i1, j0, j1) -> add(bias, i0, i1, j0, j1, y.a(), y.at(), o);
      try (var _ = Scope.open()) {
        float[] a = asIs ? x.a() : patches(op, x, w.shape());
        if (weight.layout().dense())
          CpuLinear.product(y.dim(0), o, all, a, asIs ? x.at() : 0, all, 1, weight, all, 1, y.a(), y.at(), last);
        else
          CpuMatMul.run(false, y.dim(0), o, all, a, asIs ? x.at() : 0, all, 1, w.a(), w.at(), 1, all, y.a(), y.at(), o,
              last);
      }
      return;
    }
    var v = windows(op, x, w.shape(), STRETCH);
    int k = v.run(), wide = CpuMatMul.panels(o) * CpuMatMul.NR;
    float[] panels = CpuMatMul.shared(CpuMatMul.packed(o, v.kh * k), v.kh * k, o);
    Parallel.run(v.kh, ky -> {
      for (int k0 = 0; k0 < k; k0 += CpuMatMul.KC)
        Packing.packB(panels, CpuMatMul.ALIGNED + (ky * k + k0) * wide, Math.min(CpuMatMul.KC, k - k0), 0, o, w.a(),
            w.at() + ky * k + k0, 1, v.kh * k);
    });
    v.multiply(panels, o, bias, y.a(), y.at());
  }

  /// The convolution of dy, its pixels `stride` apart, with the mirrored kernel.
  private static void inputGradient(Fused.Conv2d op, Dense w, Dense dy, Dense dx) {
    int o = w.dim(0), kh = w.dim(1), kw = w.dim(2), in = w.dim(3);
    if (pointwise(op, w.shape())) {
      CpuMatMul.run(false, dy.dim(0), in, o, dy.a(), dy.at(), o, 1, w.a(), w.at(), in, 1, dx.a(), dx.at(), in, null);
      return;
    }
    var v = new Windows(dy.a(), dy.at(), op.to(w.shape()), o, kh - 1 - op.padding().top(), kw - 1 - op.padding().left(),
        op.stride(), op.grid(), 1, kh, kw, dy.dim(0) / op.to(w.shape()).size(), STRETCH);
    int k = v.run(), wide = CpuMatMul.panels(in) * CpuMatMul.NR;
    float[] panels = CpuMatMul.shared(CpuMatMul.packed(in, kh * k), kh * k, in);
    Parallel.run(kh, ky -> {
      int[] rows = new int[k];                               // (kx, o) → W[o, kh−1−ky, kw−1−kx, :]
      for (int q = 0; q < k; q++) rows[q] = ((q % o * kh + kh - 1 - ky) * kw + kw - 1 - q / o) * in;
      for (int k0 = 0; k0 < k; k0 += CpuMatMul.KC)
        Packing.packRows(panels, CpuMatMul.ALIGNED + (ky * k + k0) * wide, k0, Math.min(CpuMatMul.KC, k - k0), in,
            w.a(), rows, w.at());
    });
    v.multiply(panels, in, null, dx.a(), dx.at());
  }

  /// dW_ky [o, kw·i] = dyᵀ [o, pixels] · A_ky [pixels, kw·i]: a piece takes some of the outputs and some of the pixels.
  private static void weightGradient(Fused.Conv2d op, Dense x, Dense dy, Dense dw) {
    int o = dw.dim(0), in = dw.dim(3);
    int all = dw.size() / Math.max(1, o);
    if (patches(op, dw.shape()) && (long) o * all > PARTIAL / 16) {
      boolean asIs = pointwise(op, dw.shape());
      try (var _ = Scope.open()) {
        CpuMatMul.run(false, o, all, dy.dim(0), dy.a(), dy.at(), 1, o, asIs ? x.a() : patches(op, x, dw.shape()), asIs
            ? x.at() : 0, all, 1, dw.a(), dw.at(), all, null);
      }
      return;
    }
    var v = windows(op, x, dw.shape(), DEEP);
    int k = v.run(), size = o * v.kh * k, parts = 1;
    while (parts < PIECES && 2L * parts * size <= PARTIAL) parts *= 2;
    parts = Math.max(1, Math.min(parts, v.pieces()));
    int blocks = Math.max(1, Math.min(PIECES / parts, o / OUTPUTS)), block = (o + blocks - 1) / blocks, share =
        (v.pieces() + parts - 1) / parts, pieces = parts;
    float[] partial = new float[parts * size];
    Parallel.run(parts * blocks, piece -> {
      int part = piece / blocks, o0 = piece % blocks * block, o1 = Math.min(o, o0 + block);
      for (int q = part * share; q < Math.min(v.pieces(), part * share + share); q++)
        v.piece(q, (first, count, p, begin, row) ->
            CpuMatMul.serialRows(v.kh, o1 - o0, k, count, dy.a(), dy.at() + first * o + o0, 1, o, p, begin, row,
            partial, part * size + o0 * v.kh * k, k, v.kh * k));
    });
    CpuRows.addInOrder(partial, pieces, size, 0, size, dw);
  }

  public static void averagePool(Fused.AveragePool op, Dense x, Dense y) {
    int c = x.dim(1);
    float k = 1f / (op.size() * op.size());
    Parallel.rows(y.dim(0), Math.max(1, 4096 / c), (from, to) -> {
      for (int p = from; p < to; p++) {
        int yt = y.at() + p * c;
        Arrays.fill(y.a(), yt, yt + c, 0);
        for (int ky = 0; ky < op.size(); ky++)
          for (int kx = 0; kx < op.size(); kx++) {
            int xt = x.at() + pixel(op, p, ky, kx) * c;
            for (int i = 0; i < c; i++) y.a()[yt + i] += x.a()[xt + i];
          }
        for (int i = 0; i < c; i++) y.a()[yt + i] *= k;
      }
    });
  }

  public static void averagePoolGradient(Fused.AveragePool op, Dense dy, Dense dx) {
    int c = dy.dim(1);
    float k = 1f / (op.size() * op.size());
    Arrays.fill(dx.a(), dx.at(), dx.at() + dx.size(), 0);
    Parallel.rows(dy.dim(0), Math.max(1, 4096 / c), (from, to) -> {
      for (int p = from; p < to; p++)
        for (int ky = 0; ky < op.size(); ky++)
          for (int kx = 0; kx < op.size(); kx++) {
            int xt = dx.at() + pixel(op, p, ky, kx) * c;
            for (int i = 0; i < c; i++) dx.a()[xt + i] = dy.a()[dy.at() + p * c + i] * k;
          }
    });
  }

  /// The input row of output row `p`'s window at (ky, kx).
  private static int pixel(Fused.AveragePool op, int p, int ky, int kx) {
    var to = op.to();
    int b = p / to.size(), y = p % to.size() / to.width() * op.size() + ky, x = p % to.width() * op.size() + kx;
    return (b * op.grid().height() + y) * op.grid().width() + x;
  }
}
