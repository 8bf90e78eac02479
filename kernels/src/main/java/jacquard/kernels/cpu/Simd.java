package jacquard.kernels.cpu;

import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;
import static jdk.incubator.vector.FloatVector.zero;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.MAX;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Vector width, and functions of vectors whose bits agree in the interpreter, C1 and C2: polynomials of fma, folds in
/// a fixed order. Each has a scalar twin that gives the bits of a lane, for the tails. Coefficients: our own
/// least-squares fits on Chebyshev nodes, reweighted towards equal ripple.
///
/// A sum folds as many lanes as a vector has: bits belong to a width. With `-Djacquard.simd.bits=256` all CPUs from
/// AVX2 on give the same.
public final class Simd {
  public static final VectorSpecies<Float> F = species();
  public static final int LANES = F.length();

  public static final float LOG2E = 1.44269504f;
  public static final float LN2_HIGH = 0.693359375f;
  public static final float LN2_LOW = -2.12194440e-4f;
  public static final float MAGIC = 12582912f;
  public static final float EXP_LOW = -87.3f, EXP_HIGH = 88.7f;
  public static final float E2 = 0.5f, E3 = 0.16666415f, E4 = 0.041666083f, E5 = 0.0083751353f, E6 = 0.0013956062f;
  private static final float P1 = 0.6931472f, P2 = 0.24022648f, P3 = 0.055503324f, P4 = 0.009618437f,
      P5 = 0.0013398874f, P6 = 0.00015353356f;
  private static final float TANH0 = -0.33333334f, TANH1 = 0.13333356f, TANH2 = -0.05396848f, TANH3 = 0.02182724f,
      TANH4 = -0.0084981183f, TANH5 = 0.002437359f;

  private Simd() {}

  private static VectorSpecies<Float> species() {
    var bits = System.getProperty("jacquard.simd.bits");
    if (bits == null) return FloatVector.SPECIES_PREFERRED;
    return switch (bits) {
      case "128", "256", "512" -> VectorSpecies.of(float.class, VectorShape.forBitSize(Integer.parseInt(bits)));
      default -> throw new IllegalArgumentException("jacquard.simd.bits is 128, 256 or 512, not " + bits);
    };
  }


  /// The sum of the lanes, four by four. Written out: a loop would jump by a table for each lane, and shuffles are many
  /// nodes for C2. Only for small methods: where C2 does not inline this, it puts the accumulator in a box on every
  /// turn of the loop before.
  public static float total(FloatVector v) {
    float s = (v.lane(0) + v.lane(1)) + (v.lane(2) + v.lane(3));
    if (LANES > 4) s += (v.lane(4) + v.lane(5)) + (v.lane(6) + v.lane(7));
    if (LANES > 8)
      s += ((v.lane(8) + v.lane(9)) + (v.lane(10) + v.lane(11)))
          + ((v.lane(12) + v.lane(13)) + (v.lane(14) + v.lane(15)));
    return s;
  }

  /// eˣ to 2 ulp: 2ⁿ·p(r), n = round(x·log₂e), r = x − n·ln 2. Below −87.3: 0; above 88.7 as at 88.7.
  // min and max of NaN and ±0 as Java has them take six instructions each
  public static FloatVector exp(FloatVector x) { return expOfNegative(x.blend(EXP_HIGH, x.compare(GT, EXP_HIGH))); }

  /// The same for x that need no limit above.
  public static FloatVector expOfNegative(FloatVector x) {
    var z = x.fma(broadcast(F, LOG2E), broadcast(F, MAGIC));
    var n = z.sub(MAGIC);
    var r = n.fma(broadcast(F, -LN2_LOW), n.fma(broadcast(F, -LN2_HIGH), x));
    var p = r.fma(broadcast(F, E6), broadcast(F, E5)).fma(r, broadcast(F, E4)).fma(r, broadcast(F, E3))
        .fma(r, broadcast(F, E2)).fma(r, broadcast(F, 1)).fma(r, broadcast(F, 1));
    var y = p.reinterpretAsInts().add(z.reinterpretAsInts().lanewise(LSHL, 23)).reinterpretAsFloats();
    return y.blend(0f, x.compare(LT, EXP_LOW));
  }

  public static float exp(float x) {
    float c = x > EXP_HIGH ? EXP_HIGH : x;
    float z = Math.fma(c, LOG2E, MAGIC), n = z - MAGIC;
    float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, c));
    float p = Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(r, E6, E5), r, E4), r, E3), r, E2), r, 1f), r, 1f);
    float y = Float.intBitsToFloat(Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(z) << 23));
    return x < EXP_LOW ? 0 : y;
  }

  /// 1/(1 + e⁻ˣ)
  public static FloatVector sigmoid(FloatVector x) { return broadcast(F, 1).div(exp(x.neg()).add(1f)); }
  public static float sigmoid(float x) { return 1 / (exp(-x) + 1); }

  /// 2ˣ to 2 ulp for −126 ≤ x ≤ 127: 2ⁿ·p(x − n), n = round(x), neighbouring coefficients in pairs.
  public static FloatVector powerOfTwo(FloatVector x) {
    var z = x.add(MAGIC);
    var r = x.sub(z.sub(MAGIC));
    var s = r.mul(r);
    var p = s.fma(s.fma(s.fma(broadcast(F, P6), r.fma(broadcast(F, P5), broadcast(F, P4))),
        r.fma(broadcast(F, P3), broadcast(F, P2))), r.fma(broadcast(F, P1), broadcast(F, 1)));
    return p.reinterpretAsInts().add(z.reinterpretAsInts().lanewise(LSHL, 23)).reinterpretAsFloats();
  }

  public static float powerOfTwo(float x) {
    float z = x + MAGIC, r = x - (z - MAGIC), s = r * r;
    float p = Math.fma(s, Math.fma(s, Math.fma(s, P6, Math.fma(r, P5, P4)), Math.fma(r, P3, P2)), Math.fma(r, P1, 1f));
    return Float.intBitsToFloat(Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(z) << 23));
  }

  /// tanh x, absolute error below 1.2e-7: a polynomial below 0.6, 1 − 2/(e²ˣ + 1) above.
  public static FloatVector tanh(FloatVector x) {
    var t = x.abs();
    var s = x.mul(x);
    var p = s.fma(broadcast(F, TANH5), broadcast(F, TANH4)).fma(s, broadcast(F, TANH3)).fma(s, broadcast(F, TANH2))
        .fma(s, broadcast(F, TANH1)).fma(s, broadcast(F, TANH0)).mul(s).fma(x, x);
    var tail = broadcast(F, 1).sub(broadcast(F, 2).div(exp(t.add(t)).add(1f)));
    tail = tail.blend(tail.neg(), x.compare(LT, 0f));
    return tail.blend(p, t.compare(LT, 0.6f));
  }

  public static float tanh(float x) {
    float t = Math.abs(x), s = x * x;
    if (t < 0.6f)
      return Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(s, TANH5, TANH4), s, TANH3), s, TANH2), s, TANH1),
          s, TANH0) * s, x, x);
    float tail = 1 - 2 / (exp(t + t) + 1);
    return x < 0 ? -tail : tail;
  }

  /// log(1 + eˣ) = max(x, 0) + log1p(e^−|x|); log1p u = 2w(1 + w²/3 + w⁴/5 + …), w = u/(2 + u) ≤ ⅓.
  public static FloatVector softplus(FloatVector x) { return softplus(x, exp(x.abs().neg())); }
  public static float softplus(float x) { return softplus(x, exp(-Math.abs(x))); }

  /// The same where u = e^−|x| is known.
  public static FloatVector softplus(FloatVector x, FloatVector u) {
    var w = u.div(u.add(2f));
    var s = w.mul(w);
    var p = s.fma(broadcast(F, 1 / 15f), broadcast(F, 1 / 13f)).fma(s, broadcast(F, 1 / 11f))
        .fma(s, broadcast(F, 1 / 9f)).fma(s, broadcast(F, 1 / 7f)).fma(s, broadcast(F, 1 / 5f))
        .fma(s, broadcast(F, 1 / 3f)).fma(s, broadcast(F, 1));
    return w.add(w).fma(p, x.blend(0f, x.compare(LT, 0f)));
  }

  public static float softplus(float x, float u) {
    float w = u / (u + 2), s = w * w;
    float p = Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(Math.fma(s, 1 / 15f, 1 / 13f), s, 1 / 11f), s,
        1 / 9f), s, 1 / 7f), s, 1 / 5f), s, 1 / 3f), s, 1f);
    return Math.fma(w + w, p, x < 0 ? 0 : x);
  }

  // Folds over a stretch of an array. `sum` and `dot` fold their lanes themselves: so they have more than the 325 bytes
  // up to which C2 inlines what is hot, and always keep to a body of their own.

  public static float sum(float[] a, int at, int n) {
    int i = 0;
    FloatVector s = zero(F), t = s, u = s, v = s;
    for (; i <= n - 4 * LANES; i += 4 * LANES) {
      s = s.add(fromArray(F, a, at + i));
      t = t.add(fromArray(F, a, at + i + LANES));
      u = u.add(fromArray(F, a, at + i + 2 * LANES));
      v = v.add(fromArray(F, a, at + i + 3 * LANES));
    }
    for (; i <= n - LANES; i += LANES) s = s.add(fromArray(F, a, at + i));
    s = s.add(t).add(u.add(v));
    float r = (s.lane(0) + s.lane(1)) + (s.lane(2) + s.lane(3));
    if (LANES > 4) r += (s.lane(4) + s.lane(5)) + (s.lane(6) + s.lane(7));
    if (LANES > 8)
      r += ((s.lane(8) + s.lane(9)) + (s.lane(10) + s.lane(11)))
          + ((s.lane(12) + s.lane(13)) + (s.lane(14) + s.lane(15)));
    for (; i < n; i++) r += a[at + i];
    return r;
  }

  public static float max(float[] a, int at, int n) {
    var m = broadcast(F, Float.NEGATIVE_INFINITY);
    int i = 0;
    for (; i <= n - LANES; i += LANES) m = m.max(fromArray(F, a, at + i));
    float r = m.reduceLanes(MAX);
    for (; i < n; i++) r = Math.max(r, a[at + i]);
    return r;
  }

  public static float dot(float[] a, int at, float[] b, int bt, int n) {
    FloatVector s = zero(F), t = s, u = s, v = s;
    int i = 0;
    for (; i <= n - 4 * LANES; i += 4 * LANES) {
      s = fromArray(F, a, at + i).fma(fromArray(F, b, bt + i), s);
      t = fromArray(F, a, at + i + LANES).fma(fromArray(F, b, bt + i + LANES), t);
      u = fromArray(F, a, at + i + 2 * LANES).fma(fromArray(F, b, bt + i + 2 * LANES), u);
      v = fromArray(F, a, at + i + 3 * LANES).fma(fromArray(F, b, bt + i + 3 * LANES), v);
    }
    for (; i <= n - LANES; i += LANES) s = fromArray(F, a, at + i).fma(fromArray(F, b, bt + i), s);
    s = s.add(t).add(u.add(v));
    float r = (s.lane(0) + s.lane(1)) + (s.lane(2) + s.lane(3));
    if (LANES > 4) r += (s.lane(4) + s.lane(5)) + (s.lane(6) + s.lane(7));
    if (LANES > 8)
      r += ((s.lane(8) + s.lane(9)) + (s.lane(10) + s.lane(11)))
          + ((s.lane(12) + s.lane(13)) + (s.lane(14) + s.lane(15)));
    for (; i < n; i++) r = Math.fma(a[at + i], b[bt + i], r);
    return r;
  }

  /// y ← y + x. In vectors: C2 leaves a plain loop over two arrays with offsets of their own as it is, since they might
  /// be one.
  public static void add(float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) fromArray(F, y, yt + i).add(fromArray(F, x, xt + i)).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] += x[xt + i];
  }

  /// y ← k·x
  public static void scale(float[] x, int xt, float k, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) fromArray(F, x, xt + i).mul(k).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] = x[xt + i] * k;
  }

  /// y ← e^(x − shift); returns the sum. The sum has a loop of its own: where C2 does not inline what folds an
  /// accumulator, it puts it in a box on every turn.
  public static float expShifted(float[] x, int xt, float shift, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) exp(fromArray(F, x, xt + i).sub(shift)).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] = exp(x[xt + i] - shift);
    return sum(y, yt, n);
  }
}
