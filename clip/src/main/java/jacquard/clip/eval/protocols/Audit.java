package jacquard.clip.eval.protocols;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.metrics.Bootstrap;
import jacquard.clip.eval.metrics.Selection;
import jacquard.clip.eval.sets.Truth;
import java.io.IOException;
import java.util.LinkedHashMap;

/// Zero-shot classification, and two questions more: how far the best and the worst group are apart (`gap_…`), and
/// whether the bare name of a class is nearer to the pictures of one group than of another: the mean cosine with each
/// group's pictures of the class, of the first group minus that of the second. 0 is even-handed.
public final class Audit implements Protocol {
  @Override public String task() { return "audit"; }

  @Override public Measured of(Subject subject, Parts parts, Advance advance) throws IOException {
    if (!(parts.test().truth() instanceof Truth.Labels truth) || truth.groups().isEmpty())
      throw new IOException(parts.test().folder() + " has no groups of pictures, expected some for an audit");
    var r = new ZeroShot().of(subject, parts, advance);
    r.groups().forEach((what, each) -> r.metrics().put("gap_" + what.replaceFirst("^acc1 by ", "").replace(' ', '_'),
        each.values().stream().mapToDouble(v -> v).max().orElse(0) - each.values().stream().mapToDouble(v -> v).min()
            .orElse(0)));
    var classifier = ZeroShot.classifier(subject, parts.test().prompts(), Advance.UNHEARD);
    var seen = Seen.of(subject, parts.test(), Advance.UNHEARD);
    int[] labels = seen.of(truth.of());
    truth.groups().forEach((what, by) -> {
      if (by.names().size() != 2) return;
      int[] group = seen.of(by.of());
      var each = new LinkedHashMap<String, Double>();
      var differences = new double[classifier.length];
      for (int c = 0; c < classifier.length; c++) {
        differences[c] = mean(seen.features(), labels, group, c, 0, classifier[c]) - mean(seen.features(), labels,
            group, c, 1, classifier[c]);
        each.put(parts.test().prompts().classes().get(c), differences[c]);
      }
      var name = by.names().get(0) + " minus " + by.names().get(1);
      r.groups().put("cosine, " + name, each);
      var metric = "cosine_" + name.replace(' ', '_');
      r.metrics().put(metric, average(differences, null));
      r.intervals().put(metric, Bootstrap.of(differences.length, times -> average(differences, times)));
    });
    return r;
  }

  private static double mean(float[][] features, int[] labels, int[] group, int label, int of, float[] text) {
    double sum = 0;
    int n = 0;
    for (int i = 0; i < features.length; i++) if (labels[i] == label && group[i] == of) {
      sum += Selection.scores(new float[][] {features[i]}, new float[][] {text})[0][0];
      n++;
    }
    return sum / n;
  }

  /// @param times how often each counts; null for once
  private static double average(double[] of, int[] times) {
    double sum = 0, n = 0;
    for (int i = 0; i < of.length; i++) {
      sum += of[i] * (times == null ? 1 : times[i]);
      n += times == null ? 1 : times[i];
    }
    return sum / n;
  }
}
