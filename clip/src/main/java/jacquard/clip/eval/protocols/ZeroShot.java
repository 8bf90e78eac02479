package jacquard.clip.eval.protocols;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.Weights;
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
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Classification by the names of classes: acc1, acc5 (no number below five classes), mean_per_class_recall, the
/// calibration error of softmax over 100 · cosine, and figures by group where a set has groups; for several classes a
/// picture mean_average_precision and VOC's eleven points.
///
/// @param saved  where the class vectors are written, `classifier` `[embedding, classes]`; null for nowhere
/// @param loaded files of such, whose mean is taken in place of the vectors of the names
public record ZeroShot(Path saved, List<Path> loaded) implements Protocol {
  private static final String NAME = "classifier";

  public ZeroShot() { this(null, List.of()); }

  @Override public String task() { return "zeroshot_classification"; }

  @Override public Measured of(Subject subject, Parts parts, Advance advance) throws IOException {
    var set = parts.test();
    if (set.prompts() == null)
      throw new IOException(set.folder() + " has no class names: put a classnames.txt there, a line a class");
    float[][] vectors = loaded.isEmpty() ? classifier(subject, set.prompts(), advance) : mean(set.prompts().size());
    if (saved != null) {
      int classes = vectors.length, width = vectors[0].length;
      float[] across = new float[width * classes];
      for (int c = 0; c < classes; c++) for (int k = 0; k < width; k++) across[k * classes + c] = vectors[c][k];
      Safetensors.write(saved, Map.of(NAME, new Safetensors.Array(new int[] {width, classes}, across)), Map.of());
    }
    return of(subject, set, vectors, Seen.of(subject, set, advance));
  }

  /// The mean of the files' vectors, not normalised again, as CLIP_benchmark's `--load_clfs`.
  private float[][] mean(int classes) throws IOException {
    float[][] r = null;
    for (var file : loaded) try (var w = Weights.open(file)) {
      int[] shape = w.contains(NAME) ? w.shape(NAME) : new int[0];
      if (shape.length != 2 || shape[1] != classes || r != null && shape[0] != r[0].length)
        throw new IOException(file + " holds " + (shape.length == 0 ? "no " + NAME : "a " + NAME + " of "
            + Arrays.toString(shape)) + ", expected one of [" + (r == null ? "embedding" : r[0].length) + ", " + classes
            + "], as --save-classifier writes it");
      if (r == null) r = new float[classes][shape[0]];
      float[] across = w.floats(NAME);
      for (int c = 0; c < classes; c++)
        for (int k = 0; k < shape[0]; k++) r[c][k] += across[k * classes + c] / loaded.size();
    }
    return r;
  }

  /// Of features that are there.
  static Measured of(Subject subject, TestSet set, float[][] classifier, Seen seen) throws IOException {
    return switch (set.truth()) {
      case Truth.Labels labels -> single(subject, set, labels, seen, classifier);
      case Truth.Several several -> several(subject, several, seen, classifier);
      default -> throw new IOException(set.folder() + " has no labels, expected some for zero-shot classification");
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
