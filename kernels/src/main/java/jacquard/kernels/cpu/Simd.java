package jacquard.kernels.cpu;

import static jdk.incubator.vector.VectorOperators.MAX;
import static jdk.incubator.vector.VectorOperators.LT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Vector width, and functions of vectors whose bits agree in the interpreter, C1 and C2: polynomials of fma, folds in a fixed order.
/// Each has a scalar twin that gives the bits of a lane, for the tails. Coefficients: our own least-squares fits on Chebyshev nodes,
/// reweighted towards equal ripple.
///
/// A sum folds as many lanes as a vector has: bits belong to a width. With `-Djacquard.simd.bits=256` all CPUs from AVX2 on give the same.
public final class Simd {
  public static final VectorSpecies<Float> F = species();
  public static final int LANES = F.length();

  static final float LOG2E = 1.44269504f, LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f, MAGIC = 12582912f;
  static final float EXP_LOW = -87.3f, EXP_HIGH = 88.7f;
  static final float E2 = 0.5f, E3 = 0.16666415f, E4 = 0.041666083f, E5 = 0.0083751353f, E6 = 0.0013956062f;
  private static final float[] ERF = {0.12837917f, -0.37612626f, 0.112836f, -0.026854444f, 0.0051895352f, -8.020841e-4f, 7.889119e-5f};
  private static final float[] ERFC = {1.8344415e-4f, -1.1295568f, -0.63326263f, -0.10837248f, 0.025178967f, -0.004193611f, 4.3910637e-4f, -2.1496115e-5f};
  private static final float[] TANH = {-0.33333334f, 0.13333356f, -0.05396848f, 0.02182724f, -0.0084981183f, 0.002437359f};

  private Simd() {}

  private static VectorSpecies<Float> species() {
    var bits = System.getProperty("jacquard.simd.bits");
    if (bits == null) return FloatVector.SPECIES_PREFERRED;
    return switch (bits) {
      case "128", "256", "512" -> VectorSpecies.of(float.class, VectorShape.forBitSize(Integer.parseInt(bits)));
      default -> throw new IllegalArgumentException("jacquard.simd.bits is 128, 256 or 512, not " + bits);
    };
  }

  public static FloatVector load(float[] a, int at) { return FloatVector.fromArray(F, a, at); }
  public static FloatVector all(float v) { return FloatVector.broadcast(F, v); }

  /// The sum of the lanes, first to last.
  public static float sum(FloatVector v) {
    float s = v.lane(0);
    for (int i = 1; i < LANES; i++) s += v.lane(i);
    return s;
  }

  /// eˣ to 2 ulp: 2ⁿ·p(r), n = round(x·log₂e), r = x − n·ln 2. Below −87.3: 0; above 88.7 as at 88.7.
  public static FloatVector exp(FloatVector x) {
    var c = x.min(EXP_HIGH).max(EXP_LOW);
    var z = c.fma(all(LOG2E), all(MAGIC));
    var n = z.sub(MAGIC);
    var r = n.fma(all(-LN2_LOW), n.fma(all(-LN2_HIGH), c));
    var p = r.fma(all(E6), all(E5)).fma(r, all(E4)).fma(r, all(E3)).fma(r, all(E2)).fma(r, all(1)).fma(r, all(1));
    var y = p.reinterpretAsInts().add(z.reinterpretAsInts().lanewise(jdk.incubator.vector.VectorOperators.LSHL, 23)).reinterpretAsFloats();
    return y.blend(0f, x.compare(LT, EXP_LOW));
  }

  public static float exp(float x) {
    float c = Math.max(Math.min(x, EXP_HIGH), EXP_LOW);
    float z = Math.fma(c, LOG2E, MAGIC), n = z - MAGIC;
    float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, c));
    float p = Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(r, E6, E5), r, E4), r, E3), r, E2), r, 1f), r, 1f);
    float y = Float.intBitsToFloat(Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(z) << 23));
    return x < EXP_LOW ? 0 : y;
  }

  /// 1/(1 + e⁻ˣ)
  public static FloatVector sigmoid(FloatVector x) { return all(1).div(exp(x.neg()).add(1f)); }
  public static float sigmoid(float x) { return 1 / (exp(-x) + 1); }

  /// erf x, absolute error below 1.2e-7: a polynomial below 1, 1 − e^q(x) above.
  public static FloatVector erf(FloatVector x) {
    var t = x.abs();
    var s = x.mul(x);
    var p = s.fma(all(ERF[6]), all(ERF[5])).fma(s, all(ERF[4])).fma(s, all(ERF[3])).fma(s, all(ERF[2])).fma(s, all(ERF[1])).fma(s, all(ERF[0])).fma(x, x);
    var u = t.min(4f);
    var q = u.fma(all(ERFC[7]), all(ERFC[6])).fma(u, all(ERFC[5])).fma(u, all(ERFC[4])).fma(u, all(ERFC[3])).fma(u, all(ERFC[2])).fma(u, all(ERFC[1])).fma(u, all(ERFC[0]));
    var tail = all(1).sub(exp(q));
    tail = tail.blend(tail.neg(), x.compare(LT, 0f));
    return tail.blend(p, t.compare(LT, 1f));
  }

  public static float erf(float x) {
    float t = Math.abs(x);
    if (t < 1) {
      float s = x * x;
      return Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(s, ERF[6], ERF[5]), s, ERF[4]), s, ERF[3]), s, ERF[2]), s, ERF[1]), s, ERF[0]), x, x);
    }
    float u = Math.min(t, 4f);
    float q = Math.fma(u, ERFC[7], ERFC[6]);
    for (int i = 5; i >= 0; i--) q = Math.fma(q, u, ERFC[i]);
    float tail = 1 - exp(q);
    return x < 0 ? -tail : tail;
  }

  /// tanh x, absolute error below 1.2e-7: a polynomial below 0.6, 1 − 2/(e²ˣ + 1) above.
  public static FloatVector tanh(FloatVector x) {
    var t = x.abs();
    var s = x.mul(x);
    var p = s.fma(all(TANH[5]), all(TANH[4])).fma(s, all(TANH[3])).fma(s, all(TANH[2])).fma(s, all(TANH[1])).fma(s, all(TANH[0])).mul(s).fma(x, x);
    var tail = all(1).sub(all(2).div(exp(t.add(t)).add(1f)));
    tail = tail.blend(tail.neg(), x.compare(LT, 0f));
    return tail.blend(p, t.compare(LT, 0.6f));
  }

  public static float tanh(float x) {
    float t = Math.abs(x), s = x * x;
    if (t < 0.6f) return Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(s, TANH[5], TANH[4]), s, TANH[3]), s, TANH[2]), s, TANH[1]), s, TANH[0]) * s, x, x);
    float tail = 1 - 2 / (exp(t + t) + 1);
    return x < 0 ? -tail : tail;
  }

  /// log(1 + eˣ) = max(x, 0) + log1p(e^−|x|); log1p u = 2w(1 + w²/3 + w⁴/5 + …), w = u/(2 + u) ≤ ⅓.
  public static FloatVector softplus(FloatVector x) {
    var u = exp(x.abs().neg());
    var w = u.div(u.add(2f));
    var s = w.mul(w);
    var p = s.fma(all(1 / 15f), all(1 / 13f)).fma(s, all(1 / 11f)).fma(s, all(1 / 9f)).fma(s, all(1 / 7f)).fma(s, all(1 / 5f)).fma(s, all(1 / 3f)).fma(s, all(1));
    return w.add(w).fma(p, x.max(0f));
  }

  public static float softplus(float x) {
    float u = exp(-Math.abs(x)), w = u / (u + 2), s = w * w;
    float p = Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(s, 1 / 15f, 1 / 13f), s, 1 / 11f), s, 1 / 9f), s, 1 / 7f), s, 1 / 5f), s, 1 / 3f), s, 1f);
    return Math.fma(w + w, p, Math.max(x, 0f));
  }

  // Folds over a stretch of an array

  public static float sum(float[] a, int at, int n) {
    var s = FloatVector.zero(F);
    int i = 0;
    for (; i <= n - LANES; i += LANES) s = s.add(load(a, at + i));
    float r = sum(s);
    for (; i < n; i++) r += a[at + i];
    return r;
  }

  public static float max(float[] a, int at, int n) {
    var m = all(Float.NEGATIVE_INFINITY);
    int i = 0;
    for (; i <= n - LANES; i += LANES) m = m.max(load(a, at + i));
    float r = m.reduceLanes(MAX);
    for (; i < n; i++) r = Math.max(r, a[at + i]);
    return r;
  }

  public static float dot(float[] a, int at, float[] b, int bt, int n) {
    FloatVector s = FloatVector.zero(F), t = s, u = s, v = s;
    int i = 0;
    for (; i <= n - 4 * LANES; i += 4 * LANES) {
      s = load(a, at + i).fma(load(b, bt + i), s);
      t = load(a, at + i + LANES).fma(load(b, bt + i + LANES), t);
      u = load(a, at + i + 2 * LANES).fma(load(b, bt + i + 2 * LANES), u);
      v = load(a, at + i + 3 * LANES).fma(load(b, bt + i + 3 * LANES), v);
    }
    for (; i <= n - LANES; i += LANES) s = load(a, at + i).fma(load(b, bt + i), s);
    float r = sum(s.add(t).add(u.add(v)));
    for (; i < n; i++) r = Math.fma(a[at + i], b[bt + i], r);
    return r;
  }

  /// y ← y + k·x
  public static void axpy(float k, float[] x, int xt, float[] y, int yt, int n) { for (int i = 0; i < n; i++) y[yt + i] = Math.fma(k, x[xt + i], y[yt + i]); }

  /// y ← e^(x − shift); returns the sum.
  public static float expShifted(float[] x, int xt, float shift, float[] y, int yt, int n) {
    var s = FloatVector.zero(F);
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      var e = exp(load(x, xt + i).sub(shift));
      e.intoArray(y, yt + i);
      s = s.add(e);
    }
    float r = sum(s);
    for (; i < n; i++) r += y[yt + i] = exp(x[xt + i] - shift);
    return r;
  }
}
