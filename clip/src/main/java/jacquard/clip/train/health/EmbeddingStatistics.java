package jacquard.clip.train.health;

import jacquard.clip.eval.Evaluation;
import jacquard.clip.train.Listener;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.Supplier;

/// How features lie on the sphere, of the pictures that were last evaluated: alignment, the mean of ‖x − t‖² over
/// pairs; uniformity, ln of the mean of exp(−2‖x − y‖²) over pictures (Wang and Isola 2020; lower is more even); and
/// the effective rank, exp of the entropy of the singular values (Roy and Vetterli 2007).
///
/// @param last the last evaluation
public record EmbeddingStatistics(Supplier<Evaluation> last) implements Listener.Evaluator {
  private static final int MOST = 256, SWEEPS = 30;

  @Override public Listener.Outcome outcome() {
    var e = last.get();
    int n = Math.min(MOST, e.pictures().length);
    var x = new float[n][];
    double alignment = 0;
    for (int i = 0; i < n; i++) {
      int at = (int) ((long) e.pictures().length * i / n);
      x[i] = e.pictures()[at];
      alignment += distance(x[i], e.texts()[e.labels()[at][0]]) / n;
    }
    SequencedMap<String, Double> m = new LinkedHashMap<>();
    m.put("alignment", alignment);
    m.put("uniformity", uniformity(x));
    m.put("effective_rank", effectiveRank(x));
    return new Listener.Outcome(m, "alignment %.3f, uniformity %.3f, effective rank %.1f of %d".formatted(alignment,
        m.get("uniformity"), m.get("effective_rank"), Math.min(n, x[0].length)));
  }

  private static double distance(float[] a, float[] b) {
    double d = 0;
    for (int k = 0; k < a.length; k++) d += ((double) a[k] - b[k]) * ((double) a[k] - b[k]);
    return d;
  }

  /// 0 of one picture.
  static double uniformity(float[][] x) {
    double sum = 0;
    long pairs = 0;
    for (int i = 0; i < x.length; i++)
      for (int j = 0; j < i; j++, pairs++) sum += Math.exp(-2 * distance(x[i], x[j]));
    return pairs == 0 ? 0 : Math.log(sum / pairs);
  }

  static double effectiveRank(float[][] x) {
    double[] squares = eigenvalues(gram(x));
    double all = 0, entropy = 0;
    for (double s : squares) all += Math.sqrt(Math.max(0, s));
    for (double s : squares) {
      double p = Math.sqrt(Math.max(0, s)) / all;
      if (p > 0) entropy -= p * Math.log(p);
    }
    return Math.exp(entropy);
  }

  private static double[][] gram(float[][] x) {
    int n = x.length;
    var r = new double[n][n];
    for (int i = 0; i < n; i++)
      for (int j = 0; j <= i; j++) {
        double s = 0;
        for (int k = 0; k < x[i].length; k++) s += (double) x[i][k] * x[j][k];
        r[i][j] = r[j][i] = s;
      }
    return r;
  }

  /// Of a symmetric matrix, by Jacobi's rotations.
  private static double[] eigenvalues(double[][] a) {
    int n = a.length;
    double trace = 0;
    for (int i = 0; i < n; i++) trace += a[i][i];
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
      double off = 0;
      for (int p = 0; p < n; p++)
        for (int q = p + 1; q < n; q++) {
          off = Math.max(off, Math.abs(a[p][q]));
          if (Math.abs(a[p][q]) > 1e-12 * trace) rotate(a, p, q);
        }
      if (off <= 1e-10 * trace) break;
    }
    double[] r = new double[n];
    for (int i = 0; i < n; i++) r[i] = a[i][i];
    return r;
  }

  private static void rotate(double[][] a, int p, int q) {
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double t = Math.copySign(1, theta) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
    double c = 1 / Math.sqrt(t * t + 1), s = t * c;
    for (int k = 0; k < a.length; k++) {
      double kp = a[k][p], kq = a[k][q];
      a[k][p] = c * kp - s * kq;
      a[k][q] = s * kp + c * kq;
    }
    double[] rowP = a[p], rowQ = a[q];
    for (int k = 0; k < a.length; k++) {
      double pk = rowP[k], qk = rowQ[k];
      rowP[k] = c * pk - s * qk;
      rowQ[k] = s * pk + c * qk;
    }
  }
}
