package jacquard.clip.eval.probe;

import jacquard.clip.eval.metrics.Predictions;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.stream.IntStream;

/// OpenAI's linear probe: the minimum of C·Σ cross-entropy + ½‖W‖² over weights and an unpenalised bias, found by
/// L-BFGS in double precision. It is convex, and the minimum is one (but for a constant added to all biases).
///
/// @param c          how much the samples weigh against the penalty
/// @param iterations at most
/// @param tolerance  ends where no gradient is larger
public record LogisticRegression(double c, int iterations, double tolerance) {
  /// What OpenAI's README says.
  public static final LogisticRegression OPENAI = new LogisticRegression(0.316, 1000, 1e-4);
  private static final int MEMORY = 10;
  private static final double DECREASE = 1e-4, CURVATURE = 0.9;

  /// @param weight `[classes][width]`
  public record Fit(double[][] weight, double[] bias, double objective) {
    /// The logits, `[samples][classes]`.
    public float[][] scores(double[][] rows) {
      return Arrays.stream(rows).parallel().map(x -> {
        var r = new float[bias.length];
        for (int k = 0; k < r.length; k++) r[k] = (float) (dot(weight[k], x) + bias[k]);
        return r;
      }).toArray(float[][]::new);
    }

    /// Of each sample the class that is likeliest.
    public int[] predict(double[][] rows) {
      return Arrays.stream(scores(rows)).mapToInt(s -> Predictions.top(s, 1)[0]).toArray();
    }
  }

  /// The problem: its value and gradient at a point `[classes · (width + 1)]`, the bias behind each class's weights.
  private record Problem(double[][] x, int[] y, int classes, double c) {
    int width() { return x[0].length; }

    double at(double[] p, double[] gradient) {
      int w = width() + 1, block = 512, blocks = Math.ceilDiv(x.length, block);
      var parts = new double[blocks][];
      double[] losses = IntStream.range(0, blocks).parallel().mapToDouble(b -> {
        parts[b] = new double[p.length];
        double sum = 0;
        for (int i = b * block; i < Math.min(x.length, (b + 1) * block); i++) sum += sample(i, p, parts[b]);
        return sum;
      }).toArray();
      Arrays.fill(gradient, 0);
      double value = 0;
      // in order: the same bits on any number of cores
      for (int b = 0; b < blocks; b++) {
        value += c * losses[b];
        for (int k = 0; k < p.length; k++) gradient[k] += c * parts[b][k];
      }
      for (int k = 0; k < p.length; k++) if (k % w != w - 1) {
        value += 0.5 * p[k] * p[k];
        gradient[k] += p[k];
      }
      return value;
    }

    private double sample(int i, double[] p, double[] gradient) {
      int w = width() + 1;
      var z = new double[classes];
      double most = Double.NEGATIVE_INFINITY, sum = 0;
      for (int k = 0; k < classes; k++) {
        double s = p[k * w + w - 1];
        for (int j = 0; j < w - 1; j++) s += p[k * w + j] * x[i][j];
        z[k] = s;
        most = Math.max(most, s);
      }
      for (int k = 0; k < classes; k++) sum += Math.exp(z[k] - most);
      for (int k = 0; k < classes; k++) {
        double d = Math.exp(z[k] - most) / sum - (k == y[i] ? 1 : 0);
        for (int j = 0; j < w - 1; j++) gradient[k * w + j] += d * x[i][j];
        gradient[k * w + w - 1] += d;
      }
      return most + Math.log(sum) - z[y[i]];
    }
  }

  public Fit fit(double[][] rows, int[] labels, int classes) {
    var problem = new Problem(rows, labels, classes, c);
    int w = problem.width() + 1;
    var p = new double[classes * w];
    double value = minimise(problem, p);
    var weight = new double[classes][];
    var bias = new double[classes];
    for (int k = 0; k < classes; k++) {
      weight[k] = Arrays.copyOfRange(p, k * w, k * w + w - 1);
      bias[k] = p[k * w + w - 1];
    }
    return new Fit(weight, bias, value);
  }

  private record Pair(double[] step, double[] change, double curvature) {}

  private double minimise(Problem problem, double[] p) {
    var g = new double[p.length];
    var pairs = new ArrayDeque<Pair>();
    double value = problem.at(p, g);
    for (int i = 0; i < iterations && most(g) > tolerance; i++) {
      var direction = direction(g, pairs);
      double slope = dot(g, direction);
      // curvature lost to rounding: begin anew
      if (!(slope < 0)) {
        if (pairs.isEmpty()) break;
        pairs.clear();
        continue;
      }
      double[] next = new double[p.length], gradient = new double[p.length];
      double reached = search(problem, p, direction,
          new Start(value, slope, pairs.isEmpty() ? Math.min(1, 1 / most(g)) : 1), next, gradient);
      if (Double.isNaN(reached)) break;                                            // no lower point within rounding
      double[] step = minus(next, p), change = minus(gradient, g);
      double curvature = dot(step, change);
      if (curvature > 0) {
        pairs.addLast(new Pair(step, change, curvature));
        if (pairs.size() > MEMORY) pairs.removeFirst();
      }
      System.arraycopy(next, 0, p, 0, p.length);
      g = gradient;
      value = reached;
    }
    return value;
  }

  private record Start(double value, double slope, double length) {}

  /// A point that is lower by enough and flat enough (Wolfe's weak conditions), by doubling and halving.
  private static double search(Problem problem, double[] p, double[] direction, Start start, double[] next,
      double[] gradient) {
    double low = 0, high = Double.POSITIVE_INFINITY, t = start.length, value = Double.NaN;
    for (int i = 0; i < 60; i++) {
      for (int k = 0; k < p.length; k++) next[k] = p[k] + t * direction[k];
      value = problem.at(next, gradient);
      if (!(value <= start.value + DECREASE * t * start.slope)) high = t;
      else if (dot(gradient, direction) < CURVATURE * start.slope) low = t;
      else return value;
      t = Double.isInfinite(high) ? 2 * low : (low + high) / 2;
    }
    return value < start.value ? value : Double.NaN;
  }

  /// −H·g by the two loops of Nocedal (1980).
  private static double[] direction(double[] g, ArrayDeque<Pair> pairs) {
    var r = g.clone();
    var alpha = new ArrayDeque<Double>();
    for (var pair : pairs.reversed()) {
      double a = dot(pair.step, r) / pair.curvature;
      alpha.addLast(a);
      for (int k = 0; k < r.length; k++) r[k] -= a * pair.change[k];
    }
    double scale = pairs.isEmpty() ? 1 : pairs.getLast().curvature / dot(pairs.getLast().change,
        pairs.getLast().change);
    for (int k = 0; k < r.length; k++) r[k] *= scale;
    for (var pair : pairs) {
      double b = alpha.removeLast() - dot(pair.change, r) / pair.curvature;
      for (int k = 0; k < r.length; k++) r[k] += b * pair.step[k];
    }
    for (int k = 0; k < r.length; k++) r[k] = -r[k];
    return r;
  }

  private static double dot(double[] a, double[] b) {
    double s = 0;
    for (int k = 0; k < b.length; k++) s += a[k] * b[k];
    return s;
  }

  private static double most(double[] a) { return Arrays.stream(a).map(Math::abs).max().orElse(0); }

  private static double[] minus(double[] a, double[] b) {
    var r = new double[a.length];
    for (int k = 0; k < r.length; k++) r[k] = a[k] - b[k];
    return r;
  }
}
