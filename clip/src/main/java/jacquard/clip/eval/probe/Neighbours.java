package jacquard.clip.eval.probe;

import jacquard.clip.eval.Ranking;
import jacquard.clip.eval.metrics.Predictions;
import jacquard.tensor.Device;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Classification by the nearest training samples: each of the `k` of the highest cosines votes for its class with
/// e^(cosine / temperature) (Wu et al. 2018). Of equal cosines the sample of the lowest number is nearer.
///
/// @param k           neighbours; all where there are fewer
/// @param temperature 0.07 as usual
public record Neighbours(int k, double temperature) {
  public static final Neighbours USUAL = new Neighbours(20, 0.07);
  private static final int TILE = 512;

  /// The votes of all classes, `[samples][classes]`. Features are normalised.
  public float[][] votes(Features train, float[][] test, int classes, Device device) {
    var r = new float[test.length][classes];
    for (int from = 0; from < test.length; from += TILE) {
      int first = from;
      var scores = Ranking.scores(Arrays.copyOfRange(test, from, Math.min(test.length, from + TILE)), train.rows(),
          device);
      IntStream.range(0, scores.length).parallel().forEach(i -> {
        int[] best = Predictions.top(scores[i], k);
        var votes = new double[classes];
        for (int j : best) votes[train.labels()[j]] += Math.exp((scores[i][j] - 1) / temperature);
        for (int c = 0; c < classes; c++) r[first + i][c] = (float) votes[c];
      });
    }
    return r;
  }
}
