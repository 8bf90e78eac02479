package jacquard.kernels.cpu;

import static jacquard.kernels.cpu.Simd.LANES;
import static jacquard.kernels.cpu.Simd.all;
import static jacquard.kernels.cpu.Simd.load;

import jacquard.tensor.DType;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Elementwise;
import java.util.List;
import jdk.incubator.vector.VectorOperators;

/// One element from one element. Plain loops where C2 vectorises them by itself, Vector API where a polynomial is needed.
final class CpuElementwise {
  /// Elements a piece: enough to pay for the hand-over, few enough to balance.
  private static final int GRAIN = 16384;

  private CpuElementwise() {}

  static void run(Elementwise op, List<Tensor> in, Tensor out) {
    switch (op) {
      case Elementwise.Binary b -> CpuBroadcast.run(b, in.get(0), in.get(1), out);
      case Elementwise.Unary u  -> unary(u, Dense.of(in.getFirst()), Dense.of(out));
      case Elementwise.Cast _   -> cast(in.getFirst(), out);
    }
  }

  private static void unary(Elementwise.Unary op, Dense in, Dense out) {
    float[] x = in.a(), y = out.a();
    Parallel.rows(in.size(), GRAIN, (from, to) -> {
      int xt = in.at() + from, yt = out.at() + from, n = to - from;
      switch (op) {
        case Elementwise.Affine(var k, var c) -> { for (int i = 0; i < n; i++) y[yt + i] = x[xt + i] * k + c; }
        case Elementwise.Exp _      -> Simd.expShifted(x, xt, 0, y, yt, n);
        case Elementwise.Log _      -> { for (int i = 0; i < n; i++) y[yt + i] = (float) StrictMath.log(x[xt + i]); }
        case Elementwise.Sqrt _     -> { for (int i = 0; i < n; i++) y[yt + i] = (float) Math.sqrt(x[xt + i]); }
        case Elementwise.Sigmoid _  -> sigmoid(x, xt, y, yt, n);
        case Elementwise.Tanh _     -> tanh(x, xt, y, yt, n);
        case Elementwise.Softplus _ -> softplus(x, xt, y, yt, n);
        case Elementwise.Clamp(var low, var high) -> { for (int i = 0; i < n; i++) y[yt + i] = Math.min(Math.max(x[xt + i], low), high); }
        case Elementwise.Activate(var f) -> activate(f, x, xt, y, yt, n);
      }
    });
  }

  private static void sigmoid(float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) Simd.sigmoid(load(x, xt + i)).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] = Simd.sigmoid(x[xt + i]);
  }

  private static void tanh(float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) Simd.tanh(load(x, xt + i)).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] = Simd.tanh(x[xt + i]);
  }

  private static void softplus(float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) Simd.softplus(load(x, xt + i)).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] = Simd.softplus(x[xt + i]);
  }

  private static final float HALF_ROOT = 0.70710678f, DENSITY = 0.39894228f, TANH_A = 0.79788456f, TANH_B = 0.044715f, QUICK = 1.702f;

  /// y = f(x)
  static void activate(Activation f, float[] x, int xt, float[] y, int yt, int n) {
    switch (f) {
      case NONE -> System.arraycopy(x, xt, y, yt, n);
      case RELU -> relu(x, xt, y, yt, n);
      case GELU -> gelu(x, xt, y, yt, n);
      case GELU_TANH -> geluTanh(x, xt, y, yt, n);
      case QUICK_GELU -> swish(QUICK, x, xt, y, yt, n);
      case SILU -> swish(1, x, xt, y, yt, n);
    }
  }

  /// By comparison and blend: a plain loop branches on random signs.
  private static void relu(float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      var v = load(x, xt + i);
      v.blend(0, v.lt(0)).intoArray(y, yt + i);
    }
    for (; i < n; i++) y[yt + i] = x[xt + i] < 0 ? 0 : x[xt + i];
  }

  private static void gelu(float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      var v = load(x, xt + i);
      v.mul(0.5f).mul(Simd.erf(v.mul(HALF_ROOT)).add(1f)).intoArray(y, yt + i);
    }
    for (; i < n; i++) y[yt + i] = x[xt + i] * 0.5f * (Simd.erf(x[xt + i] * HALF_ROOT) + 1);
  }

  private static void geluTanh(float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      var v = load(x, xt + i);
      var t = Simd.tanh(v.mul(v).fma(all(TANH_B), all(1)).mul(v).mul(TANH_A));
      v.mul(0.5f).mul(t.add(1f)).intoArray(y, yt + i);
    }
    for (; i < n; i++) {
      float v = x[xt + i];
      y[yt + i] = v * 0.5f * (Simd.tanh(Math.fma(v * v, TANH_B, 1f) * v * TANH_A) + 1);
    }
  }

  private static void swish(float k, float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      var v = load(x, xt + i);
      v.mul(Simd.sigmoid(v.mul(k))).intoArray(y, yt + i);
    }
    for (; i < n; i++) y[yt + i] = x[xt + i] * Simd.sigmoid(x[xt + i] * k);
  }

  /// dx = dy·f′(x)
  static void activationGradient(Activation f, Dense in, Dense dy, Dense dx) {
    Parallel.rows(in.size(), GRAIN, (from, to) -> {
      float[] x = in.a(), g = dy.a(), d = dx.a();
      int xt = in.at() + from, gt = dy.at() + from, dt = dx.at() + from, n = to - from;
      switch (f) {
        case NONE -> System.arraycopy(g, gt, d, dt, n);
        case RELU -> reluGradient(x, xt, g, gt, d, dt, n);
        case GELU -> geluGradient(x, xt, g, gt, d, dt, n);
        case GELU_TANH -> geluTanhGradient(x, xt, g, gt, d, dt, n);
        case QUICK_GELU -> swishGradient(QUICK, x, xt, g, gt, d, dt, n);
        case SILU -> swishGradient(1, x, xt, g, gt, d, dt, n);
      }
    });
  }

  private static void reluGradient(float[] x, int xt, float[] g, int gt, float[] d, int dt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) all(0).blend(load(g, gt + i), load(x, xt + i).compare(VectorOperators.GT, 0)).intoArray(d, dt + i);
    for (; i < n; i++) d[dt + i] = x[xt + i] > 0 ? g[gt + i] : 0;
  }

  /// Φ(x) + x·φ(x)
  private static void geluGradient(float[] x, int xt, float[] g, int gt, float[] d, int dt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      var v = load(x, xt + i);
      var p = Simd.erf(v.mul(HALF_ROOT)).add(1f).mul(0.5f);
      Simd.exp(v.mul(v).mul(-0.5f)).mul(DENSITY).fma(v, p).mul(load(g, gt + i)).intoArray(d, dt + i);
    }
    for (; i < n; i++) {
      float v = x[xt + i], p = (Simd.erf(v * HALF_ROOT) + 1) * 0.5f;
      d[dt + i] = Math.fma(Simd.exp(v * v * -0.5f) * DENSITY, v, p) * g[gt + i];
    }
  }

  /// (1 + t)/2 + x/2·(1 − t²)·√(2/π)·(1 + 3·0.044715·x²), t the tanh
  private static void geluTanhGradient(float[] x, int xt, float[] g, int gt, float[] d, int dt, int n) {
    for (int i = 0; i < n; i++) {
      float v = x[xt + i], t = Simd.tanh(Math.fma(v * v, TANH_B, 1f) * v * TANH_A);
      float slope = (1 - t * t) * TANH_A * Math.fma(v * v, 3 * TANH_B, 1f);
      d[dt + i] = Math.fma(v * 0.5f, slope, (1 + t) * 0.5f) * g[gt + i];
    }
  }

  /// s + k·x·s·(1 − s), s = σ(k·x)
  private static void swishGradient(float k, float[] x, int xt, float[] g, int gt, float[] d, int dt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      var v = load(x, xt + i);
      var s = Simd.sigmoid(v.mul(k));
      v.mul(k).mul(s).fma(all(1).sub(s), s).mul(load(g, gt + i)).intoArray(d, dt + i);
    }
    for (; i < n; i++) {
      float v = x[xt + i], s = Simd.sigmoid(v * k);
      d[dt + i] = Math.fma(v * k * s, 1 - s, s) * g[gt + i];
    }
  }

  private static void cast(Tensor in, Tensor out) {
    int n = (int) in.shape().size();
    var t = in.layout().dense() ? in : in.copy();
    int at = t.layout().offset();
    if (!in.dtype().floating() && !out.dtype().floating()) { integers(t.storage().block(), at, out, n); return; }
    float[] wide = new float[n];
    switch (t.storage().block()) {
      case float[] a -> System.arraycopy(a, at, wide, 0, n);
      case short[] a when in.dtype() == DType.BF16 -> { for (int i = 0; i < n; i++) wide[i] = Float.intBitsToFloat(a[at + i] << 16); }
      case short[] a -> { for (int i = 0; i < n; i++) wide[i] = Float.float16ToFloat(a[at + i]); }
      case int[] a  -> { for (int i = 0; i < n; i++) wide[i] = a[at + i]; }
      case long[] a -> { for (int i = 0; i < n; i++) wide[i] = a[at + i]; }
      case byte[] a -> { for (int i = 0; i < n; i++) wide[i] = a[at + i] & 255; }
      default -> throw new IllegalStateException();
    }
    switch (out.storage().block()) {
      case float[] a -> System.arraycopy(wide, 0, a, 0, n);
      case short[] a when out.dtype() == DType.BF16 -> { for (int i = 0; i < n; i++) a[i] = DType.toBf16(wide[i]); }
      case short[] a -> { for (int i = 0; i < n; i++) a[i] = Float.floatToFloat16(wide[i]); }
      case int[] a  -> { for (int i = 0; i < n; i++) a[i] = (int) wide[i]; }
      case long[] a -> { for (int i = 0; i < n; i++) a[i] = (long) wide[i]; }
      case byte[] a when out.dtype() == DType.BOOL -> { for (int i = 0; i < n; i++) a[i] = (byte) (wide[i] != 0 ? 1 : 0); }
      case byte[] a -> { for (int i = 0; i < n; i++) a[i] = (byte) (int) wide[i]; }
      default -> throw new IllegalStateException();
    }
  }

  /// Among integers without the detour through floats, which hold them only up to 2²⁴.
  private static void integers(Object x, int at, Tensor out, int n) {
    long[] wide = new long[n];
    switch (x) {
      case int[] a  -> { for (int i = 0; i < n; i++) wide[i] = a[at + i]; }
      case long[] a -> System.arraycopy(a, at, wide, 0, n);
      case byte[] a -> { for (int i = 0; i < n; i++) wide[i] = a[at + i] & 255; }
      default -> throw new IllegalStateException();
    }
    switch (out.storage().block()) {
      case int[] a  -> { for (int i = 0; i < n; i++) a[i] = (int) wide[i]; }
      case long[] a -> System.arraycopy(wide, 0, a, 0, n);
      case byte[] a when out.dtype() == DType.BOOL -> { for (int i = 0; i < n; i++) a[i] = (byte) (wide[i] != 0 ? 1 : 0); }
      case byte[] a -> { for (int i = 0; i < n; i++) a[i] = (byte) wide[i]; }
      default -> throw new IllegalStateException();
    }
  }
}
