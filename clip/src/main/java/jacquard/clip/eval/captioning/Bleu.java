package jacquard.clip.eval.captioning;

import java.util.List;

/// BLEU-1 … BLEU-4 (Papineni et al. 2002): BLEUₙ = (Π over i ≤ n of (matches + 1e-15) / (grams + 1e-9))^(1/n), times
/// e^(1 − 1/ratio) where the captions are shorter than the references, ratio being their length over that of the
/// closest reference each.
public final class Bleu {
  private static final int LONGEST = 4;
  private static final double TINY = 1e-15, SMALL = 1e-9;

  private Bleu() {}

  /// Of all captions together.
  public static double[] corpus(List<Captioned> all) {
    var sum = new Counts();
    for (var c : all) sum.add(c);
    return sum.scores();
  }

  /// Of one.
  public static double[] of(Captioned c) { return corpus(List.of(c)); }

  private static final class Counts {
    private final long[] matches = new long[LONGEST], grams = new long[LONGEST];
    private long length, closest;

    void add(Captioned c) {
      int own = c.candidate().size(), best = -1;
      for (var r : c.references()) {
        int d = Math.abs(r.size() - own), b = Math.abs(best - own);
        if (best < 0 || d < b || d == b && r.size() < best) best = r.size();
      }
      length += own;
      closest += best;
      for (int n = 1; n <= LONGEST; n++) {
        int of = n;
        grams[n - 1] += Math.max(0, own - n + 1);
        var references = c.references().stream().map(r -> Captioned.grams(r, of)).toList();
        Captioned.grams(c.candidate(), n).forEach((gram, count) -> matches[of - 1] += Math.min(count,
            references.stream().mapToInt(r -> r.getOrDefault(gram, 0)).max().orElse(0)));
      }
    }

    double[] scores() {
      var r = new double[LONGEST];
      double product = 1, ratio = (length + TINY) / (closest + SMALL);
      for (int n = 0; n < LONGEST; n++) {
        product *= (matches[n] + TINY) / (grams[n] + SMALL);
        r[n] = Math.pow(product, 1.0 / (n + 1)) * (ratio < 1 ? Math.exp(1 - 1 / ratio) : 1);
      }
      return r;
    }
  }
}
