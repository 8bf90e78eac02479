package jacquard.clip.eval.metrics;

import jacquard.tensor.Random;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/// How far a figure would move with other samples of the same kind: it is computed of 1,000 draws of the samples with
/// replacement, and the middle 95 % of the values is the interval (Efron's percentiles). The draws follow from the
/// number of samples alone, on any number of cores.
public final class Bootstrap {
  public static final int DRAWS = 1000;
  private static final double TAIL = 0.025;

  /// @param low,high NaN where the figure of a draw was no number
  public record Interval(double low, double high) {}

  private Bootstrap() {}

  /// Of any figure.
  ///
  /// @param figure of samples, given how often each was drawn
  public static Interval of(int samples, ToDoubleFunction<int[]> figure) {
    var values = IntStream.range(0, DRAWS).parallel().mapToDouble(d -> figure.applyAsDouble(drawn(samples, d)))
        .toArray();
    Arrays.sort(values);
    if (Double.isNaN(values[DRAWS - 1])) return new Interval(Double.NaN, Double.NaN);
    return new Interval(at(values, TAIL), at(values, 1 - TAIL));
  }

  /// Of a share.
  public static Interval of(boolean[] right) {
    return of(right.length, times -> {
      long hits = 0;
      for (int i = 0; i < right.length; i++) if (right[i]) hits += times[i];
      return hits / (double) right.length;
    });
  }

  /// Of the mean per class.
  public static Interval perClass(boolean[] right, int[] labels) {
    int classes = Arrays.stream(labels).max().orElse(-1) + 1;
    return of(right.length, times -> {
      var n = new int[classes];
      var hits = new int[classes];
      for (int i = 0; i < labels.length; i++) {
        n[labels[i]] += times[i];
        if (right[i]) hits[labels[i]] += times[i];
      }
      double sum = 0;
      int there = 0;
      for (int c = 0; c < classes; c++) if (n[c] > 0) { sum += hits[c] / (double) n[c]; there++; }
      return sum / there;
    });
  }

  private static int[] drawn(int samples, int draw) {
    var random = new SplittableRandom(Random.of(samples).fold("bootstrap").fold(draw).key());
    var r = new int[samples];
    for (int i = 0; i < samples; i++) r[random.nextInt(samples)]++;
    return r;
  }

  /// The quantile, linear between neighbours.
  private static double at(double[] sorted, double q) {
    double x = q * (sorted.length - 1);
    int i = (int) x;
    return i + 1 == sorted.length ? sorted[i] : sorted[i] + (x - i) * (sorted[i + 1] - sorted[i]);
  }
}
