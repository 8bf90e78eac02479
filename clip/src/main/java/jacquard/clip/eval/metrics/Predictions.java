package jacquard.clip.eval.metrics;

import jacquard.clip.eval.Ranking;
import jacquard.tensor.Device;
import java.util.Arrays;
import java.util.stream.IntStream;

/// The classes that stand first for each picture, and how sure the first is. Of equal logits the class of the lowest
/// number stands first.
///
/// @param best       `[pictures][k]`, best first; a logit that is no number is never among them
/// @param confidence the probability of the first: softmax of the logits
/// @param classes    how many there are to choose among
public record Predictions(int[][] best, float[] confidence, int classes) {
  /// Logits are cosines times this, whatever a model's own scale is.
  public static final float SCALE = 100;
  private static final int KEPT = 5, TILE = 1024;

  /// @param images     normalised features
  /// @param classifier normalised class vectors
  public static Predictions of(float[][] images, float[][] classifier, Device device) {
    var best = new int[images.length][];
    var confidence = new float[images.length];
    for (int from = 0; from < images.length; from += TILE) {
      int first = from;
      float[][] cosines = Ranking.scores(Arrays.copyOfRange(images, from, Math.min(images.length, from + TILE)),
          classifier,
          device);
      IntStream.range(0, cosines.length).parallel().forEach(i -> {
        best[first + i] = top(cosines[i], KEPT);
        confidence[first + i] = confidence(cosines[i]);
      });
    }
    return new Predictions(best, confidence, classifier.length);
  }

  /// @param scores in any scale: no confidence
  public static Predictions of(float[][] scores) {
    var best = Arrays.stream(scores).map(s -> top(s, KEPT)).toArray(int[][]::new);
    return new Predictions(best, new float[scores.length], scores[0].length);
  }

  /// The numbers of the `k` highest, best first; of equal ones the lowest number first. What is no number is never
  /// among them.
  public static int[] top(float[] scores, int k) {
    var r = new int[Math.min(k, scores.length)];
    int n = 0;
    for (int j = 0; j < scores.length; j++) {
      if (Float.isNaN(scores[j]) || n == r.length && !(scores[j] > scores[r[n - 1]])) continue;
      int at = n < r.length ? n++ : n - 1;
      for (; at > 0 && scores[j] > scores[r[at - 1]]; at--) r[at] = r[at - 1];
      r[at] = j;
    }
    return n == r.length ? r : Arrays.copyOf(r, n);
  }

  private static float confidence(float[] cosines) {
    double most = Double.NEGATIVE_INFINITY, sum = 0;
    for (float c : cosines) most = Math.max(most, c);
    for (float c : cosines) sum += Math.exp(SCALE * (c - most));
    return (float) (1 / sum);
  }

  /// The first of each; −1 where there is none.
  public int[] first() { return Arrays.stream(best).mapToInt(b -> b.length == 0 ? -1 : b[0]).toArray(); }

  /// Whether each picture's label is among its best `k`.
  public boolean[] hits(int[] labels, int k) {
    var r = new boolean[labels.length];
    for (int i = 0; i < r.length; i++) for (int j = 0; j < Math.min(k, best[i].length); j++)
      r[i] |= best[i][j] == labels[i];
    return r;
  }
}
