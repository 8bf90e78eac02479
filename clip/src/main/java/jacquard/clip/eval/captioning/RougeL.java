package jacquard.clip.eval.captioning;

import java.util.List;

/// ROUGE-L (Lin 2004): with P and R the longest common subsequence over the caption's and the reference's length, each
/// the most of any reference, (1 + β²)·P·R / (R + β²·P), β = 1.2.
public final class RougeL {
  private static final double BETA = 1.2;

  private RougeL() {}

  public static double of(Captioned c) {
    double p = 0, r = 0;
    for (var reference : c.references()) {
      double common = common(c.candidate(), reference);
      p = Math.max(p, common / c.candidate().size());
      r = Math.max(r, common / reference.size());
    }
    return p == 0 || r == 0 ? 0 : (1 + BETA * BETA) * p * r / (r + BETA * BETA * p);
  }

  private static int common(List<String> a, List<String> b) {
    var row = new int[b.size() + 1];
    for (var word : a) {
      int diagonal = 0;
      for (int j = 1; j <= b.size(); j++) {
        int above = row[j];
        row[j] = word.equals(b.get(j - 1)) ? diagonal + 1 : Math.max(above, row[j - 1]);
        diagonal = above;
      }
    }
    return row[b.size()];
  }
}
