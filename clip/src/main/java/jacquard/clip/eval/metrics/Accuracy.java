package jacquard.clip.eval.metrics;

import java.util.Collection;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// Shares of right answers, of all and by class or group.
public final class Accuracy {
  private Accuracy() {}

  public static double of(boolean[] right) {
    int n = 0;
    for (boolean r : right) if (r) n++;
    return n / (double) right.length;
  }

  /// The mean over the classes that occur in the labels of the share of their samples that are predicted right:
  /// scikit-learn's balanced accuracy.
  public static double meanPerClass(int[] predicted, int[] labels) {
    return byGroup(right(predicted, labels), labels).values().stream().mapToDouble(a -> a).average().orElse(Double.NaN);
  }

  /// The mean over the classes that occur in the labels of F1 = 2·tp / (samples + predictions).
  public static double meanF1(int[] predicted, int[] labels) {
    var samples = counts(labels);
    var answers = counts(predicted);
    var hits = new TreeMap<Integer, Integer>();
    for (int i = 0; i < labels.length; i++) if (predicted[i] == labels[i]) hits.merge(labels[i], 1, Integer::sum);
    return samples.keySet().stream().mapToDouble(c -> 2.0 * hits.getOrDefault(c, 0)
        / (samples.get(c) + answers.getOrDefault(c, 0))).average().orElse(Double.NaN);
  }

  private static TreeMap<Integer, Integer> counts(int[] of) {
    var r = new TreeMap<Integer, Integer>();
    for (int v : of) r.merge(v, 1, Integer::sum);
    return r;
  }

  public static boolean[] right(int[] predicted, int[] labels) {
    var r = new boolean[labels.length];
    for (int i = 0; i < r.length; i++) r[i] = predicted[i] == labels[i];
    return r;
  }

  /// The share in each group that has samples, by the group's number.
  public static SequencedMap<Integer, Double> byGroup(boolean[] right, int[] group) {
    var all = counts(group);
    var hits = counts(IntStream.range(0, group.length).filter(i -> right[i]).map(i -> group[i]).toArray());
    var r = new TreeMap<Integer, Double>();
    all.forEach((g, n) -> r.put(g, hits.getOrDefault(g, 0) / (double) n));
    return r;
  }

  public static double worst(Collection<Double> shares) {
    return shares.stream().mapToDouble(a -> a).min().orElse(Double.NaN);
  }
}
