package jacquard.kernels.cpu;

import jacquard.tensor.Grid;
import jacquard.tensor.op.Fused;
import java.util.Arrays;

/// Convolution over rows of pixels: a stretch of output pixels gathers its windows [pixels, kh·kw·i], then a product with W [o, kh·kw·i].
final class CpuConv2d {
  /// Output pixels a stretch: its windows stay in L2.
  private static final int STRETCH = 128;
  /// Partial weight gradients, added in order; fixed, so that the bits do not depend on the cores.
  private static final int PARTS = 8;

  private CpuConv2d() {}

  private record Plan(Grid from, Grid to, int kh, int kw, int in, int out, int stride, int padding) {
    static Plan of(Fused.Conv2d op, jacquard.tensor.Shape w) {
      return new Plan(op.grid(), op.to(w), w.dim(1), w.dim(2), w.dim(3), w.dim(0), op.stride(), op.padding());
    }
    int window() { return kh * kw * in; }

    /// The windows of output pixels p0 … p1−1. [p1−p0, kh·kw·i]
    void gather(Dense x, int p0, int p1, float[] windows) {
      for (int p = p0, at = 0; p < p1; p++) {
        int b = p / to.size(), y = p % to.size() / to.width() * stride - padding, c = p % to.width() * stride - padding;
        for (int ky = 0; ky < kh; ky++)
          for (int kx = 0; kx < kw; kx++, at += in) {
            int r = y + ky, s = c + kx;
            if (r < 0 || r >= from.height() || s < 0 || s >= from.width()) Arrays.fill(windows, at, at + in, 0);
            else System.arraycopy(x.a(), x.at() + ((b * from.height() + r) * from.width() + s) * in, windows, at, in);
          }
      }
    }

    /// Adds windows back to the pixels they came from.
    void scatter(float[] windows, int p0, int p1, Dense dx) {
      for (int p = p0, at = 0; p < p1; p++) {
        int b = p / to.size(), y = p % to.size() / to.width() * stride - padding, c = p % to.width() * stride - padding;
        for (int ky = 0; ky < kh; ky++)
          for (int kx = 0; kx < kw; kx++, at += in) {
            int r = y + ky, s = c + kx;
            if (r < 0 || r >= from.height() || s < 0 || s >= from.width()) continue;
            int dt = dx.at() + ((b * from.height() + r) * from.width() + s) * in;
            for (int i = 0; i < in; i++) dx.a()[dt + i] += windows[at + i];
          }
      }
    }
  }

  static void forward(Fused.Conv2d op, Dense x, Dense w, Dense y) {
    var plan = Plan.of(op, w.shape());
    int k = plan.window(), o = plan.out;
    Parallel.rows(y.dim(0), STRETCH, (p0, p1) -> {
      float[] windows = new float[(p1 - p0) * k];
      plan.gather(x, p0, p1, windows);
      CpuMatMul.serial(false, p1 - p0, o, k, windows, 0, k, 1, w.a(), w.at(), 1, k, y.a(), y.at() + p0 * o, o);
    });
  }

  /// Images are independent: a window never leaves its own.
  static void inputGradient(Fused.Conv2d op, Dense w, Dense dy, Dense dx) {
    var plan = Plan.of(op, w.shape());
    int k = plan.window(), o = plan.out, n = plan.to.size(), batch = dy.dim(0) / n;
    Parallel.run(batch, b -> {
      int from = dx.at() + b * plan.from.size() * plan.in;
      Arrays.fill(dx.a(), from, from + plan.from.size() * plan.in, 0);
      float[] windows = new float[Math.min(STRETCH, n) * k];
      for (int p0 = b * n; p0 < (b + 1) * n; p0 += STRETCH) {
        int p1 = Math.min((b + 1) * n, p0 + STRETCH);
        CpuMatMul.serial(false, p1 - p0, k, o, dy.a(), dy.at() + p0 * o, o, 1, w.a(), w.at(), k, 1, windows, 0, k);
        plan.scatter(windows, p0, p1, dx);
      }
    });
  }

  static void weightGradient(Fused.Conv2d op, Dense x, Dense dy, Dense dw) {
    var plan = Plan.of(op, dw.shape());
    int k = plan.window(), o = plan.out, pixels = dy.dim(0), part = (pixels + PARTS - 1) / PARTS;
    float[] partial = new float[PARTS * o * k];
    Parallel.run(PARTS, q -> {
      float[] windows = new float[STRETCH * k];
      for (int p0 = q * part; p0 < Math.min(pixels, q * part + part); p0 += STRETCH) {
        int p1 = Math.min(Math.min(pixels, q * part + part), p0 + STRETCH);
        plan.gather(x, p0, p1, windows);
        CpuMatMul.serial(true, o, k, p1 - p0, dy.a(), dy.at() + p0 * o, 1, o, windows, 0, k, 1, partial, q * o * k, k);
      }
    });
    CpuRows.addInOrder(partial, PARTS, o * k, 0, o * k, dw);
  }

  static void averagePool(Fused.AveragePool op, Dense x, Dense y) {
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

  static void averagePoolGradient(Fused.AveragePool op, Dense dy, Dense dx) {
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
