package jacquard.clip.eval.protocols;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Ranking;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.metrics.Accuracy;
import jacquard.clip.eval.metrics.AveragePrecision;
import jacquard.clip.eval.metrics.Bootstrap;
import jacquard.clip.eval.metrics.Calibration;
import jacquard.clip.eval.metrics.Classifier;
import jacquard.clip.eval.metrics.Predictions;
import jacquard.clip.eval.sets.Prompts;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Classification by the names of classes: acc1, acc5 (no number below five classes), mean_per_class_recall, the
/// calibration error of softmax over 100 · cosine, and figures by group where a set has groups; for several classes a
/// picture mean_average_precision and VOC's eleven points.
public final class ZeroShot implements Protocol {
  @Override public String task() { return "zeroshot_classification"; }

  @Override public Measured of(Subject subject, Parts parts, Advance advance) throws IOException {
    var set = parts.test();
    if (set.prompts() == null)
      throw new IOException(set.folder() + " has no class names: put a classnames.txt there, a line a class");
    float[][] classifier = classifier(subject, set.prompts(), advance);
    var seen = Seen.of(subject, set, advance);
    return switch (set.truth()) {
      case Truth.Labels labels -> single(subject, set, labels, seen, classifier);
      case Truth.Several several -> several(subject, several, seen, classifier);
      default -> throw new IOException(set.folder() + " has no labels, expected some for " + task());
    };
  }

  /// The vectors of classes, `[classes][embedding]`.
  static float[][] classifier(Subject subject, Prompts prompts, Advance advance) throws IOException {
    return Classifier.of(subject.features().texts(prompts.texts(), subject.embedder(), advance),
        prompts.offsets());
  }

  private static Measured single(Subject subject, TestSet set, Truth.Labels truth, Seen seen, float[][] classifier) {
    var predictions = Predictions.of(seen.features(), classifier, subject.device());
    int[] labels = seen.of(truth.of()), first = predictions.first();
    boolean[] right = predictions.hits(labels, 1), five = predictions.hits(labels, 5);
    var r = Measured.empty(labels.length, seen.missing());
    r.metrics().put("acc1", Accuracy.of(right));
    r.metrics().put("acc5", predictions.classes() < 5 ? Double.NaN : Accuracy.of(five));
    r.metrics().put("mean_per_class_recall", Accuracy.meanPerClass(first, labels));
    r.metrics().put("ece", Calibration.error(predictions.confidence(), right));
    r.intervals().put("acc1", Bootstrap.of(right));
    if (predictions.classes() >= 5) r.intervals().put("acc5", Bootstrap.of(five));
    r.intervals().put("mean_per_class_recall", Bootstrap.perClass(right, labels));
    if (set.set().main().equals("F1-macro_all")) r.metrics().put("F1-macro_all", Accuracy.meanF1(first, labels));
    if (set.set().main().equals("roc_auc") && classifier.length == 2) {
      var scores = Ranking.scores(seen.features(), classifier, subject.device());
      var second = new boolean[labels.length];
      for (int i = 0; i < second.length; i++) second[i] = labels[i] == 1;
      var lead = new float[scores.length];
      for (int i = 0; i < lead.length; i++) lead[i] = scores[i][1] - scores[i][0];
      r.metrics().put("roc_auc", AveragePrecision.rocArea(lead, second));
    }
    Grouped.add(r, set.set(), truth, seen, right, five);
    return r;
  }

  private static Measured several(Subject subject, Truth.Several truth, Seen seen,
      float[][] classifier) throws IOException {
    if (truth.of()[0].length != classifier.length)
      throw new IOException("%,d labels a picture and %,d classes, expected as many".formatted(truth.of()[0].length,
          classifier.length));
    var scores = Ranking.scores(seen.features(), classifier, subject.device());
    var positive = IntStream.of(seen.numbers()).mapToObj(i -> truth.of()[i]).toArray(boolean[][]::new);
    var r = Measured.empty(positive.length, seen.missing());
    r.metrics().put("mean_average_precision", mean(AveragePrecision.each(scores, positive, AveragePrecision::of)));
    r.metrics().put("eleven_point_mAP_voc", mean(AveragePrecision.each(scores, positive,
        AveragePrecision::elevenPoint)));
    r.metrics().put("eleven_point_mAP", mean(AveragePrecision.each(scores, positive,
        AveragePrecision::elevenPointFromOne)));
    return r;
  }

  private static double mean(double[] of) { return Arrays.stream(of).average().orElse(Double.NaN); }
}
