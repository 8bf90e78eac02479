package jacquard.clip.model.coca;

import jacquard.tensor.Random;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Token by token, each drawn among the likeliest (Holtzman et al. 2020 for the share; the greedy search draws among
/// one).
final class Sampling {
  /// Up to so many are found without sorting all.
  private static final int FEW = 100;

  private Sampling() {}

  static int[][] run(Captioner reader, Generation g, Generation.Sampled s, int[][] prompts) {
    int count = prompts.length, length = prompts[0].length;
    int[][] captions = Arrays.stream(prompts).map(p -> Arrays.copyOf(p, Math.max(g.longest(), p.length)))
        .toArray(int[][]::new);
    boolean[] done = new boolean[count];
    var random = Random.of(s.seed()).fold("caption");
    var scores = length < g.longest() ? reader.begin(prompts) : null;
    while (length < g.longest()) {
      int[] next = new int[count];
      boolean all = true;
      for (int b = 0; b < count; b++) {
        next[b] = done[b] ? g.marks().pad()
            : drawn(scores[b], captions[b], length, g, s, random.fold(b).uniform(length));
        captions[b][length] = next[b];
        done[b] |= next[b] == g.marks().end();
        all &= done[b];
      }
      length++;
      if (all || length == g.longest()) break;
      scores = reader.next(next);
    }
    int to = length;
    return Arrays.stream(captions).map(c -> Arrays.copyOf(c, to)).toArray(int[][]::new);
  }

  private static int drawn(float[] logits, int[] caption, int length, Generation g, Generation.Sampled s,
      double chance) {
    double[] z = new double[logits.length];
    for (int i = 0; i < z.length; i++) z[i] = logits[i];
    Captioner.adjust(z, caption, length, g);
    int[] order = s.topK() > 0 && s.topK() < FEW ? Captioner.best(z, s.topK())
        // ties: the lowest id first
        : IntStream.range(0, z.length).boxed().sorted((a, b) -> Double.compare(z[b], z[a])).mapToInt(i -> i).toArray();
    int kept = s.topK() == 0 ? order.length : Math.min(s.topK(), order.length);
    double[] p = new double[kept];
    double sum = 0;
    for (int i = 0; i < kept; i++) sum += p[i] = Math.exp((z[order[i]] - z[order[0]]) / s.temperature());
    double share = 0;
    int n = 0;
    while (n < kept && (n == 0 || share < s.topP() * sum)) share += p[n++];
    double at = chance * share;
    for (int i = 0; i < n; i++) if ((at -= p[i]) < 0) return order[i];
    return order[n - 1];
  }
}
