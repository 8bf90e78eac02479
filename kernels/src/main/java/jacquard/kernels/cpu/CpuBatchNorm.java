package jacquard.kernels.cpu;

/// Batch norm over the rows of x [r,c]: statistics of columns, by stretches of rows added in order, in double.
final class CpuBatchNorm {
  private static final int STRETCH = 256;

  private CpuBatchNorm() {}

  /// in: x, γ, β; out: y[, μ, σ²]
  static void forward(float epsilon, Dense[] in, Dense[] out) {
    Dense x = in[0];
    int r = x.dim(0), c = x.dim(1);
    double[] sums = columns(r, 2 * c, (row, acc) -> {
      for (int j = 0; j < c; j++) {
        double v = x.a()[x.at() + row * c + j];
        acc[j] += v;
        acc[c + j] += v * v;
      }
    });
    float[] scale = new float[c], shift = new float[c];
    for (int j = 0; j < c; j++) {
      double mean = sums[j] / r, variance = Math.max(0, sums[c + j] / r - mean * mean);
      double k = in[1].a()[in[1].at() + j] / Math.sqrt(variance + epsilon);
      scale[j] = (float) k;
      shift[j] = (float) (in[2].a()[in[2].at() + j] - mean * k);
      if (out.length > 1) {
        out[1].a()[out[1].at() + j] = (float) mean;
        out[2].a()[out[2].at() + j] = (float) variance;
      }
    }
    Parallel.rows(r, Math.max(1, 16384 / c), (from, to) -> {
      for (int row = from; row < to; row++) {
        int xt = x.at() + row * c, yt = out[0].at() + row * c;
        for (int j = 0; j < c; j++) out[0].a()[yt + j] = Math.fma(x.a()[xt + j], scale[j], shift[j]);
      }
    });
  }

  /// in: x, γ, μ, σ², dy; out: dx, dγ, dβ. With n = (x − μ)/√(σ² + ε): dx = γ/√(σ² + ε)·(dy − mean dy − n·mean(dy·n)).
  static void backward(float epsilon, Dense[] in, Dense[] out) {
    Dense x = in[0], dy = in[4];
    int r = x.dim(0), c = x.dim(1);
    float[] mean = new float[c], k = new float[c];
    for (int j = 0; j < c; j++) {
      mean[j] = in[2].a()[in[2].at() + j];
      k[j] = (float) (1 / Math.sqrt(in[3].a()[in[3].at() + j] + (double) epsilon));
    }
    double[] sums = columns(r, 2 * c, (row, acc) -> {
      for (int j = 0; j < c; j++) {
        double d = dy.a()[dy.at() + row * c + j];
        acc[j] += d;
        acc[c + j] += d * ((x.a()[x.at() + row * c + j] - mean[j]) * k[j]);
      }
    });
    float[] a = new float[c], b = new float[c], g = new float[c];
    for (int j = 0; j < c; j++) {
      out[2].a()[out[2].at() + j] = (float) sums[j];
      out[1].a()[out[1].at() + j] = (float) sums[c + j];
      a[j] = (float) (sums[j] / r);
      b[j] = (float) (sums[c + j] / r);
      g[j] = in[1].a()[in[1].at() + j] * k[j];
    }
    Parallel.rows(r, Math.max(1, 16384 / c), (from, to) -> {
      for (int row = from; row < to; row++) {
        int xt = x.at() + row * c, gt = dy.at() + row * c, dt = out[0].at() + row * c;
        for (int j = 0; j < c; j++) out[0].a()[dt + j] = g[j] * (dy.a()[gt + j] - a[j] - (x.a()[xt + j] - mean[j]) * k[j] * b[j]);
      }
    });
  }

  private interface Row { void add(int row, double[] sums); }

  private static double[] columns(int rows, int width, Row body) {
    int pieces = (rows + STRETCH - 1) / STRETCH;
    double[][] partial = new double[pieces][];
    Parallel.run(pieces, p -> {
      double[] acc = new double[width];
      for (int r = p * STRETCH; r < Math.min(rows, p * STRETCH + STRETCH); r++) body.add(r, acc);
      partial[p] = acc;
    });
    double[] sum = new double[width];
    for (double[] p : partial) for (int j = 0; j < width; j++) sum[j] += p[j];
    return sum;
  }
}
