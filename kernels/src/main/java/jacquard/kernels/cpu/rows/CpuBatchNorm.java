package jacquard.kernels.cpu.rows;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import java.util.function.UnaryOperator;

/// Batch norm over the rows of x [r,c]: statistics of columns, by stretches of rows added in order, in double. Where
/// several ranks hold rows, `joined` makes of one rank's sums those of all.
public final class CpuBatchNorm {
  private static final int STRETCH = 256;

  private CpuBatchNorm() {}

  /// in: x, γ, β; out: y[, μ, σ²[, rows]]
  public static void forward(float epsilon, UnaryOperator<double[]> joined, Dense[] in, Dense[] out) {
    Dense x = in[0];
    int r = x.dim(0), c = x.dim(1);
    double[] local = columns(r, 2 * c, (row, acc) -> {
      for (int j = 0; j < c; j++) {
        double v = x.a()[x.at() + row * c + j];
        acc[j] += v;
        acc[c + j] += v * v;
      }
    });
    double[] sums = joined.apply(local);
    double n = sums[2 * c];
    float[] scale = new float[c], shift = new float[c];
    for (int j = 0; j < c; j++) {
      double mean = sums[j] / n, variance = Math.max(0, sums[c + j] / n - mean * mean);
      double k = in[1].a()[in[1].at() + j] / Math.sqrt(variance + epsilon);
      scale[j] = (float) k;
      shift[j] = (float) (in[2].a()[in[2].at() + j] - mean * k);
      if (out.length > 1) {
        out[1].a()[out[1].at() + j] = (float) mean;
        out[2].a()[out[2].at() + j] = (float) variance;
      }
    }
    if (out.length > 3) out[3].a()[out[3].at()] = (float) n;
    Parallel.rows(r, Math.max(1, 16384 / c), (from, to) -> {
      for (int row = from; row < to; row++) {
        int xt = x.at() + row * c, yt = out[0].at() + row * c;
        for (int j = 0; j < c; j++) out[0].a()[yt + j] = Math.fma(x.a()[xt + j], scale[j], shift[j]);
      }
    });
  }

  /// in: x, γ, μ, σ²[, rows], dy; out: dx and this rank's dγ, dβ. With n = (x − μ)/√(σ² + ε): dx = γ/√(σ² + ε)·(dy −
  /// mean dy − n·mean(dy·n)).
  public static void backward(float epsilon, UnaryOperator<double[]> joined, Dense[] in, Dense[] out) {
    Dense x = in[0], dy = in[in.length - 1];
    int r = x.dim(0), c = x.dim(1);
    float[] mean = new float[c], k = new float[c];
    for (int j = 0; j < c; j++) {
      mean[j] = in[2].a()[in[2].at() + j];
      k[j] = (float) (1 / Math.sqrt(in[3].a()[in[3].at() + j] + (double) epsilon));
    }
    double[] local = columns(r, 2 * c, (row, acc) -> {
      for (int j = 0; j < c; j++) {
        double d = dy.a()[dy.at() + row * c + j];
        acc[j] += d;
        acc[c + j] += d * ((x.a()[x.at() + row * c + j] - mean[j]) * k[j]);
      }
    });
    double[] sums = joined.apply(local);
    float[] a = new float[c], b = new float[c], g = new float[c];
    for (int j = 0; j < c; j++) {
      out[2].a()[out[2].at() + j] = (float) local[j];
      out[1].a()[out[1].at() + j] = (float) local[c + j];
      a[j] = (float) (sums[j] / sums[2 * c]);
      b[j] = (float) (sums[c + j] / sums[2 * c]);
      g[j] = in[1].a()[in[1].at() + j] * k[j];
    }
    Parallel.rows(r, Math.max(1, 16384 / c), (from, to) -> {
      for (int row = from; row < to; row++) {
        int xt = x.at() + row * c, gt = dy.at() + row * c, dt = out[0].at() + row * c;
        for (int j = 0; j < c; j++)
          out[0].a()[dt + j] = g[j] * (dy.a()[gt + j] - a[j] - (x.a()[xt + j] - mean[j]) * k[j] * b[j]);
      }
    });
  }

  private interface Row { void add(int row, double[] sums); }

  /// The sums over all rows, behind them the number of rows.
  private static double[] columns(int rows, int width, Row body) {
    int pieces = (rows + STRETCH - 1) / STRETCH;
    double[][] partial = new double[pieces][];
    Parallel.run(pieces, p -> {
      double[] acc = new double[width];
      for (int r = p * STRETCH; r < Math.min(rows, p * STRETCH + STRETCH); r++) body.add(r, acc);
      partial[p] = acc;
    });
    double[] sum = new double[width + 1];
    sum[width] = rows;
    for (double[] p : partial) for (int j = 0; j < width; j++) sum[j] += p[j];
    return sum;
  }
}
