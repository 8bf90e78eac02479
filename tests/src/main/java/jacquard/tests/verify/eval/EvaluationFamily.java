package jacquard.tests.verify.eval;

import static jacquard.tests.verify.eval.EvaluationCase.METRIC;
import static jacquard.tests.verify.eval.EvaluationCase.flat;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.eval.Ranking;
import jacquard.clip.eval.metrics.Accuracy;
import jacquard.clip.eval.metrics.AveragePrecision;
import jacquard.clip.eval.metrics.Classifier;
import jacquard.clip.eval.metrics.Predictions;
import jacquard.clip.eval.metrics.Ranks;
import jacquard.clip.eval.metrics.Selection;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Report;
import jacquard.tests.verify.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/// What CLIP_benchmark, scikit-learn, pycocoevalcap and WILDS compute of recorded features.
public final class EvaluationFamily implements Family {
  private static final double CLASSIFIER = 2e-7, LOGITS = 5e-5;

  @Override public String name() { return "evaluation"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    var tensors = Tensors.read(folder.resolve("evaluation.safetensors"));
    var json = new ObjectMapper().readTree(folder.resolve("evaluation.json").toFile());
    for (var e : json.properties()) {
      var name = e.getKey();
      if (name.equals("meta")) continue;
      try {
        of(new EvaluationCase(name, tensors, e.getValue(), report));
      } catch (RuntimeException failure) { report.failed("evaluation/" + name, failure); }
    }
  }

  private static void of(EvaluationCase c) {
    switch (c.name().replaceFirst("_.*", "")) {
      case "classify" -> classify(c);
      case "multilabel" -> multilabel(c);
      case "retrieval" -> retrieval(c);
      case "ranks" -> ranks(c);
      case "winoground", "sugar" -> selection(c);
      case "probe" -> ProbeCases.probe(c);
      case "logistic" -> ProbeCases.logistic(c);
      case "groups" -> groups(c);
      case "winogavil" -> winogavil(c);
      case "captioning" -> CaptioningCases.scores(c);
      case "ptb" -> CaptioningCases.words(c);
      default -> c.report().failed("evaluation/" + c.name(), new IllegalStateException("a case of no known kind"));
    }
  }

  private static void classify(EvaluationCase c) {
    var classifier = Classifier.of(c.rows("texts"), c.ints("text_offsets"));
    c.check("classifier", flat(classifier), c.floats("classifier"), CLASSIFIER);
    var images = Classifier.normalised(c.rows("images"));
    var logits = flat(Ranking.scores(images, classifier, Conformance.device()));
    for (int i = 0; i < logits.length; i++) logits[i] *= Predictions.SCALE;
    c.check("logits", logits, c.floats("logits"), LOGITS);
    var p = Predictions.of(images, classifier, Conformance.device());
    int[] labels = c.ints("labels");
    c.check("acc1", Accuracy.of(p.hits(labels, 1)), METRIC);
    c.check("acc5", p.classes() < 5 ? Double.NaN : Accuracy.of(p.hits(labels, 5)), METRIC);
    c.check("mean_per_class_recall", Accuracy.meanPerClass(p.first(), labels), METRIC);
  }

  private static void multilabel(EvaluationCase c) {
    float[][] scores = c.rows("scores"), targets = c.rows("targets");
    var positive = new boolean[targets.length][targets[0].length];
    for (int i = 0; i < targets.length; i++) for (int k = 0; k < targets[i].length; k++)
      positive[i][k] = targets[i][k] > 0;
    double[] each = AveragePrecision.each(scores, positive, AveragePrecision::of),
        theirs = c.tensors().get("multilabel.average_precision").doubles();
    for (int k = 0; k < each.length; k++) c.report().check("evaluation/multilabel AP of class " + k,
        Math.abs(each[k] - theirs[k]), METRIC);
    c.check("mean_average_precision", Arrays.stream(each).average().orElse(Double.NaN), METRIC);
    double[] points = AveragePrecision.each(scores, positive, AveragePrecision::elevenPointFromOne);
    c.check("eleven_point_of_first_5_classes", Arrays.stream(points).limit(5).average().orElse(Double.NaN), METRIC);
  }

  private static void retrieval(EvaluationCase c) {
    float[][] images = Classifier.normalised(c.rows("images")), texts = Classifier.normalised(c.rows("texts"));
    int[] owner = c.ints("image_of_text");
    var ranking = Ranking.of(images, texts, 10, Conformance.device());
    Ranking.Match right = (image, text) -> owner[text] == image;
    for (int k : new int[] {1, 5, 10}) {
      c.check("image_retrieval_recall@" + k, ranking.columnRecall(IntStream.range(0, texts.length).toArray(), right, k),
          METRIC);
      c.check("text_retrieval_recall@" + k, ranking.rowRecall(right, k), METRIC);
    }
    c.check("mean_recall@1", (ranking.rowRecall(right, 1)
        + ranking.columnRecall(IntStream.range(0, texts.length).toArray(), right, 1)) / 2, METRIC);
  }

  private static void ranks(EvaluationCase c) {
    Ranks.of(c.rows("images"), c.rows("texts"), Conformance.device())
        .forEach((metric, v) -> c.check(metric, v, METRIC));
  }

  private static void selection(EvaluationCase c) {
    float[][] images = Classifier.normalised(c.rows("images")), texts = Classifier.normalised(c.rows("texts"));
    int[] shape = c.tensors().get(c.name() + ".images").shape();
    int n = shape[0], i = shape[1], t = c.tensors().get(c.name() + ".texts").shape()[1];
    int text = 0, image = 0, both = 0;
    for (int b = 0; b < n; b++) {
      var scores = Selection.scores(Arrays.copyOfRange(images, b * i, (b + 1) * i),
          Arrays.copyOfRange(texts, b * t, (b + 1) * t));
      boolean captions = Selection.captionsPicked(scores), pictures = Selection.picturesPicked(scores);
      if (captions) text++;
      if (pictures) image++;
      if (captions && pictures) both++;
    }
    c.check("text_acc", text / (double) n, METRIC);
    c.check("image_acc", image / (double) n, METRIC);
    c.check("acc", both / (double) n, METRIC);
  }

  private static void groups(EvaluationCase c) {
    var p = Predictions.of(c.rows("logits"));
    int[] labels = c.ints("labels"), group = c.ints("group");
    boolean[] first = p.hits(labels, 1), five = p.hits(labels, 5);
    c.check("F1-macro_all", Accuracy.meanF1(p.first(), labels), METRIC);
    c.check("recall-macro_all", Accuracy.meanPerClass(p.first(), labels), METRIC);
    c.check("acc_avg", Accuracy.of(first), METRIC);
    var each = Accuracy.byGroup(first, group);
    c.report().check("evaluation/groups that have samples", each.size() == c.expected().get("acc_of_group").size(),
        each.keySet().toString());
    each.forEach((g, a) -> c.check("accuracy of group " + g, a, c.expected().get("acc_of_group").get(g.toString()),
        METRIC));
    c.check("acc_wg", Accuracy.worst(each.values()), METRIC);
    c.check("acc_top5_avg", Accuracy.of(five), METRIC);
    c.check("acc_top5_wg", Accuracy.worst(Accuracy.byGroup(five, group).values()), METRIC);
  }

  private static void winogavil(EvaluationCase c) {
    double few = 0, many = 0;
    int fewCount = 0, manyCount = 0;
    for (int i = 0; c.tensors().containsKey("winogavil." + i + ".scores"); i++) {
      float[] scores = c.floats(i + ".scores");
      int[] truth = c.ints(i + ".truth");
      var right = new boolean[truth.length];
      for (int k = 0; k < right.length; k++) right[k] = truth[k] != 0;
      double j = Selection.jaccard(scores, right);
      if (scores.length <= 6) { few += j; fewCount++; }
      else { many += j; manyCount++; }
    }
    c.check("avg_jaccard_score", (few + many) / (fewCount + manyCount), METRIC);
    c.check("jaccard_score_5-6", few / fewCount, METRIC);
    c.check("jaccard_score_10-12", many / manyCount, METRIC);
  }
}
