package jacquard.clip.model.coca;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// Several captions of each picture side by side, the best of them followed: those that end are kept by the mean of
/// their tokens' log-probabilities, until none that goes on could be better than the worst of as many that ended. As
/// the transformers library does it.
final class BeamSearch {
  private final Captioner reader;
  private final Generation g;
  private final int beams, prompt;
  private final int[][] prompts;

  /// A caption so far: the sum of its log-probabilities, or their mean where it has ended.
  private record Beam(int[] ids, double score, int from) {}

  BeamSearch(Captioner reader, Generation g, int beams, int[][] prompts) {
    this.reader = reader;
    this.g = g;
    this.beams = beams;
    this.prompts = prompts;
    prompt = prompts[0].length;
  }

  int[][] run() {
    int count = prompts.length;
    var running = new ArrayList<List<Beam>>();
    var ended = new ArrayList<List<Beam>>();
    for (int[] p : prompts) {
      running.add(List.of(new Beam(p, 0, 0)));                                    // the others would be the same
      ended.add(new ArrayList<>());
    }
    boolean[] done = new boolean[count];
    var first = new ArrayList<int[]>();
    for (int[] p : prompts) for (int i = 0; i < beams; i++) first.add(p);
    var scores = prompt < g.longest() ? reader.begin(first.toArray(int[][]::new)) : null;
    for (int length = prompt; length < g.longest(); length++) {
      boolean all = true;
      for (int b = 0; b < count; b++) {
        if (!done[b]) done[b] = step(running, ended.get(b), b, scores, length);
        all &= done[b];
      }
      if (all || length + 1 == g.longest()) break;
      int[] picked = new int[count * beams], next = new int[picked.length];
      for (int b = 0; b < count; b++)
        for (int i = 0; i < beams; i++) {
          var beam = running.get(b).get(i);
          picked[b * beams + i] = b * beams + beam.from;
          next[b * beams + i] = beam.ids[beam.ids.length - 1];
        }
      reader.pick(picked);
      scores = reader.next(next);
    }
    return filled(ended);
  }

  /// One more token of a picture's captions.
  ///
  /// @return whether no better caption can follow
  private boolean step(List<List<Beam>> running, List<Beam> ended, int picture, float[][] scores, int length) {
    var candidates = new ArrayList<Beam>();
    var now = running.get(picture);
    for (int i = 0; i < now.size(); i++) {
      var beam = now.get(i);
      double[] p = logarithms(scores[picture * beams + i]);
      Captioner.adjust(p, beam.ids, length, g);
      for (int t : Captioner.best(p, 2 * beams)) {
        int[] ids = Arrays.copyOf(beam.ids, length + 1);
        ids[length] = t;
        candidates.add(new Beam(ids, beam.score + p[t], i));
      }
    }
    candidates.sort(Comparator.comparingDouble(Beam::score).reversed());
    var on = new ArrayList<Beam>();
    for (int i = 0; i < Math.min(candidates.size(), 2 * beams); i++) {
      var c = candidates.get(i);
      boolean ends = c.ids[length] == g.marks().end() || length + 1 >= g.longest();
      if (ends && i < beams) ended.add(new Beam(c.ids, c.score / (length + 1 - prompt), 0));
      if (!ends && on.size() < beams) on.add(c);
    }
    ended.sort(Comparator.comparingDouble(Beam::score).reversed());
    while (ended.size() > beams) ended.removeLast();
    if (on.isEmpty()) return true;
    while (on.size() < beams) on.add(new Beam(on.getFirst().ids, Double.NEGATIVE_INFINITY, on.getFirst().from));
    running.set(picture, on);
    return ended.size() == beams && on.getFirst().score / (length + 1 - prompt) <= ended.getLast().score;
  }

  private static double[] logarithms(float[] logits) {
    double max = Double.NEGATIVE_INFINITY, sum = 0;
    for (float z : logits) max = Math.max(max, z);
    for (float z : logits) sum += Math.exp(z - max);
    double log = Math.log(sum);
    double[] r = new double[logits.length];
    for (int i = 0; i < r.length; i++) r[i] = logits[i] - max - log;
    return r;
  }

  /// The best of each picture, as long as the longest; a pad of 0 is none to the transformers library, which fills up
  /// with ends.
  private int[][] filled(List<List<Beam>> ended) {
    int longest = prompt;
    for (var e : ended) if (!e.isEmpty()) longest = Math.max(longest, e.getFirst().ids.length);
    int[][] r = new int[ended.size()][];
    for (int b = 0; b < r.length; b++) {
      int[] ids = ended.get(b).isEmpty() ? prompts[b] : ended.get(b).getFirst().ids;
      r[b] = Arrays.copyOf(ids, longest);
      Arrays.fill(r[b], ids.length, longest, g.marks().pad() != 0 ? g.marks().pad() : g.marks().end());
    }
    return r;
  }
}
