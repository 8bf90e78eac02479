package jacquard.clip.eval.metrics;

import jacquard.clip.eval.Ranking;
import jacquard.tensor.Device;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/// Where the own text of a picture stands among all texts, and the other way: what OpenCLIP reports while it trains.
/// Pairs are one to one.
public final class Ranks {
  private static final int TILE = 256;

  private Ranks() {}

  /// Mean rank (from 1), median rank (the floor of the median from 0, plus 1), and the shares within the first 1, 5 and
  /// 10, by OpenCLIP's names.
  public static SequencedMap<String, Double> of(float[][] images, float[][] texts, Device device) {
    var r = new LinkedHashMap<String, Double>();
    add(r, "image_to_text", ranks(images, texts, device));
    add(r, "text_to_image", ranks(texts, images, device));
    return r;
  }

  private static void add(SequencedMap<String, Double> to, String name, int[] ranks) {
    to.put(name + "_mean_rank", Arrays.stream(ranks).average().orElse(Double.NaN) + 1);
    to.put(name + "_median_rank", Math.floor(median(ranks)) + 1);
    for (int k : new int[] {1, 5, 10})
      to.put(name + "_R@" + k, Arrays.stream(ranks).filter(x -> x < k).count() / (double) ranks.length);
  }

  /// How many stand before the own one: that score higher, or equal with a lower number.
  private static int[] ranks(float[][] queries, float[][] candidates, Device device) {
    var r = new int[queries.length];
    for (int from = 0; from < queries.length; from += TILE) {
      int first = from;
      var scores = Ranking.scores(Arrays.copyOfRange(queries, from, Math.min(queries.length, from + TILE)), candidates,
          device);
      IntStream.range(0, scores.length).parallel().forEach(i -> {
        int own = first + i;
        float score = scores[i][own];
        for (int j = 0; j < candidates.length; j++)
          if (scores[i][j] > score || scores[i][j] == score && j < own) r[own]++;
      });
    }
    return r;
  }

  private static double median(int[] of) {
    var sorted = of.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0;
  }
}
