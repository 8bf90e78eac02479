package jacquard.tests.reference;

import jacquard.tensor.DType;

/// A number in double, and how far from it an honest computation in single precision may come.
///
/// Each operation of single precision rounds by at most u = 2⁻²⁴ of its result. Seen as independent, such errors add as
/// a random walk: their variances add, multiplied by the squares of the derivatives (a running error analysis,
/// Wilkinson 1963, with variances for bounds; Higham and Mary 2019). So a tolerance needs no constant tuned for an op:
/// it is 8 standard deviations of what its own formula accumulates, c·√n·ε for a sum of n terms.
///
/// @param variance of the absolute error, in units of u²
public record Real(double value, double variance) {
  public static final double UNIT = 0x1p-24;
  /// Exponentials below the smallest normal number may become 0, or stay there.
  private static final double FLUSHED = Math.pow(4 * Float.MIN_NORMAL / UNIT, 2);
  public static final Real ZERO = new Real(0, 0), ONE = new Real(1, 0);

  public static Real of(double exact) { return new Real(exact, 0); }

  private static Real rounded(double v, double variance) {
    return new Real(v, Double.isInfinite(v) ? 0 : variance + v * v);
  }

  /// Within this of `value` an honest result lies; results below the smallest normal number may be flushed to 0.
  public double tolerance() { return 8 * UNIT * Math.sqrt(variance) + (variance == 0 ? 0 : Float.MIN_NORMAL); }

  public Real plus(Real b) { return rounded(value + b.value, variance + b.variance); }
  public Real minus(Real b) { return rounded(value - b.value, variance + b.variance); }
  public Real times(Real b) {
    return rounded(value * b.value, value * value * b.variance + b.value * b.value * variance);
  }
  public Real times(double b) { return rounded(value * b, b * b * variance); }
  public Real plus(double b) { return rounded(value + b, variance); }
  public Real negate() { return new Real(-value, variance); }
  public Real over(Real b) {
    double q = value / b.value;
    return rounded(q, (variance + q * q * b.variance) / (b.value * b.value));
  }
  /// Rounded to what a tensor of this dtype holds (null: single precision): u = 2⁻⁸ of BF16 is a bound, not a
  /// deviation, so that a quarter of it, twice the bound in the tolerance, leaves room for what was rounded.
  public Real stored(DType to) {
    return to == DType.BF16 ? new Real(value, variance + Math.pow(value * 0x1p-8 / 4 / UNIT, 2)) : this;
  }
  public Real inverse() { return ONE.over(this); }
  public Real max(Real b) { return value >= b.value || Double.isNaN(value) ? this : b; }

  public Real sqrt() {
    double r = Math.sqrt(value);
    return rounded(r, r > 0 ? variance / (4 * value) : variance);
  }
  /// To 2 ulp, that is 4u.
  public Real exp() {
    double r = Math.exp(value);
    return rounded(r, (r == 0 ? 0 : r * r * (variance + 16)) + FLUSHED);
  }
  public Real log() { return rounded(Math.log(value), variance / (value * value)); }
  /// 1/(1 + e⁻ˣ); e⁻ˣ to 4u
  public Real sigmoid() {
    double s = 1 / (1 + Math.exp(-value)), d = s * (1 - s);
    return rounded(s, d * d * (variance + 16) + s * s + FLUSHED);
  }
  /// log(1 + eˣ); 9u for the series, whose argument is exact to 4u
  public Real softplus() {
    double r = Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value))), s = 1 / (1 + Math.exp(-value));
    return rounded(r, s * s * variance + 25 * r * r);
  }
  /// Absolute error 1.2e-7 = 2u.
  public Real tanh() {
    double t = Math.tanh(value), d = 1 - t * t;
    return rounded(t, d * d * variance + 4);
  }
  /// Absolute error 1.2e-7 = 2u.
  public Real erf() {
    double d = 2 / Math.sqrt(Math.PI) * Math.exp(-value * value);
    return rounded(erf(value), d * d * variance + 4);
  }

  /// Taylor's series below 3, 1 − erfc by its continued fraction above; to 1e-15.
  private static double erf(double x) {
    double t = Math.abs(x);
    if (Double.isNaN(x)) return x;
    if (t > 6) return Math.signum(x);
    if (t < 3) {
      double sum = x, term = x;
      for (int n = 1; n < 200 && Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
        term *= -x * x / n;
        sum += term / (2 * n + 1);
      }
      return 2 / Math.sqrt(Math.PI) * sum;
    }
    double f = 0;
    for (int k = 60; k > 0; k--) f = k / 2.0 / (t + f);
    return Math.signum(x) * (1 - Math.exp(-t * t) / Math.sqrt(Math.PI) / (t + f));
  }

  /// A sum in no particular order: n roundings of what the walk has reached, at most the root of the sum of squares and
  /// the total.
  public static final class Sum {
    private double value, squares, variance;
    private int n;

    public Sum add(Real t) {
      value += t.value;
      squares += t.value * t.value;
      variance += t.variance;
      n++;
      return this;
    }

    public Sum add(Real a, Real b) {
      double t = a.value * b.value;
      value += t;
      squares += t * t;
      variance += a.value * a.value * b.variance + b.value * b.value * a.variance + t * t;
      n++;
      return this;
    }

    public Real total() { return new Real(value, n <= 1 ? variance : variance + n * (squares + value * value)); }
  }
}
