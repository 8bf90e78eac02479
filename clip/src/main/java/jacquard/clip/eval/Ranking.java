package jacquard.clip.eval;

/// Cosines of queries and candidates, and how often what is right stands near the top.
public final class Ranking {
  private Ranking() {}

  public static float[][] scores(float[][] queries, float[][] candidates) {
    var r = new float[queries.length][candidates.length];
    java.util.stream.IntStream.range(0, queries.length).parallel().forEach(i -> {
      for (int j = 0; j < candidates.length; j++) {
        float s = 0;
        for (int k = 0; k < queries[i].length; k++) s = Math.fma(queries[i][k], candidates[j][k], s);
        r[i][j] = s;
      }
    });
    return r;
  }

  /// The share of queries for which fewer than `k` candidates score above the best right one.
  ///
  /// @param query,candidate what each is of; a candidate is right where they are equal
  public static double recall(float[][] scores, int[] query, int[] candidate, int k) {
    int hits = 0;
    for (int i = 0; i < scores.length; i++) {
      float best = Float.NEGATIVE_INFINITY;
      for (int j = 0; j < candidate.length; j++) if (candidate[j] == query[i]) best = Math.max(best, scores[i][j]);
      int above = 0;
      for (int j = 0; j < candidate.length; j++) if (scores[i][j] > best || Float.isNaN(scores[i][j])) above++;
      if (above < k && best > Float.NEGATIVE_INFINITY) hits++;
    }
    return hits / (double) scores.length;
  }
}
