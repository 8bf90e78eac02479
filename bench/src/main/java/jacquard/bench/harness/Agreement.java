package jacquard.bench.harness;

/// Both sides of a contest must compute the same, or the race is about nothing.
public final class Agreement {
  private Agreement() {}

  /// The largest difference, as a share of the largest value of the second.
  public static double difference(float[] a, float[] b) {
    if (a.length != b.length) throw new IllegalStateException(a.length + " values beside the peer's " + b.length);
    double most = 0, largest = 1e-30;
    for (int i = 0; i < a.length; i++) {
      double d = Math.abs((double) a[i] - b[i]);
      if (!(d <= most)) most = d;                                                // lets a NaN through
      largest = Math.max(largest, Math.abs(b[i]));
    }
    return most / largest;
  }

  /// The largest magnitude, not 0.
  public static double largest(float[] v) {
    double r = 1e-30;
    for (float x : v) r = Math.max(r, Math.abs(x));
    return r;
  }

  /// @param tolerance of single precision, derived at the call
  public static void check(String what, float[] ours, float[] peers, double tolerance) {
    double d = difference(ours, peers);
    if (!(d <= tolerance))
      throw new IllegalStateException(what + " differs from the peer's by " + d
          + " of its largest value, expected at most " + tolerance);
  }
}
