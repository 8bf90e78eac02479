package jacquard.kernels.cpu.rows;

import static jacquard.kernels.cpu.Simd.F;
import static jacquard.kernels.cpu.Simd.LANES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;
import static jdk.incubator.vector.FloatVector.zero;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.MAX;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// What is computed within a row: softmax, layer norm, L2 norm, and their gradients.
public final class CpuRows {
  /// Partial sums over rows are made by stretches of this many, then added in order: a matter of shape, not of cores.
  private static final int STRETCH = 64;

  private CpuRows() {}

  private static int grain(int width) { return Math.max(1, 16384 / Math.max(1, width)); }

  /// Some rows of a softmax: what is subtracted from each in `shift`, what they sum to in `sum`, and a vector of
  /// scratch.
  private record Block(float[] x, int xt, float[] y, int yt, int rows, int d, float[] shift, float[] sum,
      float[] part) {
    
  }

  /// The steps of a softmax are called in turn from one place. There are three or more, so C2 leaves them as calls
  /// there and compiles each by itself: in one body they come near its limit of nodes, and behind the limit it leaves
  /// calls with vectors in boxes.
  private interface Body { void on(Block b); }

  private static final Body[] SOFTMAX = {CpuRows::maxima, CpuRows::powers, CpuRows::shares};
  private static final float[] INDEX = new float[LANES];
  static { for (int i = 0; i < LANES; i++) INDEX[i] = i; }

  public static void softmax(Dense x, Dense y) {
    // x and y in L1
    int d = x.dim(-1), rows = x.size() / Math.max(1, d), few = Math.max(1, 2048 / Math.max(1, d));
    Parallel.rows(rows, grain(d), (from, to) -> {
      float[] shift = new float[few], sum = new float[few], part = new float[LANES];
      for (int r = from; r < to; r += few) {
        var b = new Block(x.a(), x.at() + r * d, y.a(), y.at() + r * d, Math.min(few, to - r), d, shift, sum, part);
        if (d < LANES) narrow(b);
        else for (var s : SOFTMAX) s.on(b);
      }
    });
  }

  // The last vector of a row ends with it, and overlaps the one before: of rows of 50 a scalar rest would take as long
  // as all vectors.

  /// The largest of each row; of NaNs it may leave out some, since they show in what follows.
  private static void maxima(Block b) {
    float[] x = b.x;
    int d = b.d;
    for (int r = 0, at = b.xt; r < b.rows; r++, at += d) {
      FloatVector m = fromArray(F, x, at + d - LANES), o = m;
      int i = 0;
      for (; i < d - 2 * LANES; i += 2 * LANES) {
        FloatVector v = fromArray(F, x, at + i), w = fromArray(F, x, at + i + LANES);
        m = m.blend(v, v.compare(GT, m));
        o = o.blend(w, w.compare(GT, o));
      }
      if (i < d - LANES) {
        var v = fromArray(F, x, at + i);
        m = m.blend(v, v.compare(GT, m));
      }
      b.shift[r] = m.blend(o, o.compare(GT, m)).reduceLanes(MAX);
    }
  }

  /// y ← e^(x − shift), and the sums.
  private static void powers(Block b) {
    float[] x = b.x, y = b.y;
    int d = b.d, last = d - LANES;
    var index = fromArray(F, INDEX, 0);
    for (int r = 0, xt = b.xt, yt = b.yt; r < b.rows; r++, xt += d, yt += d) {
      FloatVector m = broadcast(F, b.shift[r]), s = zero(F);
      for (int i = 0; i < d; i += LANES) {
        int c = Math.min(i, last);
        var e = Simd.expOfNegative(fromArray(F, x, xt + c).sub(m));
        e.intoArray(y, yt + c);
        s = s.add(e.blend(0f, index.compare(LT, (float) (i - c))));                // without what overlaps
      }
      s.intoArray(b.part, 0);
      b.sum[r] = folded(b.part);
    }
  }

  /// Four by four, in the order of [Simd#total].
  private static float folded(float[] v) {
    float r = (v[0] + v[1]) + (v[2] + v[3]);
    if (LANES > 4) r += (v[4] + v[5]) + (v[6] + v[7]);
    if (LANES > 8) r += ((v[8] + v[9]) + (v[10] + v[11])) + ((v[12] + v[13]) + (v[14] + v[15]));
    return r;
  }

  private static void shares(Block b) {
    float[] y = b.y;
    int last = b.d - LANES;
    for (int r = 0, at = b.yt; r < b.rows; r++, at += b.d) {
      float k = 1 / b.sum[r];
      var end = fromArray(F, y, at + last).mul(k);
      for (int i = 0; i < last; i += LANES) fromArray(F, y, at + i).mul(k).intoArray(y, at + i);
      end.intoArray(y, at + last);
    }
  }

  /// Rows of fewer elements than a vector has.
  private static void narrow(Block b) {
    for (int r = 0, xt = b.xt, yt = b.yt; r < b.rows; r++, xt += b.d, yt += b.d) {
      float max = Float.NEGATIVE_INFINITY, sum = 0;
      for (int i = 0; i < b.d; i++) if (b.x[xt + i] > max) max = b.x[xt + i];
      for (int i = 0; i < b.d; i++) sum += b.y[yt + i] = Simd.exp(b.x[xt + i] - max);
      float k = 1 / sum;
      for (int i = 0; i < b.d; i++) b.y[yt + i] *= k;
    }
  }

  public static void softmaxGradient(Dense y, Dense dy, Dense dx) {
    int d = y.dim(-1), rows = y.size() / Math.max(1, d);
    Parallel.rows(rows, grain(d), (from, to) -> {
      for (int r = from; r < to; r++) {
        int yt = y.at() + r * d, gt = dy.at() + r * d, dt = dx.at() + r * d;
        float s = Simd.dot(y.a(), yt, dy.a(), gt, d);
        softmaxSlopes(y.a(), yt, dy.a(), gt, s, dx.a(), dt, d);
      }
    });
  }

  /// dx = y·(dy − s)
  private static void softmaxSlopes(float[] y, int yt, float[] g, int gt, float s, float[] dx, int dt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES)
      fromArray(F, y, yt + i).mul(fromArray(F, g, gt + i).sub(s)).intoArray(dx, dt + i);
    for (; i < n; i++) dx[dt + i] = y[yt + i] * (g[gt + i] - s);
  }

  /// in: x, γ, β; out: y[, μ, 1/σ]
  public static void layerNorm(float epsilon, Dense[] in, Dense[] out) {
    Dense x = in[0], g = in[1], b = in[2], y = out[0];
    int d = x.dim(1);
    Parallel.rows(x.dim(0), grain(d), (from, to) -> {
      for (int r = from; r < to; r++) {
        int xt = x.at() + r * d, yt = y.at() + r * d;
        float mean = Simd.sum(x.a(), xt, d) / d;
        float deviation = 1 / (float) Math.sqrt(squares(x.a(), xt, mean, d) / d + epsilon);
        normal(x.a(), xt, deviation, -mean * deviation, g.a(), g.at(), b.a(), b.at(), y.a(), yt, d);
        if (out.length > 1) {
          out[1].a()[out[1].at() + r] = mean;
          out[2].a()[out[2].at() + r] = deviation;
        }
      }
    });
  }

  /// Σ (x − mean)²
  private static float squares(float[] x, int at, float mean, int n) {
    FloatVector s = zero(F), t = s, m = broadcast(F, mean);
    int i = 0;
    for (; i <= n - 2 * LANES; i += 2 * LANES) {
      var a = fromArray(F, x, at + i).sub(m);
      var b = fromArray(F, x, at + i + LANES).sub(m);
      s = a.fma(a, s);
      t = b.fma(b, t);
    }
    for (; i <= n - LANES; i += LANES) {
      var a = fromArray(F, x, at + i).sub(m);
      s = a.fma(a, s);
    }
    float r = Simd.total(s.add(t));
    for (; i < n; i++) r = Math.fma(x[at + i] - mean, x[at + i] - mean, r);
    return r;
  }

  /// y = γ·(k·x + shift) + β
  private static void normal(float[] x, int xt, float k, float shift, float[] g, int gt, float[] b, int bt, float[] y,
      int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES)
      fromArray(F, x, xt + i).fma(broadcast(F, k), broadcast(F, shift))
          .fma(fromArray(F, g, gt + i), fromArray(F, b, bt + i)).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] = Math.fma(Math.fma(x[xt + i], k, shift), g[gt + i], b[bt + i]);
  }

  /// in: x, γ, μ, 1/σ, dy; out: dx, dγ, dβ. With n = (x − μ)/σ and h = dy·γ: dx = (h − mean h − n·mean(h·n))/σ.
  public static void layerNormGradient(Dense[] in, Dense[] out) {
    Dense x = in[0];
    Dense g = in[1];
    Dense mean = in[2];
    Dense deviation = in[3];
    Dense dy = in[4];
    Dense before = in.length > 5 ? in[5] : null;
    int rows = x.dim(0), d = x.dim(1), stretches = (rows + STRETCH - 1) / STRETCH;
    float[] partial = new float[stretches * 2 * d];                              // [stretches, (dγ, dβ), d]
    Parallel.run(stretches, p -> {
      int dg = p * 2 * d, db = dg + d;
      float[] X = x.a(), D = dy.a(), G = g.a();
      for (int r = p * STRETCH; r < Math.min(rows, p * STRETCH + STRETCH); r++) {
        int xt = x.at() + r * d, yt = dy.at() + r * d, dt = out[0].at() + r * d;
        float m = mean.a()[mean.at() + r], k = deviation.a()[deviation.at() + r], shift = -m * k;
        float sum = Simd.dot(D, yt, G, g.at(), d), dot = dot(X, xt, k, shift, G, g.at(), D, yt, d);
        slopes(X, xt, k, shift, G, g.at(), D, yt, sum / d, dot / d, out[0].a(), dt, partial, dg, db, d);
        if (before != null) Simd.add(before.a(), before.at() + r * d, out[0].a(), dt, d);
      }
    });
    addInOrder(partial, stretches, 2 * d, 0, d, out[1]);
    addInOrder(partial, stretches, 2 * d, d, d, out[2]);
  }

  /// Σ dy·γ·(k·x + shift)
  private static float dot(float[] x, int xt, float k, float shift, float[] gamma, int gt, float[] dy, int yt, int d) {
    var s = zero(F);
    int i = 0;
    for (; i <= d - LANES; i += LANES)
      s = fromArray(F, dy, yt + i).mul(fromArray(F, gamma, gt + i))
          .fma(fromArray(F, x, xt + i).fma(broadcast(F, k), broadcast(F, shift)), s);
    float r = Simd.total(s);
    for (; i < d; i++) r = Math.fma(dy[yt + i] * gamma[gt + i], Math.fma(x[xt + i], k, shift), r);
    return r;
  }

  /// With n = k·x + shift: dx = (dy·γ − a − n·c)·k, dγ += dy·n, dβ += dy.
  private static void slopes(float[] x, int xt, float k, float shift, float[] gamma, int gt, float[] dy, int yt,
      float a, float c, float[] dx, int dt, float[] sums, int dg, int db, int d) {
    int i = 0;
    for (; i <= d - LANES; i += LANES) {
      var y = fromArray(F, dy, yt + i);
      var n = fromArray(F, x, xt + i).fma(broadcast(F, k), broadcast(F, shift));
      y.mul(fromArray(F, gamma, gt + i)).sub(a).sub(n.mul(c)).mul(k).intoArray(dx, dt + i);
      y.fma(n, fromArray(F, sums, dg + i)).intoArray(sums, dg + i);
      fromArray(F, sums, db + i).add(y).intoArray(sums, db + i);
    }
    for (; i < d; i++) {
      float n = Math.fma(x[xt + i], k, shift), y = dy[yt + i];
      dx[dt + i] = (y * gamma[gt + i] - a - n * c) * k;
      sums[dg + i] = Math.fma(y, n, sums[dg + i]);
      sums[db + i] += y;
    }
  }

  /// to = Σ over pieces of partial[piece·step + from … + n]
  public static void addInOrder(float[] partial, int pieces, int step, int from, int n, Dense to) {
    Parallel.rows(n, 16384, (i0, i1) -> {
      Arrays.fill(to.a(), to.at() + i0, to.at() + i1, 0);
      for (int p = 0; p < pieces; p++) Simd.add(partial, p * step + from + i0, to.a(), to.at() + i0, i1 - i0);
    });
  }

  public static void normalize(float epsilon, Dense x, Dense y) {
    int d = x.dim(1);
    Parallel.rows(x.dim(0), grain(d), (from, to) -> {
      for (int r = from; r < to; r++) {
        int xt = x.at() + r * d, yt = y.at() + r * d;
        float k = 1 / Math.max((float) Math.sqrt(Simd.dot(x.a(), xt, x.a(), xt, d)), epsilon);
        Simd.scale(x.a(), xt, k, y.a(), yt, d);
      }
    });
  }

  /// dx = (dy − y·(y·dy))/‖x‖; where ‖x‖ ≤ ε the divisor is constant: dx = dy/ε
  public static void normalizeGradient(float epsilon, Dense x, Dense dy, Dense dx) {
    int d = x.dim(1);
    Parallel.rows(x.dim(0), grain(d), (from, to) -> {
      for (int r = from; r < to; r++) {
        int xt = x.at() + r * d, gt = dy.at() + r * d, dt = dx.at() + r * d;
        float norm = (float) Math.sqrt(Simd.dot(x.a(), xt, x.a(), xt, d));
        float k = 1 / Math.max(norm, epsilon);
        float c = norm > epsilon ? Simd.dot(x.a(), xt, dy.a(), gt, d) * k * k : 0;
        normalizeSlopes(x.a(), xt, dy.a(), gt, c, k, dx.a(), dt, d);
      }
    });
  }

  /// dx = k·(dy − c·x)
  private static void normalizeSlopes(float[] x, int xt, float[] g, int gt, float c, float k, float[] dx, int dt,
      int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES)
      fromArray(F, g, gt + i).sub(fromArray(F, x, xt + i).mul(c)).mul(k).intoArray(dx, dt + i);
    for (; i < n; i++) dx[dt + i] = (g[gt + i] - x[xt + i] * c) * k;
  }
}
