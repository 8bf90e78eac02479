package jacquard.clip.eval;

import java.util.Arrays;
import java.util.stream.IntStream;

/// For each of many queries the `k` candidates that score highest so far, best first. Of equal scores the candidate
/// that was offered first stands first: whoever offers in ascending order has the lowest index win. A score that is not
/// a number is never among them.
final class TopK {
  private final int k;
  private final int[] counts, candidates;
  private final float[] scores;

  TopK(int queries, int k) {
    this.k = k;
    counts = new int[queries];
    candidates = new int[queries * k];
    scores = new float[queries * k];
  }

  /// Safe for many threads as long as each query has one.
  void offer(int query, int candidate, float score) {
    int from = query * k, n = counts[query];
    if (n == k ? !(score > scores[from + k - 1]) : Float.isNaN(score)) return;
    int at = n == k ? k - 1 : counts[query]++;
    for (; at > 0 && score > scores[from + at - 1]; at--) {
      scores[from + at] = scores[from + at - 1];
      candidates[from + at] = candidates[from + at - 1];
    }
    scores[from + at] = score;
    candidates[from + at] = candidate;
  }

  int queries() { return counts.length; }

  /// The best `n` of a query, best first; fewer where there are not so many.
  IntStream best(int query, int n) {
    return Arrays.stream(candidates, query * k, query * k + Math.min(n, counts[query]));
  }
}
