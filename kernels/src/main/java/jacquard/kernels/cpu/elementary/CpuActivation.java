package jacquard.kernels.cpu.elementary;

import static jacquard.kernels.cpu.Simd.F;
import static jacquard.kernels.cpu.Simd.LANES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LT;

import jacquard.kernels.cpu.Simd;
import jacquard.tensor.op.Activation;
import jdk.incubator.vector.FloatVector;

/// Activations and their gradients, with the bias before them. Loops over a stretch are called in turn from one place,
/// and there are three or more, so C2 leaves them as calls there and compiles each by itself: with a few polynomials in
/// one body it passes its limit of nodes, and behind the limit it leaves calls with vectors in boxes. Factors of −1 in
/// place of negations let a NaN keep its sign: of two NaNs a product takes the first, and which is first is a
/// compiler's choice.
public final class CpuActivation {
  /// Elements of a stretch, which stays in L1.
  private static final int STRETCH = 1024;
  private static final float TANH_A = 0.79788456f;
  private static final float TANH_B = 0.044715f;
  private static final float QUICK = 1.702f;
  /// From here on the tail of the normal distribution counts as 0.
  private static final float FAR = 6;
  /// log₂ of the tail ½·erfc(t/√2), and hazard φ(t)/tail(t), for 0 ≤ t ≤ 6: with the weight they have in x·Φ(x) both
  /// are exact to 2e-9.
  private static final float T0 = -1f, T1 = -1.1511052f, T2 = -0.45921284f, T3 = -0.05246532f, T4 = 0.0069845584f,
      T5 = -3.6687416e-05f, T6 = -0.0002554932f, T7 = 6.575591e-05f, T8 = -8.002454e-06f, T9 = 4.0530261e-07f;
  private static final float H0 = 0.7978846f, H1 = 0.6366195f, H2 = 0.10900733f, H3 = -0.019122077f,
      H4 = -0.0002195556f, H5 = 0.0013485474f, H6 = -0.00045927477f, H7 = 8.451978e-05f, H8 = -8.69948e-06f,
      H9 = 3.9204116e-07f;

  /// @param b what is added to x first, or null
  /// @param x what is activated
  /// @param g in gradients, that of y
  /// @param h a stretch of scratch
  /// @param y the result, which may be x
  private record Stretch(float[] b, int bt, float[] x, int xt, float[] g, int gt, float[] h, float[] y, int yt, int n) {
    int rest() { return n - n % LANES; }
  }

  private interface Loop { void over(Stretch s); }

  private static final Loop BIAS = CpuActivation::bias;
  private static final Loop[] RELU = {BIAS, CpuActivation::relu};
  private static final Loop[] RELU_GRADIENT = {BIAS, CpuActivation::reluGradient};
  private static final Loop[] GELU = {BIAS, CpuActivation::gelu, CpuActivation::geluRest};
  private static final Loop[] GELU_GRADIENT = {BIAS, CpuActivation::tail, CpuActivation::geluGradient};
  private static final Loop[] GELU_TANH = {BIAS, CpuActivation::geluTanh, CpuActivation::geluTanhRest};
  private static final Loop[] GELU_TANH_GRADIENT =
      {BIAS, CpuActivation::geluTanhGradient, CpuActivation::geluTanhGradientRest};
  private static final Loop[] QUICK_GELU = {BIAS, s -> swish(QUICK, s), s -> swishRest(QUICK, s)};
  private static final Loop[] QUICK_GELU_GRADIENT =
      {BIAS, s -> swishGradient(QUICK, s), s -> swishGradientRest(QUICK, s)};
  private static final Loop[] SILU = {BIAS, s -> swish(1, s), s -> swishRest(1, s)};
  private static final Loop[] SILU_GRADIENT = {BIAS, s -> swishGradient(1, s), s -> swishGradientRest(1, s)};
  private static final ThreadLocal<float[]> SCRATCH = ThreadLocal.withInitial(() -> new float[STRETCH]);

  private CpuActivation() {}

  /// x ← x + b unless b is null; y = f(x). y may be x.
  public static void forward(Activation f, float[] b, int bt, float[] x, int xt, float[] y, int yt, int n) {
    var loops = switch (f) {
      case NONE -> null;
      case RELU -> RELU;
      case GELU -> GELU;
      case GELU_TANH -> GELU_TANH;
      case QUICK_GELU -> QUICK_GELU;
      case SILU -> SILU;
    };
    if (loops != null) run(loops, b, bt, x, xt, x, xt, y, yt, n);
    else {
      if (b != null) Simd.add(b, bt, x, xt, n);
      if (x != y) System.arraycopy(x, xt, y, yt, n);
    }
  }

  /// d = g·f′(x)
  static void gradient(Activation f, float[] x, int xt, float[] g, int gt, float[] d, int dt, int n) {
    var loops = switch (f) {
      case NONE -> null;
      case RELU -> RELU_GRADIENT;
      case GELU -> GELU_GRADIENT;
      case GELU_TANH -> GELU_TANH_GRADIENT;
      case QUICK_GELU -> QUICK_GELU_GRADIENT;
      case SILU -> SILU_GRADIENT;
    };
    if (loops != null) run(loops, null, 0, x, xt, g, gt, d, dt, n);
    else System.arraycopy(g, gt, d, dt, n);
  }

  private static void run(Loop[] loops, float[] b, int bt, float[] x, int xt, float[] g, int gt, float[] y, int yt,
      int n) {
    float[] h = SCRATCH.get();
    for (int i = 0; i < n; i += STRETCH) {
      var s = new Stretch(b, bt + i, x, xt + i, g, gt + i, h, y, yt + i, Math.min(STRETCH, n - i));
      for (var loop : loops) loop.over(s);
    }
  }

  private static void bias(Stretch s) { if (s.b != null) Simd.add(s.b, s.bt, s.x, s.xt, s.n); }

  /// By comparison and blend: a plain loop branches on random signs.
  private static void relu(Stretch s) {
    float[] x = s.x, y = s.y;
    int xt = s.xt, yt = s.yt, n = s.n, i = 0;
    for (; i <= n - LANES; i += LANES) {
      var v = fromArray(F, x, xt + i);
      v.blend(0, v.compare(LT, 0f)).intoArray(y, yt + i);
    }
    for (; i < n; i++) y[yt + i] = x[xt + i] < 0 ? 0 : x[xt + i];
  }

  private static void reluGradient(Stretch s) {
    float[] x = s.x, g = s.g, y = s.y;
    int xt = s.xt, gt = s.gt, yt = s.yt, n = s.n, i = 0;
    for (; i <= n - LANES; i += LANES)
      broadcast(F, 0).blend(fromArray(F, g, gt + i), fromArray(F, x, xt + i).compare(GT, 0f)).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] = x[xt + i] > 0 ? g[gt + i] : 0;
  }

  // Polynomials by Estrin's scheme, neighbours in pairs: of Horner's each product waits for the one before, and a core
  // holds too few elements to fill the wait.

  /// log₂ of the tail
  private static FloatVector exponent(FloatVector t) {
    var s = t.mul(t);
    FloatVector a = t.fma(broadcast(F, T1), broadcast(F, T0));
    FloatVector b = t.fma(broadcast(F, T3), broadcast(F, T2));
    FloatVector c = t.fma(broadcast(F, T5), broadcast(F, T4));
    FloatVector d = t.fma(broadcast(F, T7), broadcast(F, T6));
    FloatVector e = t.fma(broadcast(F, T9), broadcast(F, T8));
    return s.mul(s).fma(s.mul(s).fma(e, s.fma(d, c)), s.fma(b, a));
  }

  private static float exponent(float t) {
    float s = t * t;
    float a = Math.fma(t, T1, T0);
    float b = Math.fma(t, T3, T2);
    float c = Math.fma(t, T5, T4);
    float d = Math.fma(t, T7, T6);
    float e = Math.fma(t, T9, T8);
    return Math.fma(s * s, Math.fma(s * s, e, Math.fma(s, d, c)), Math.fma(s, b, a));
  }

  private static FloatVector hazard(FloatVector t) {
    var s = t.mul(t);
    FloatVector a = t.fma(broadcast(F, H1), broadcast(F, H0));
    FloatVector b = t.fma(broadcast(F, H3), broadcast(F, H2));
    FloatVector c = t.fma(broadcast(F, H5), broadcast(F, H4));
    FloatVector d = t.fma(broadcast(F, H7), broadcast(F, H6));
    FloatVector e = t.fma(broadcast(F, H9), broadcast(F, H8));
    return s.mul(s).fma(s.mul(s).fma(e, s.fma(d, c)), s.fma(b, a));
  }

  private static float hazard(float t) {
    float s = t * t;
    float a = Math.fma(t, H1, H0);
    float b = Math.fma(t, H3, H2);
    float c = Math.fma(t, H5, H4);
    float d = Math.fma(t, H7, H6);
    float e = Math.fma(t, H9, H8);
    return Math.fma(s * s, Math.fma(s * s, e, Math.fma(s, d, c)), Math.fma(s, b, a));
  }

  /// min(|x|, FAR)
  private static FloatVector near(FloatVector x) {
    var t = x.abs();
    return t.blend(FAR, t.compare(GT, FAR));
  }

  private static float near(float x) {
    float t = Math.abs(x);
    return t > FAR ? FAR : t;
  }

  /// h = tail of min(|x|, FAR)
  private static void tail(Stretch s) {
    float[] x = s.x, h = s.h;
    int xt = s.xt, n = s.n, i = 0;
    for (; i <= n - LANES; i += LANES) Simd.powerOfTwo(exponent(near(fromArray(F, x, xt + i)))).intoArray(h, i);
    for (; i < n; i++) h[i] = Simd.powerOfTwo(exponent(near(x[xt + i])));
  }

  /// x·Φ(x) = max(x, 0) − |x|·tail(|x|)
  private static void gelu(Stretch s) {
    float[] x = s.x, y = s.y;
    int xt = s.xt, yt = s.yt, n = s.n;
    for (int i = 0; i <= n - LANES; i += LANES) {
      var v = fromArray(F, x, xt + i);
      var t = near(v);
      t.mul(-1f).fma(Simd.powerOfTwo(exponent(t)), v.blend(0f, v.compare(LT, 0f))).intoArray(y, yt + i);
    }
  }

  private static void geluRest(Stretch s) {
    for (int i = s.rest(); i < s.n; i++) {
      float v = s.x[s.xt + i], t = near(v);
      s.y[s.yt + i] = Math.fma(t * -1f, Simd.powerOfTwo(exponent(t)), v < 0 ? 0 : v);
    }
  }

  /// Φ(x) + x·φ(x); below 0 that is tail·(1 − t·hazard), t = |x|, and above 1 less that.
  private static void geluGradient(Stretch s) {
    float[] x = s.x, g = s.g, h = s.h, y = s.y;
    int xt = s.xt, gt = s.gt, yt = s.yt, n = s.n, i = 0;
    for (; i <= n - LANES; i += LANES) {
      var v = fromArray(F, x, xt + i);
      var t = near(v);
      var below = t.mul(-1f).fma(hazard(t), broadcast(F, 1)).mul(fromArray(F, h, i));
      broadcast(F, 1).sub(below).blend(below, v.compare(LT, 0f)).mul(fromArray(F, g, gt + i)).intoArray(y, yt + i);
    }
    for (; i < n; i++) {
      float v = x[xt + i], t = near(v), below = Math.fma(t * -1f, hazard(t), 1f) * h[i];
      y[yt + i] = (v < 0 ? below : 1 - below) * g[gt + i];
    }
  }

  /// x·σ(k·x) = x/(1 + e^(−k·x))
  private static void swish(float k, Stretch s) {
    float[] x = s.x, y = s.y;
    int xt = s.xt, yt = s.yt, n = s.n;
    for (int i = 0; i <= n - LANES; i += LANES) {
      var v = fromArray(F, x, xt + i);
      v.div(Simd.exp(v.mul(-k)).add(1f)).intoArray(y, yt + i);
    }
  }

  private static void swishRest(float k, Stretch s) {
    for (int i = s.rest(); i < s.n; i++) s.y[s.yt + i] = s.x[s.xt + i] / (Simd.exp(s.x[s.xt + i] * -k) + 1);
  }

  /// o + k·x·o·(1 − o), o = σ(k·x) = 1/(1 + e), e = e^(−k·x), 1 − o = e·o
  private static void swishGradient(float k, Stretch s) {
    float[] x = s.x, g = s.g, y = s.y;
    int xt = s.xt, gt = s.gt, yt = s.yt, n = s.n;
    for (int i = 0; i <= n - LANES; i += LANES) {
      var v = fromArray(F, x, xt + i).mul(k);
      var e = Simd.exp(v.mul(-1f));
      var o = broadcast(F, 1).div(e.add(1f));
      v.mul(o).fma(e.mul(o), o).mul(fromArray(F, g, gt + i)).intoArray(y, yt + i);
    }
  }

  private static void swishGradientRest(float k, Stretch s) {
    for (int i = s.rest(); i < s.n; i++) {
      float v = s.x[s.xt + i] * k, e = Simd.exp(v * -1f), o = 1 / (e + 1);
      s.y[s.yt + i] = Math.fma(v * o, e * o, o) * s.g[s.gt + i];
    }
  }

  /// With the tanh, ½·(1 + tanh u) = σ(2u): x·σ(2u), u = √(2/π)·(x + 0.044715·x³).
  private static void geluTanh(Stretch s) {
    float[] x = s.x, y = s.y;
    int xt = s.xt, yt = s.yt, n = s.n;
    for (int i = 0; i <= n - LANES; i += LANES) {
      var v = fromArray(F, x, xt + i);
      v.div(Simd.exp(v.mul(v).fma(broadcast(F, TANH_B), broadcast(F, 1)).mul(v).mul(-2 * TANH_A)).add(1f))
          .intoArray(y, yt + i);
    }
  }

  private static void geluTanhRest(Stretch s) {
    for (int i = s.rest(); i < s.n; i++) {
      float v = s.x[s.xt + i];
      s.y[s.yt + i] = v / (Simd.exp(Math.fma(v * v, TANH_B, 1f) * v * (-2 * TANH_A)) + 1);
    }
  }

  /// σ + x·σ·(1 − σ)·2u′, 2u′ = 2·√(2/π)·(1 + 3·0.044715·x²)
  private static void geluTanhGradient(Stretch s) {
    float[] x = s.x, g = s.g, y = s.y;
    int xt = s.xt, gt = s.gt, yt = s.yt, n = s.n;
    for (int i = 0; i <= n - LANES; i += LANES) {
      var v = fromArray(F, x, xt + i);
      var q = v.mul(v);
      var e = Simd.exp(q.fma(broadcast(F, TANH_B), broadcast(F, 1)).mul(v).mul(-2 * TANH_A));
      var o = broadcast(F, 1).div(e.add(1f));
      q.fma(broadcast(F, 3 * TANH_B), broadcast(F, 1)).mul(2 * TANH_A).mul(v).mul(o).fma(e.mul(o), o)
          .mul(fromArray(F, g, gt + i)).intoArray(y, yt + i);
    }
  }

  private static void geluTanhGradientRest(Stretch s) {
    for (int i = s.rest(); i < s.n; i++) {
      float v = s.x[s.xt + i];
      float q = v * v;
      float e = Simd.exp(Math.fma(q, TANH_B, 1f) * v * (-2 * TANH_A));
      float o = 1 / (e + 1);
      s.y[s.yt + i] = Math.fma(Math.fma(q, 3 * TANH_B, 1f) * (2 * TANH_A) * v * o, e * o, o) * s.g[s.gt + i];
    }
  }
}
