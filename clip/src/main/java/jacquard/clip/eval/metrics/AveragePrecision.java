package jacquard.clip.eval.metrics;

import java.util.Arrays;
import java.util.Comparator;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.IntStream;

/// Of samples that may have several labels: for each class how well its scores rank those that have it.
public final class AveragePrecision {
  private AveragePrecision() {}

  /// Σ over positives of the precision at their rank, over how many there are; 0 for a class that nobody has. Of equal
  /// scores the lowest number stands first.
  public static double of(float[] scores, boolean[] positive) {
    double sum = 0;
    int found = 0, rank = 0;
    for (int i : ranked(scores)) {
      rank++;
      if (positive[i]) sum += ++found / (double) rank;
    }
    return sum / Math.max(found, 1);
  }

  /// The mean over recalls 0, 0.1 … 1 of the largest precision at that recall or more. VOC's formula.
  public static double elevenPoint(float[] scores, boolean[] positive) { return points(scores, positive, false); }

  /// The same with the point of recall 0 and precision 1 added, as ELEVATER computes it: the first of the eleven is
  /// then always 1.
  public static double elevenPointFromOne(float[] scores, boolean[] positive) { return points(scores, positive, true); }

  private static double points(float[] scores, boolean[] positive, boolean fromOne) {
    var order = ranked(scores);
    int n = order.length, all = 0, found = 0;
    for (boolean p : positive) if (p) all++;
    double[] recall = new double[n], precision = new double[n];
    int points = 0;
    for (int r = 0; r < n; r++) {
      if (positive[order[r]]) found++;
      // a threshold lies between unequal scores alone
      if (r + 1 < n && scores[order[r + 1]] == scores[order[r]]) continue;
      recall[points] = all == 0 ? 1 : found / (double) all;
      precision[points++] = found / (r + 1.0);
    }
    double sum = 0;
    for (int t = 0; t <= 10; t++) {
      double most = fromOne && t == 0 ? 1 : 0;
      for (int k = 0; k < points; k++) if (recall[k] >= t / 10.0) most = Math.max(most, precision[k]);
      sum += most;
    }
    return sum / 11;
  }

  /// A measure of each class.
  ///
  /// @param scores   `[samples][classes]`
  /// @param positive `[samples][classes]`
  public static double[] each(float[][] scores, boolean[][] positive, ToDoubleBiFunction<float[], boolean[]> measure) {
    return IntStream.range(0, scores[0].length).parallel().mapToDouble(c -> {
      var column = new float[scores.length];
      var has = new boolean[scores.length];
      for (int i = 0; i < column.length; i++) {
        column[i] = scores[i][c];
        has[i] = positive[i][c];
      }
      return measure.applyAsDouble(column, has);
    }).toArray();
  }

  /// The chance that a sample with the class scores above one without it; a half where they are equal. NaN where all or
  /// none have it.
  public static double rocArea(float[] scores, boolean[] positive) {
    var order = ranked(scores);
    double area = 0, below = 0;
    long with = 0, without = 0;
    for (int r = order.length - 1; r >= 0; ) {
      int from = r;
      long p = 0, q = 0;
      for (; r >= 0 && scores[order[r]] == scores[order[from]]; r--) {
        if (positive[order[r]]) p++;
        else q++;
      }
      area += p * (below + q / 2.0);
      below += q;
      with += p;
      without += q;
    }
    return with == 0 || without == 0 ? Double.NaN : area / with / without;
  }

  private static int[] ranked(float[] scores) {
    Comparator<Integer> falling = (a, b) -> Float.compare(scores[b], scores[a]);
    return Arrays.stream(IntStream.range(0, scores.length).boxed().toArray(Integer[]::new)).sorted(falling)
        .mapToInt(i -> i).toArray();
  }
}
