package jacquard.kernels.cpu.convolution;

import static jacquard.kernels.cpu.Simd.F;
import static jacquard.kernels.cpu.Simd.LANES;
import static jacquard.kernels.cpu.convolution.DepthwiseTaps.BLOCK;
import static jacquard.kernels.cpu.convolution.DepthwiseTaps.begin;
import static jacquard.kernels.cpu.convolution.DepthwiseTaps.panels;
import static jacquard.kernels.cpu.matmul.CpuMatMul.ALIGNED;
import static jdk.incubator.vector.FloatVector.fromArray;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Fused;
import java.util.Arrays;

/// Depthwise convolution over rows of pixels, m outputs a channel: y[p, o] = Σ over the taps t of
/// x[p·stride + t − padding, o/m] · W[o, t].
///
/// A piece of work takes a band of rows of some channels of one image: lays what they read out as
/// [row][plane][phase][column][BLOCK] with the zeros of the padding, and goes over each row of outputs with some taps
/// at a time, whose weights stay in registers. Columns of one phase are `stride` apart, so that neighbouring outputs
/// read neighbours whatever the stride. A lane is a channel from beginning to end: the bits do not depend on the width
/// of vectors.
final class CpuDepthwise {
  /// Blocks of a piece: each pixel gives them a stretch of memory long enough to stream.
  private static final int BLOCKS = 4;
  /// Floats that a band reads, about: they stay in L2.
  private static final int BAND = 1 << 16;
  /// Floats of an array that G1 takes for a large one.
  private static final int LARGE = 1 << 18;
  /// Parts of a weight gradient, at most, which are added in order.
  private static final int PARTS = 16;

  private record Panels(Shape weight, int offset) {}

  private static final ThreadLocal<float[][]> SCRATCH = ThreadLocal.withInitial(() -> new float[3][0]);

  private CpuDepthwise() {}

  /// What a row of outputs reads: source rows first … last, and by phase of the outputs the taps: where in the source,
  /// counted from its row 0, and which weight.
  private record Row(int first, int last, int[][] at, int[][] weight) {}

  /// How outputs on the grid `to` read sources on the grid `from`.
  ///
  /// @param planes sources that an output sums over: channel c reads c·planes/spread + plane
  /// @param phases columns of the source that lie apart
  /// @param left   columns of zeros before the first, `width` with them and those after
  /// @param step   columns from one output of a phase to the next; `begin` and `count` say by phase where they begin
  ///   and how many they are
  private record Plan(Grid from, Grid to, int planes, int spread, int phases, int left, int width, int step,
      int[] begin, int[] count, Row[] rows, int taps) {
    int columns() { return (width + phases - 1) / phases; }
    int row() { return planes * phases * columns() * BLOCK; }
    int place(int plane, int column) {
      return ((plane * phases + column % phases) * columns() + column / phases) * BLOCK;
    }
    int band() { return Math.clamp(BAND / BLOCKS / row() * to.height() / from.height(), 1, to.height()); }
    int bands() { return Math.ceilDiv(to.height(), band()); }

    static Plan forward(Fused.Conv2d op, Shape w) {
      int kh = w.dim(1), kw = w.dim(2), s = op.stride();
      var to = op.to(w);
      var p = new Plan(op.grid(), to, 1, w.dim(0) / op.groups(), s, op.padding().left(), (to.width() - 1) * s + kw, 1,
          new int[] {0}, new int[] {to.width()}, new Row[to.height()], kh * kw);
      for (int y = 0; y < to.height(); y++) {
        int top = y * s - op.padding().top(), k0 = Math.max(0, -top), k1 = Math.min(kh, op.grid().height() - top), n =
            0;
        int[] at = new int[Math.max(0, k1 - k0) * kw], weight = new int[at.length];
        for (int ky = k0; ky < k1; ky++)
          for (int kx = 0; kx < kw; kx++, n++) {
            at[n] = (top + ky) * p.row() + p.place(0, kx);
            weight[n] = (ky * kw + kx) * BLOCK;
          }
        p.rows[y] = new Row(top + k0, top + k1 - 1, new int[][] {at}, new int[][] {weight});
      }
      return p;
    }

    /// dx[y, x] = Σ dy[(y + top − ky)/s, (x + left − kx)/s] · W[ky, kx] where s divides both. A column's phase q is
    /// (x + left) mod s: its taps are q, q + s, ….
    static Plan backward(Fused.Conv2d op, Shape w) {
      int kh = w.dim(1), kw = w.dim(2), s = op.stride(), m = w.dim(0) / op.groups(), low = 0, high = 1;
      Grid to = op.grid(), from = op.to(w);
      int[] begin = new int[s], count = new int[s], first = new int[s];
      for (int q = 0; q < s; q++) {
        begin[q] = Math.floorMod(q - op.padding().left(), s);
        count[q] = Math.max(0, Math.ceilDiv(to.width() - begin[q], s));
        // what the phase's first output reads by its tap q
        first[q] = (begin[q] + op.padding().left() - q) / s;
        if (q < kw) low = Math.min(low, first[q] - (kw - 1 - q) / s);
        high = Math.max(high, first[q] + count[q]);
      }
      var p = new Plan(from, to, m, 1, 1, -low, high - low, s, begin, count, new Row[to.height()], kh * kw);
      for (int y = 0; y < to.height(); y++) {
        int top = y + op.padding().top(), k = top % s, lowest = Integer.MAX_VALUE, highest = -1, rows = 0;
        for (int ky = k; ky < kh; ky += s) {
          int r = (top - ky) / s;
          if (top < ky || r >= from.height()) continue;
          lowest = Math.min(lowest, r);
          highest = Math.max(highest, r);
          rows++;
        }
        int[][] at = new int[s][], weight = new int[s][];
        for (int q = 0; q < s; q++) {
          int n = 0, each = rows == 0 || q >= kw ? 0 : (kw - 1 - q) / s + 1;
          at[q] = new int[m * rows * each];
          weight[q] = new int[at[q].length];
          for (int plane = 0; plane < m && each > 0; plane++)
            for (int r = highest; r >= lowest; r--)
              // from the right: what they read ascends
              for (int kx = q + (each - 1) * s; kx >= 0; kx -= s, n++) {
                at[q][n] = r * p.row() + p.place(plane, first[q] - (kx - q) / s - low);
                weight[q][n] = (plane * p.taps + (top - r * s) * kw + kx) * BLOCK;
              }
        }
        p.rows[y] = new Row(rows == 0 ? 0 : lowest, highest, at, weight);
      }
      return p;
    }

    /// The column of the source that a tap of the first output reads.
    int column(int at) { return at % row() / BLOCK - left; }

    /// Outputs begin … end−1 of a row read nothing of the padding.
    int inner(boolean end) {
      int r = end ? to.width() : 0;
      for (var y : rows)
        for (int at : y.at[0]) r = end ? Math.min(r, from.width() - column(at)) : Math.max(r, -column(at));
      return r;
    }

    /// Whether sources can be read where they lie: neighbours in threes, as of a 3×3 kernel, for several outputs in
    /// most of a row.
    boolean lies(int channels) {
      boolean plain = planes == 1 && spread == 1 && phases == 1 && step == 1 && taps == 9 && channels % BLOCK == 0;
      return plain && Arrays.stream(rows).allMatch(r -> DepthwiseTaps.inThrees(r.at[0]))
          && inner(true) - inner(false) >= DepthwiseTaps.SEVEN;
    }

    /// Rows r0 … r1−1 of one image's channels c0 … of `n`, a block's after another's, for outputs that have `all`
    /// channels.
    void lay(Dense x, int image, int r0, int r1, int c0, int all, float[] p) {
      int wide = x.dim(1), size = (r1 - r0) * row();
      for (int r = r0, at = ALIGNED; r < r1; r++, at += row())
        for (int plane = 0; plane < planes; plane++) {
          for (int column = 0; column < phases * columns(); column++) {
            int source = column - left, to = at + place(plane, column);
            boolean inside = source >= 0 && source < from.width() && column < width;
            int pixel = x.at() + ((image * from.height() + r) * from.width() + source) * wide;
            for (int b = 0, c = c0; b < BLOCKS && c < all; b++, c += BLOCK, to += size) {
              if (!inside) Arrays.fill(p, to, to + BLOCK, 0);
              else if (planes == 1 && spread == 1) copy(x.a(), pixel + c, p, to, Math.min(BLOCK, all - c));
              else
                for (int i = 0; i < BLOCK; i++)
                  p[to + i] = c + i < all ? x.a()[pixel + (c + i) * planes / spread + plane] : 0;
            }
          }
        }
    }
  }

  /// A block of which `n` are there, zeros behind.
  private static void copy(float[] x, int at, float[] p, int to, int n) {
    if (n == BLOCK) {
      for (int v = 0; v < BLOCK; v += LANES) fromArray(F, x, at + v).intoArray(p, to + v);
      return;
    }
    System.arraycopy(x, at, p, to, n);
    Arrays.fill(p, to + n, to + BLOCK, 0);
  }

  /// A thread's buffer, used from ALIGNED on: large enough that it begins where cache lines do, which loads of 64 bytes
  /// need.
  private static float[] scratch(int which, int size) {
    float[][] s = SCRATCH.get();
    return s[which].length >= ALIGNED + size ? s[which] : (s[which] = new float[Math.max(ALIGNED + size, LARGE)]);
  }

  static void forward(Fused.Conv2d op, Dense x, Tensor weight, Dense bias, Dense y) {
    var w = weight.shape();
    boolean kept = weight.layout().dense() && !Pass.current().training();
    float[] panels = kept ? weight.storage().derived(new Panels(w, weight.layout().offset()), () ->
        panels(Dense.of(weight), 1)) : panels(Dense.of(weight), 1);
    run(Plan.forward(op, w), x, panels, bias, y);
  }

  static void inputGradient(Fused.Conv2d op, Dense w, Dense dy, Dense dx) {
    run(Plan.backward(op, w.shape()), dy, panels(w, w.dim(0) / op.groups()), null, dx);
  }

  private static void run(Plan p, Dense x, float[] panels, Dense bias, Dense y) {
    if (p.lies(y.dim(1))) {
      direct(p, x, panels, bias, y);
      return;
    }
    int channels = y.dim(1), images = y.dim(0) / p.to.size(), groups = Math.ceilDiv(channels, BLOCK * BLOCKS), block =
        p.planes * p.taps * BLOCK;
    int most = Arrays.stream(p.count).max().orElse(0) * BLOCK;
    Parallel.run(images * p.bands() * groups, piece -> {
      int c0 = piece % groups * BLOCK * BLOCKS, image = piece / groups / p.bands(), y0 =
          piece / groups % p.bands() * p.band(), y1 = Math.min(p.to.height(), y0 + p.band());
      int r0 = p.from.height(), r1 = 0;
      for (int r = y0; r < y1; r++)
        if (p.rows[r].last >= p.rows[r].first) {
          r0 = Math.min(r0, p.rows[r].first);
          r1 = Math.max(r1, p.rows[r].last + 1);
        }
      int size = Math.max(0, r1 - r0) * p.row();
      float[] source = scratch(0, size * BLOCKS), sums = scratch(1, most);
      p.lay(x, image, r0, r1, c0, channels, source);
      for (int b = 0, c = c0; b < BLOCKS && c < channels; b++, c += BLOCK) {
        int n = Math.min(BLOCK, channels - c), base = ALIGNED + b * size - r0 * p.row(), w = c / BLOCK * block;
        for (int r = y0; r < y1; r++)
          for (int q = 0; q < p.count.length; q++) {
            int count = p.count[q] * BLOCK, to =
                y.at() + ((image * p.to.height() + r) * p.to.width() + p.begin[q]) * channels + c;
            begin(sums, count, bias, c, n);
            DepthwiseTaps.sum(source, base, p.rows[r].at[q], panels, w, p.rows[r].weight[q], sums, count);
            for (int i = 0; i < count; i += BLOCK, to += p.step * channels) {
              if (n == BLOCK)
                for (int v = 0; v < BLOCK; v += LANES) fromArray(F, sums, ALIGNED + i + v).intoArray(y.a(), to + v);
              else System.arraycopy(sums, ALIGNED + i, y.a(), to, n);
            }
          }
      }
    });
  }

  /// The same without laying out: less to move where a source has few taps.
  private static void direct(Plan p, Dense x, float[] panels, Dense bias, Dense y) {
    int channels = y.dim(1), images = y.dim(0) / p.to.size(), groups = Math.ceilDiv(channels, BLOCK * BLOCKS);
    int wide = p.to.width(), block = p.taps * BLOCK, first = p.inner(false), end = p.inner(true);
    int bo = bias == null ? 0 : bias.at();
    float[] b = bias == null ? new float[channels] : bias.a();
    int[][] columns = new int[p.rows.length][], at = new int[p.rows.length][];
    for (int r = 0; r < at.length; r++) {
      columns[r] = Arrays.stream(p.rows[r].at[0]).map(p::column).toArray();
      at[r] = Arrays.stream(p.rows[r].at[0]).map(a -> (a / p.row() * p.from.width() + p.column(a)) * channels)
          .toArray();
    }
    Parallel.run(images * p.bands() * groups, piece -> {
      int c0 = piece % groups * BLOCK * BLOCKS, n = Math.min(channels - c0, BLOCK * BLOCKS), w = c0 * p.taps;
      int image = piece / groups / p.bands(), y0 = piece / groups % p.bands() * p.band();
      for (int r = y0; r < Math.min(p.to.height(), y0 + p.band()); r++) {
        int from = x.at() + image * p.from.size() * channels + c0;
        int to = y.at() + (image * p.to.height() + r) * wide * channels + c0;
        int[] weight = p.rows[r].weight[0];
        DepthwiseTaps.threes(x.a(), from + first * channels, at[r], panels, w, weight, block, b, bo + c0, y.a(),
            to + first * channels, end - first, channels, n);
        for (int i = 0; i < wide; i = i == first - 1 ? end : i + 1)
          if (i < first || i >= end)
            DepthwiseTaps.edge(x.a(), from + i * channels, at[r], columns[r], i, p.from.width(), panels, w, weight,
                block, b, bo + c0, y.a(), to + i * channels, n);
      }
    });
  }

  /// dW[o, t] = Σ over the outputs of dy · what the tap reads: bands of images in parts, which are added in order.
  static void weightGradient(Fused.Conv2d op, Dense x, Dense dy, Dense dw) {
    var p = Plan.forward(op, dw.shape());
    int channels = dw.dim(0), images = dy.dim(0) / p.to.size(), groups = Math.ceilDiv(channels, BLOCK * BLOCKS), all =
        images * p.bands(), parts = Math.clamp(all, 1, PARTS);
    int wide = groups * BLOCKS * p.taps * BLOCK, share = Math.ceilDiv(all, parts), line = p.to.width() * BLOCK;
    float[] partial = new float[parts * wide];
    Parallel.run(parts * groups, piece -> {
      int part = piece / groups, c0 = piece % groups * BLOCK * BLOCKS;
      for (int unit = part * share; unit < Math.min(all, part * share + share); unit++) {
        int image = unit / p.bands(), y0 = unit % p.bands() * p.band(), y1 = Math.min(p.to.height(), y0 + p.band()),
            r0 = p.rows[y0].first, r1 = p.rows[y1 - 1].last + 1;
        int size = Math.max(0, r1 - r0) * p.row();
        float[] source = scratch(0, size * BLOCKS), slopes = scratch(2, (y1 - y0) * line);
        p.lay(x, image, r0, r1, c0, channels, source);
        for (int b = 0, c = c0; b < BLOCKS && c < channels; b++, c += BLOCK) {
          int n = Math.min(BLOCK, channels - c), from =
              dy.at() + (image * p.to.height() + y0) * p.to.width() * channels + c;
          for (int i = 0; i < (y1 - y0) * p.to.width(); i++)
            copy(dy.a(), from + i * channels, slopes, ALIGNED + i * BLOCK, n);
          for (int r = y0; r < y1; r++)
            DepthwiseProducts.products(source, ALIGNED + b * size - r0 * p.row(), p.rows[r].at[0], slopes,
                ALIGNED + (r - y0) * line, line, partial, part * wide + c * p.taps, p.rows[r].weight[0]);
        }
      }
    });
    Parallel.rows(channels, Math.max(1, 16384 / p.taps), (from, to) -> {
      for (int c = from; c < to; c++)
        for (int t = 0; t < p.taps; t++) {
          float s = 0;
          for (int part = 0, at = (c / BLOCK * p.taps + t) * BLOCK + c % BLOCK; part < parts; part++, at += wide)
            s += partial[at];
          dw.a()[dw.at() + c * p.taps + t] = s;
        }
    });
  }
}
