package jacquard.kernels.cpu;

import static jacquard.kernels.cpu.Simd.LANES;
import static jacquard.kernels.cpu.Simd.all;
import static jacquard.kernels.cpu.Simd.load;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// What is computed within a row: softmax, layer norm, L2 norm, and their gradients.
final class CpuRows {
  /// Partial sums over rows are made by stretches of this many, then added in order: a matter of shape, not of cores.
  private static final int STRETCH = 64;

  private CpuRows() {}

  private static int grain(int width) { return Math.max(1, 16384 / Math.max(1, width)); }

  static void softmax(Dense x, Dense y) {
    int d = x.dim(-1), rows = x.size() / Math.max(1, d);
    Parallel.rows(rows, grain(d), (from, to) -> {
      for (int r = from; r < to; r++) {
        int at = y.at() + r * d;
        float sum = Simd.expShifted(x.a(), x.at() + r * d, Simd.max(x.a(), x.at() + r * d, d), y.a(), at, d), k = 1 / sum;
        for (int i = 0; i < d; i++) y.a()[at + i] *= k;
      }
    });
  }

  static void softmaxGradient(Dense y, Dense dy, Dense dx) {
    int d = y.dim(-1), rows = y.size() / Math.max(1, d);
    Parallel.rows(rows, grain(d), (from, to) -> {
      for (int r = from; r < to; r++) {
        int yt = y.at() + r * d, gt = dy.at() + r * d, dt = dx.at() + r * d;
        float s = Simd.dot(y.a(), yt, dy.a(), gt, d);
        for (int i = 0; i < d; i++) dx.a()[dt + i] = y.a()[yt + i] * (dy.a()[gt + i] - s);
      }
    });
  }

  /// in: x, γ, β; out: y[, μ, 1/σ]
  static void layerNorm(float epsilon, Dense[] in, Dense[] out) {
    Dense x = in[0], g = in[1], b = in[2], y = out[0];
    int d = x.dim(1);
    Parallel.rows(x.dim(0), grain(d), (from, to) -> {
      for (int r = from; r < to; r++) {
        int xt = x.at() + r * d, yt = y.at() + r * d;
        float mean = Simd.sum(x.a(), xt, d) / d;
        float deviation = 1 / (float) Math.sqrt(squares(x.a(), xt, mean, d) / d + epsilon);
        float shift = -mean * deviation;
        for (int i = 0; i < d; i++) y.a()[yt + i] = Math.fma(Math.fma(x.a()[xt + i], deviation, shift), g.a()[g.at() + i], b.a()[b.at() + i]);
        if (out.length > 1) {
          out[1].a()[out[1].at() + r] = mean;
          out[2].a()[out[2].at() + r] = deviation;
        }
      }
    });
  }

  /// Σ (x − mean)²
  private static float squares(float[] x, int at, float mean, int n) {
    var s = FloatVector.zero(Simd.F);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      var c = load(x, at + i).sub(mean);
      s = c.fma(c, s);
    }
    float r = Simd.sum(s);
    for (; i < n; i++) r = Math.fma(x[at + i] - mean, x[at + i] - mean, r);
    return r;
  }

  /// in: x, γ, μ, 1/σ, dy; out: dx, dγ, dβ. With n = (x − μ)/σ and h = dy·γ: dx = (h − mean h − n·mean(h·n))/σ.
  static void layerNormGradient(Dense[] in, Dense[] out) {
    Dense x = in[0], g = in[1], mean = in[2], deviation = in[3], dy = in[4];
    int rows = x.dim(0), d = x.dim(1), stretches = (rows + STRETCH - 1) / STRETCH;
    float[] partial = new float[stretches * 2 * d];                              // [stretches, (dγ, dβ), d]
    Parallel.run(stretches, p -> {
      int dg = p * 2 * d, db = dg + d;
      float[] X = x.a(), D = dy.a(), G = g.a();
      for (int r = p * STRETCH; r < Math.min(rows, p * STRETCH + STRETCH); r++) {
        int xt = x.at() + r * d, yt = dy.at() + r * d, dt = out[0].at() + r * d;
        float m = mean.a()[mean.at() + r], k = deviation.a()[deviation.at() + r], shift = -m * k;
        FloatVector s = FloatVector.zero(Simd.F), t = s;
        int i = 0;
        for (; i <= d - LANES; i += LANES) {
          var h = load(D, yt + i).mul(load(G, g.at() + i));
          s = s.add(h);
          t = h.fma(load(X, xt + i).fma(all(k), all(shift)), t);
        }
        float sum = Simd.sum(s), dot = Simd.sum(t);
        for (; i < d; i++) {
          float h = D[yt + i] * G[g.at() + i];
          sum += h;
          dot = Math.fma(h, Math.fma(X[xt + i], k, shift), dot);
        }
        float a = sum / d, c = dot / d;
        float[] O = out[0].a();
        for (int j = 0; j < d; j++) {
          float n = Math.fma(X[xt + j], k, shift), y = D[yt + j];
          O[dt + j] = (y * G[g.at() + j] - a - n * c) * k;
          partial[dg + j] = Math.fma(y, n, partial[dg + j]);
          partial[db + j] += y;
        }
      }
    });
    addInOrder(partial, stretches, 2 * d, 0, d, out[1]);
    addInOrder(partial, stretches, 2 * d, d, d, out[2]);
  }

  /// to = Σ over pieces of partial[piece·step + from … + n]
  static void addInOrder(float[] partial, int pieces, int step, int from, int n, Dense to) {
    Parallel.rows(n, 16384, (i0, i1) -> {
      Arrays.fill(to.a(), to.at() + i0, to.at() + i1, 0);
      for (int p = 0; p < pieces; p++) for (int i = i0; i < i1; i++) to.a()[to.at() + i] += partial[p * step + from + i];
    });
  }

  static void normalize(float epsilon, Dense x, Dense y) {
    int d = x.dim(1);
    Parallel.rows(x.dim(0), grain(d), (from, to) -> {
      for (int r = from; r < to; r++) {
        int xt = x.at() + r * d, yt = y.at() + r * d;
        float k = 1 / Math.max((float) Math.sqrt(Simd.dot(x.a(), xt, x.a(), xt, d)), epsilon);
        for (int i = 0; i < d; i++) y.a()[yt + i] = x.a()[xt + i] * k;
      }
    });
  }

  /// dx = (dy − y·(y·dy))/‖x‖; where ‖x‖ ≤ ε the divisor is constant: dx = dy/ε
  static void normalizeGradient(float epsilon, Dense x, Dense dy, Dense dx) {
    int d = x.dim(1);
    Parallel.rows(x.dim(0), grain(d), (from, to) -> {
      for (int r = from; r < to; r++) {
        int xt = x.at() + r * d, gt = dy.at() + r * d, dt = dx.at() + r * d;
        float norm = (float) Math.sqrt(Simd.dot(x.a(), xt, x.a(), xt, d)), k = 1 / Math.max(norm, epsilon);
        float c = norm > epsilon ? Simd.dot(x.a(), xt, dy.a(), gt, d) * k * k : 0;
        for (int i = 0; i < d; i++) dx.a()[dt + i] = (dy.a()[gt + i] - x.a()[xt + i] * c) * k;
      }
    });
  }
}
