package jacquard.clip.model.timm.naflex;

import jacquard.clip.nn.Resampling;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;

/// The weights of patches of another size (Beyer et al. 2023, FlexiViT): those that give for an enlarged patch what the
/// learned ones give for the
/// patch itself, as near as can be: pinv(Bᵀ)·w, B the matrix that resizes a patch. B is the product of one matrix for
/// rows and one for columns, and
/// so is its pseudoinverse.
public final class PatchSizes {
  private PatchSizes() {}

  /// Weights `[width, from·from·3]` → `[width, to·to·3]`.
  public static Tensor resampled(Tensor weight, int from, int to) {
    if (from == to) return weight;
    double[][] one = pseudoinverse(Resampling.CUBIC.weights(from, to));
    float[] both = new float[to * to * from * from];
    int at = 0;
    for (int y = 0; y < to; y++)
      for (int x = 0; x < to; x++)
        for (int j = 0; j < from; j++) for (int i = 0; i < from; i++) both[at++] = (float) (one[y][j] * one[x][i]);
    int width = weight.dim(0);
    var pixels = weight.reshape(width, from * from, 3).permute(0, 2, 1).dense().reshape(width * 3, from * from);
    return pixels.matmul(false, Tensor.of(Shape.of(to * to, from * from), both), true).reshape(width, 3, to * to)
        .permute(0, 2, 1).dense().reshape(width, to * to * 3);
  }

  /// pinv(Bᵀ) `[to][from]` of B `[to][from]`: B(BᵀB)⁻¹ where it has more rows than columns, else (BBᵀ)⁻¹B.
  static double[][] pseudoinverse(double[][] b) {
    int to = b.length, from = b[0].length;
    boolean tall = to >= from;
    int n = Math.min(to, from);
    double[][] gram = new double[n][n];
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++)
        for (int k = 0; k < Math.max(to, from); k++) gram[i][j] += tall ? b[k][i] * b[k][j] : b[i][k] * b[j][k];
    double[][] right = new double[n][Math.max(to, from)];
    for (int i = 0; i < n; i++) for (int k = 0; k < right[i].length; k++) right[i][k] = tall ? b[k][i] : b[i][k];
    solve(gram, right);
    if (!tall) return right;
    double[][] r = new double[to][from];
    for (int i = 0; i < from; i++) for (int k = 0; k < to; k++) r[k][i] = right[i][k];
    return r;
  }

  /// Gauss and Jordan with pivots: a becomes the identity, b a⁻¹·b.
  private static void solve(double[][] a, double[][] b) {
    int n = a.length;
    for (int c = 0; c < n; c++) {
      int p = c;
      for (int i = c + 1; i < n; i++) if (Math.abs(a[i][c]) > Math.abs(a[p][c])) p = i;
      double[] ta = a[c], tb = b[c];
      a[c] = a[p];
      a[p] = ta;
      b[c] = b[p];
      b[p] = tb;
      double d = a[c][c];
      for (int k = 0; k < n; k++) a[c][k] /= d;
      for (int k = 0; k < b[c].length; k++) b[c][k] /= d;
      for (int i = 0; i < n; i++) {
        double f = a[i][c];
        if (i == c || f == 0) continue;
        for (int k = 0; k < n; k++) a[i][k] -= f * a[c][k];
        for (int k = 0; k < b[c].length; k++) b[i][k] -= f * b[c][k];
      }
    }
  }
}
