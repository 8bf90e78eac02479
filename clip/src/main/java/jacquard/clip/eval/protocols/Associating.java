package jacquard.clip.eval.protocols;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.metrics.Selection;
import jacquard.clip.eval.sets.Truth;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// WinoGAViL: of candidates as many as belong to a text are picked; the Jaccard index of what was picked and what
/// belongs, in the mean of all and by the number of candidates.
public final class Associating implements Protocol {
  @Override public String task() { return "association"; }

  @Override public Measured of(Subject subject, Parts parts, Advance advance) throws IOException {
    if (!(parts.test().truth() instanceof Truth.Associations truth))
      throw new IOException(parts.test().folder() + " has no associations, expected some for " + task());
    var pictures = Choosing.pictures(subject, parts.test(), advance);
    float[][] texts = subject.features().texts(truth.of().stream().map(Truth.Association::text).toList(),
        subject.embedder(), advance);
    List<Double> few = new ArrayList<>(), many = new ArrayList<>();
    int missing = 0;
    for (int i = 0; i < texts.length; i++) {
      var a = truth.of().get(i);
      if (IntStream.of(a.pictures()).anyMatch(p -> pictures[p] == null)) { missing++; continue; }
      float[] scores = Selection.scores(new float[][] {texts[i]}, IntStream.of(a.pictures()).mapToObj(p -> pictures[p])
          .toArray(float[][]::new))[0];
      (scores.length <= 6 ? few : many).add(Selection.jaccard(scores, a.right()));
    }
    var r = Measured.empty(few.size() + many.size(), missing);
    r.metrics().put("avg_jaccard_score", (sum(few) + sum(many)) / (few.size() + many.size()));
    r.metrics().put("jaccard_score_5-6", sum(few) / few.size());
    r.metrics().put("jaccard_score_10-12", sum(many) / many.size());
    return r;
  }

  private static double sum(List<Double> of) { return of.stream().mapToDouble(v -> v).sum(); }
}
