package jacquard.clip.eval.captioning;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/// CIDEr-D (Vedantam et al. 2015). A gram weighs count · (ln pictures − ln max(1, pictures with it in a reference));
/// caption and reference are as alike as Σ min(c, r)·r / (‖c‖·‖r‖), times e^(−Δ²/72) where their numbers of pairs of
/// words differ by Δ; the mean over n = 1 … 4 and all references, times 10.
public final class Cider {
  private static final int LONGEST = 4;
  private static final double SIGMA = 6, SCALE = 10;

  private Cider() {}

  /// Of each caption; the pictures of all say how rare a gram is.
  public static double[] each(List<Captioned> all) {
    var pictures = new HashMap<List<String>, Integer>();
    for (var c : all) {
      var seen = new HashSet<List<String>>();
      for (var r : c.references()) for (int n = 1; n <= LONGEST; n++) seen.addAll(Captioned.grams(r, n).keySet());
      for (var gram : seen) pictures.merge(gram, 1, Integer::sum);
    }
    double total = Math.log(all.size());
    return all.stream().mapToDouble(c -> {
      var own = Weights.of(c.candidate(), pictures, total);
      double sum = 0;
      for (var r : c.references()) sum += own.likeness(Weights.of(r, pictures, total));
      return sum / c.references().size() * SCALE;
    }).toArray();
  }

  /// @param grams  by length
  /// @param norms  of each length
  /// @param length how many pairs of words there are
  private record Weights(List<Map<List<String>, Double>> grams, double[] norms, int length) {
    static Weights of(List<String> words, Map<List<String>, Integer> pictures, double total) {
      var grams = new ArrayList<Map<List<String>, Double>>();
      var norms = new double[LONGEST];
      for (int n = 1; n <= LONGEST; n++) {
        var weights = new HashMap<List<String>, Double>();
        double squares = 0;
        for (var e : Captioned.grams(words, n).entrySet()) {
          double w = e.getValue() * (total - Math.log(Math.max(1, pictures.getOrDefault(e.getKey(), 0))));
          weights.put(e.getKey(), w);
          squares += w * w;
        }
        grams.add(weights);
        norms[n - 1] = Math.sqrt(squares);
      }
      return new Weights(grams, norms, Math.max(0, words.size() - 1));
    }

    double likeness(Weights r) {
      double sum = 0, apart = length - r.length;
      for (int n = 0; n < LONGEST; n++) {
        double common = 0;
        for (var e : grams.get(n).entrySet()) {
          double w = r.grams.get(n).getOrDefault(e.getKey(), 0.0);
          common += Math.min(e.getValue(), w) * w;
        }
        if (norms[n] != 0 && r.norms[n] != 0) common /= norms[n] * r.norms[n];
        sum += common * Math.exp(-apart * apart / (2 * SIGMA * SIGMA));
      }
      return sum / LONGEST;
    }
  }
}
