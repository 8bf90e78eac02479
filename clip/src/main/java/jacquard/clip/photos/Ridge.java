package jacquard.clip.photos;

/// The matrix that turns one set of features into another with the least square error and no large entries (Hoerl and
/// Kennard 1970): of n pairs x, y, both less their means, M = (XᵀX + λI)⁻¹XᵀY. In double precision, by Cholesky's
/// factors.
///
/// @param mean of the x `[in]`
/// @param matrix M `[in, out]`
record Ridge(double[] mean, double[][] matrix) {
  static Ridge of(float[][] x, float[][] y, double lambda) {
    int n = x.length, in = x[0].length, out = y[0].length;
    double[] meanX = mean(x), meanY = mean(y);
    var a = new double[in][in];                                                  // XᵀX + λI
    var b = new double[in][out];                                                 // XᵀY
    for (int r = 0; r < n; r++)
      for (int i = 0; i < in; i++) {
        double v = x[r][i] - meanX[i];
        for (int j = 0; j <= i; j++) a[i][j] += v * (x[r][j] - meanX[j]);
        for (int j = 0; j < out; j++) b[i][j] += v * (y[r][j] - meanY[j]);
      }
    for (int i = 0; i < in; i++) a[i][i] += lambda;
    factor(a);
    solve(a, b);
    return new Ridge(meanX, b);
  }

  private static double[] mean(float[][] rows) {
    var r = new double[rows[0].length];
    for (float[] row : rows) for (int i = 0; i < r.length; i++) r[i] += row[i];
    for (int i = 0; i < r.length; i++) r[i] /= rows.length;
    return r;
  }

  /// A = LLᵀ in place, L below the diagonal.
  private static void factor(double[][] a) {
    for (int i = 0; i < a.length; i++)
      for (int j = 0; j <= i; j++) {
        double s = a[i][j];
        for (int k = 0; k < j; k++) s -= a[i][k] * a[j][k];
        a[i][j] = i == j ? Math.sqrt(s) : s / a[j][j];
      }
  }

  /// LLᵀM = B in place of B: forward, then back.
  private static void solve(double[][] l, double[][] b) {
    for (int i = 0; i < l.length; i++) {
      for (int k = 0; k < i; k++) subtract(b[i], l[i][k], b[k]);
      divide(b[i], l[i][i]);
    }
    for (int i = l.length - 1; i >= 0; i--) {
      for (int k = i + 1; k < l.length; k++) subtract(b[i], l[k][i], b[k]);
      divide(b[i], l[i][i]);
    }
  }

  private static void subtract(double[] from, double times, double[] what) {
    for (int j = 0; j < from.length; j++) from[j] -= times * what[j];
  }

  private static void divide(double[] row, double by) { for (int j = 0; j < row.length; j++) row[j] /= by; }

  /// (x − mean)·M as a layer: weights Mᵀ `[out, in]`, row-major.
  float[] weights() {
    int in = matrix.length, out = matrix[0].length;
    var r = new float[out * in];
    for (int o = 0; o < out; o++) for (int i = 0; i < in; i++) r[o * in + i] = (float) matrix[i][o];
    return r;
  }

  /// … and bias −mean·M `[out]`.
  float[] bias() {
    var r = new float[matrix[0].length];
    for (int o = 0; o < r.length; o++) {
      double s = 0;
      for (int i = 0; i < mean.length; i++) s -= mean[i] * matrix[i][o];
      r[o] = (float) s;
    }
    return r;
  }
}
