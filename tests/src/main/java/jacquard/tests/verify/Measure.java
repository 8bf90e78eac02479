package jacquard.tests.verify;

/// Distances between arrays.
public final class Measure {
  private Measure() {}

  public static double largest(float[] a) {
    double m = 0;
    for (float v : a) m = Math.max(m, Math.abs(v));
    return m;
  }

  /// The largest difference; NaN where sizes differ or a value is NaN.
  public static double difference(float[] a, float[] b) {
    if (a.length != b.length) return Double.NaN;
    double m = 0;
    for (int i = 0; i < a.length; i++) {
      double d = Math.abs((double) a[i] - b[i]);
      if (Double.isNaN(d)) return Double.NaN;
      m = Math.max(m, d);
    }
    return m;
  }

  /// The largest difference as a share of the largest expected entry; absolute where that is 0.
  public static double error(float[] a, float[] expected) {
    double l = largest(expected);
    return difference(a, expected) / (l == 0 ? 1 : l);
  }

  public static int[][] rows(long[] ids, int width) {
    int[][] r = new int[ids.length / width][width];
    for (int i = 0; i < ids.length; i++) r[i / width][i % width] = (int) ids[i];
    return r;
  }
}
