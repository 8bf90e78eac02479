package jacquard.tests.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.eval.Ranking;
import jacquard.clip.eval.captioning.Bleu;
import jacquard.clip.eval.captioning.Captioned;
import jacquard.clip.eval.captioning.Cider;
import jacquard.clip.eval.captioning.PennTreebank;
import jacquard.clip.eval.captioning.RougeL;
import jacquard.clip.eval.metrics.Accuracy;
import jacquard.clip.eval.metrics.AveragePrecision;
import jacquard.clip.eval.metrics.Classifier;
import jacquard.clip.eval.metrics.Predictions;
import jacquard.clip.eval.metrics.Ranks;
import jacquard.clip.eval.metrics.Selection;
import jacquard.clip.eval.probe.Features;
import jacquard.clip.eval.probe.LinearProbe;
import jacquard.clip.eval.probe.LogisticRegression;
import jacquard.clip.eval.probe.Span;
import jacquard.tests.Conformance;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What CLIP_benchmark, scikit-learn, pycocoevalcap and WILDS compute of recorded features.
public final class EvaluationFamily implements Family {
  private static final double METRIC = 1e-6, CLASSIFIER = 2e-7, LOGITS = 5e-5, WEIGHTS = 5e-6, PROBE_LOGITS = 1e-5;

  @Override public String name() { return "evaluation"; }

  private record Case(String name, Map<String, Tensors.Recorded> tensors, JsonNode expected, Report report) {
    float[][] rows(String key) {
      var t = tensors.get(name + "." + key);
      int width = t.shape()[t.shape().length - 1], n = t.size() / width;
      float[] all = t.floats();
      return IntStream.range(0, n).mapToObj(i -> Arrays.copyOfRange(all, i * width, (i + 1) * width))
          .toArray(float[][]::new);
    }

    double[][] exactRows(String key) {
      var t = tensors.get(name + "." + key);
      int width = t.shape()[1];
      double[] all = t.doubles();
      return IntStream.range(0, t.shape()[0]).mapToObj(i -> Arrays.copyOfRange(all, i * width, (i + 1) * width))
          .toArray(double[][]::new);
    }

    int[] ints(String key) { return Arrays.stream(tensors.get(name + "." + key).longs()).mapToInt(Math::toIntExact)
        .toArray(); }

    float[] floats(String key) { return tensors.get(name + "." + key).floats(); }

    void check(String metric, double ours, double tolerance) { check(metric, ours, expected.get(metric), tolerance); }

    void check(String metric, double ours, JsonNode theirs, double tolerance) {
      boolean none = theirs.isNull();
      if (none) report.check(full(metric), Double.isNaN(ours), "is " + ours + ", expected none");
      else report.check(full(metric), Math.abs(ours - theirs.asDouble()), tolerance);
    }

    void check(String what, float[] ours, float[] theirs, double tolerance) {
      report.check(full(what), Measure.difference(ours, theirs), tolerance);
    }

    private String full(String what) { return "evaluation/" + name + " " + what; }
  }

  @Override public void verify(Path folder, Report report) throws IOException {
    var tensors = Tensors.read(folder.resolve("evaluation.safetensors"));
    var json = new ObjectMapper().readTree(folder.resolve("evaluation.json").toFile());
    for (var e : json.properties()) {
      var name = e.getKey();
      if (name.equals("meta")) continue;
      try {
        of(new Case(name, tensors, e.getValue(), report));
      } catch (RuntimeException failure) { report.failed("evaluation/" + name, failure); }
    }
  }

  private static void of(Case c) {
    switch (c.name.replaceFirst("_.*", "")) {
      case "classify" -> classify(c);
      case "multilabel" -> multilabel(c);
      case "retrieval" -> retrieval(c);
      case "ranks" -> ranks(c);
      case "winoground", "sugar" -> selection(c);
      case "probe" -> probe(c);
      case "logistic" -> logistic(c);
      case "groups" -> groups(c);
      case "winogavil" -> winogavil(c);
      case "captioning" -> captioning(c);
      case "ptb" -> words(c);
      default -> c.report.failed("evaluation/" + c.name, new IllegalStateException("a case of no known kind"));
    }
  }

  private static float[] flat(float[][] rows) {
    var r = new float[rows.length * rows[0].length];
    for (int i = 0; i < rows.length; i++) System.arraycopy(rows[i], 0, r, i * rows[0].length, rows[0].length);
    return r;
  }

  private static void classify(Case c) {
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

  private static void multilabel(Case c) {
    float[][] scores = c.rows("scores"), targets = c.rows("targets");
    var positive = new boolean[targets.length][targets[0].length];
    for (int i = 0; i < targets.length; i++) for (int k = 0; k < targets[i].length; k++)
      positive[i][k] = targets[i][k] > 0;
    double[] each = AveragePrecision.each(scores, positive, AveragePrecision::of),
        theirs = c.tensors.get("multilabel.average_precision").doubles();
    for (int k = 0; k < each.length; k++) c.report.check("evaluation/multilabel AP of class " + k,
        Math.abs(each[k] - theirs[k]), METRIC);
    c.check("mean_average_precision", Arrays.stream(each).average().orElse(Double.NaN), METRIC);
    double[] points = AveragePrecision.each(scores, positive, AveragePrecision::elevenPointFromOne);
    c.check("eleven_point_of_first_5_classes", Arrays.stream(points).limit(5).average().orElse(Double.NaN), METRIC);
  }

  private static void retrieval(Case c) {
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

  private static void ranks(Case c) {
    Ranks.of(c.rows("images"), c.rows("texts"), Conformance.device())
        .forEach((metric, v) -> c.check(metric, v, METRIC));
  }

  private static void selection(Case c) {
    float[][] images = Classifier.normalised(c.rows("images")), texts = Classifier.normalised(c.rows("texts"));
    int[] shape = c.tensors.get(c.name + ".images").shape();
    int n = shape[0], i = shape[1], t = c.tensors.get(c.name + ".texts").shape()[1];
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

  private static void probe(Case c) {
    var e = c.expected;
    var probe = new LinearProbe(e.get("lr").asDouble(), e.get("batch").asInt(), e.get("epochs").asInt(),
        e.get("seed").asLong(), Conformance.device());
    var train = new Features(c.rows("train_features"), c.ints("train_labels"));
    var test = new Features(c.rows("test_features"), c.ints("test_labels"));
    int shots = e.get("fewshot_k").asInt(), classes = e.get("classes").asInt();
    train = train.shots(shots, c.ints("shot_permutation"));
    var start = new LinearProbe.Head(c.floats("start.weight"), c.floats("start.bias"));
    double decay = 0;
    var all = train;
    if (c.tensors.containsKey(c.name + ".val_features")) {
      var validation = new Features(c.rows("val_features"), c.ints("val_labels"));
      var found = sweep(c, probe, train, validation, start);
      decay = found.best();
      if (shots < 0) all = train.and(validation);
    }
    c.check("weight_decay", decay, 1e-9);
    c.check("final_train_size", all.size(), 0);
    var head = probe.train(all, decay, start, c.ints("final_order"));
    c.check("end.weight", head.weight(), c.floats("end.weight"), WEIGHTS);
    c.check("end.bias", head.bias(), c.floats("end.bias"), WEIGHTS);
    var logits = head.logits(test.rows(), Conformance.device());
    c.check("test_logits", flat(logits), c.floats("test_logits"), PROBE_LOGITS);
    var p = Predictions.of(logits);
    c.check("lp_acc1", Accuracy.of(p.hits(test.labels(), 1)), METRIC);
    c.check("lp_acc5", test.classes() <= 5 ? Double.NaN : Accuracy.of(p.hits(test.labels(), 5)), METRIC);
    c.check("lp_mean_per_class_recall", Accuracy.meanPerClass(p.first(), test.labels()), METRIC);
  }

  private static Span.Found sweep(Case c, LinearProbe probe, Features train, Features validation,
      LinearProbe.Head start) {
    int[] order = c.ints("sweep_order");
    var found = Span.DECAYS.search(d -> probe.accuracy(probe.train(train, d, start, order), validation));
    var theirs = c.expected.get("sweep");
    double value = theirs.size() == found.tried().size() ? 0 : Double.NaN, accuracy = value;
    for (int i = 0; i < found.tried().size() && !Double.isNaN(value); i++) {
      value = Math.max(value, Math.abs(found.tried().get(i).value() / theirs.get(i).get(0).asDouble() - 1));
      accuracy = Math.max(accuracy, Math.abs(found.tried().get(i).accuracy() - theirs.get(i).get(1).asDouble()));
    }
    c.report.check("evaluation/" + c.name + " decays tried", value, 1e-9);
    c.report.check("evaluation/" + c.name + " their accuracies", accuracy, METRIC);
    return found;
  }

  private static void logistic(Case c) {
    double[][] train = c.exactRows("train"), test = c.exactRows("test");
    int[] labels = c.ints("train_labels"), right = c.ints("test_labels");
    int classes = Arrays.stream(labels).max().orElse(0) + 1;
    for (var e : c.expected.properties()) {
      var fit = new LogisticRegression(Double.parseDouble(e.getKey()), 100_000, 1e-9).fit(train, labels, classes);
      double objective = e.getValue().get("objective").asDouble();
      c.report.check("evaluation/logistic objective of C " + e.getKey(), Math.abs(fit.objective() / objective - 1),
          1e-9);
      double[] weight = Arrays.stream(fit.weight()).flatMapToDouble(Arrays::stream).toArray(), bias = fit.bias();
      c.report.check("evaluation/logistic weights of C " + e.getKey(),
          relative(weight, c.tensors.get("logistic." + e.getKey() + ".weight").doubles()), 1e-4);
      double[] theirs = c.tensors.get("logistic." + e.getKey() + ".bias").doubles();
      double shift = Arrays.stream(bias).average().orElse(0) - Arrays.stream(theirs).average().orElse(0);
      c.report.check("evaluation/logistic biases of C " + e.getKey(),
          relative(Arrays.stream(bias).map(b -> b - shift).toArray(), theirs), 1e-4);
      c.check("accuracy of C " + e.getKey(), Accuracy.of(Accuracy.right(fit.predict(test), right)),
          e.getValue().get("accuracy"), METRIC);
      var usual = new LogisticRegression(Double.parseDouble(e.getKey()), 1000, LogisticRegression.OPENAI.tolerance())
          .fit(train, labels, classes);
      c.check("accuracy as usual of C " + e.getKey(), Accuracy.of(Accuracy.right(usual.predict(test), right)),
          e.getValue().get("accuracy_after_1000_iterations"), METRIC);
    }
  }

  private static double relative(double[] ours, double[] theirs) {
    double most = Arrays.stream(theirs).map(Math::abs).max().orElse(1), r = 0;
    for (int i = 0; i < theirs.length; i++) r = Math.max(r, Math.abs(ours[i] - theirs[i]) / most);
    return r;
  }

  private static void groups(Case c) {
    var p = Predictions.of(c.rows("logits"));
    int[] labels = c.ints("labels"), group = c.ints("group");
    boolean[] first = p.hits(labels, 1), five = p.hits(labels, 5);
    c.check("F1-macro_all", Accuracy.meanF1(p.first(), labels), METRIC);
    c.check("recall-macro_all", Accuracy.meanPerClass(p.first(), labels), METRIC);
    c.check("acc_avg", Accuracy.of(first), METRIC);
    var each = Accuracy.byGroup(first, group);
    c.report.check("evaluation/groups that have samples", each.size() == c.expected.get("acc_of_group").size(),
        each.keySet().toString());
    each.forEach((g, a) -> c.check("accuracy of group " + g, a, c.expected.get("acc_of_group").get(g.toString()),
        METRIC));
    c.check("acc_wg", Accuracy.worst(each.values()), METRIC);
    c.check("acc_top5_avg", Accuracy.of(five), METRIC);
    c.check("acc_top5_wg", Accuracy.worst(Accuracy.byGroup(five, group).values()), METRIC);
  }

  private static void winogavil(Case c) {
    double few = 0, many = 0;
    int fewCount = 0, manyCount = 0;
    for (int i = 0; c.tensors.containsKey("winogavil." + i + ".scores"); i++) {
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

  private static void captioning(Case c) {
    var all = IntStream.range(0, c.expected.get("candidates").size()).mapToObj(i -> {
      var key = Integer.toString(i);
      return Captioned.of(c.expected.get("candidates").get(key).asText(),
          texts(c.expected.get("references").get(key)));
    }).toList();
    double[] bleu = Bleu.corpus(all);
    for (int n = 1; n <= 4; n++) c.check("Bleu_" + n, bleu[n - 1], 1e-12);
    each(c, "Bleu_4_each", all, x -> Bleu.of(x)[3]);
    each(c, "ROUGE_L_each", all, RougeL::of);
    c.check("ROUGE_L", all.stream().mapToDouble(RougeL::of).average().orElse(Double.NaN), 1e-12);
    double[] cider = Cider.each(all);
    c.check("CIDEr", Arrays.stream(cider).average().orElse(Double.NaN), 1e-12);
    c.report.check("evaluation/captioning CIDEr_each", difference(cider, c.expected.get("CIDEr_each")), 1e-12);
  }

  private static void each(Case c, String name, List<Captioned> all, Function<Captioned, Double> score) {
    c.report.check("evaluation/captioning " + name,
        difference(all.stream().mapToDouble(score::apply).toArray(), c.expected.get(name)), 1e-12);
  }

  private static double difference(double[] ours, JsonNode theirs) {
    if (ours.length != theirs.size()) return Double.NaN;
    double r = 0;
    for (int i = 0; i < ours.length; i++) {
      double d = Math.abs(ours[i] - theirs.get(i).asDouble());
      r = d <= r ? r : d;
    }
    return r;
  }

  private static List<String> texts(JsonNode array) { return Stream.iterate(0, i -> i < array.size(), i -> i + 1)
      .map(i -> array.get(i).asText()).toList(); }

  private static void words(Case c) {
    List<String> raw = texts(c.expected.get("raw")), theirs = texts(c.expected.get("tokenized"));
    for (int i = 0; i < raw.size(); i++) {
      var ours = PennTreebank.words(raw.get(i));
      c.report.check("evaluation/ptb " + raw.get(i).replace('\n', ' '), ours.equals(theirs.get(i)),
          "\"" + ours + "\", expected \"" + theirs.get(i) + "\"");
    }
  }
}
