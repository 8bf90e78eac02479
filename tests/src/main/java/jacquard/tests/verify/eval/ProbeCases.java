package jacquard.tests.verify.eval;

import static jacquard.tests.verify.eval.EvaluationCase.METRIC;
import static jacquard.tests.verify.eval.EvaluationCase.flat;

import jacquard.clip.eval.metrics.Accuracy;
import jacquard.clip.eval.metrics.Predictions;
import jacquard.clip.eval.probe.Features;
import jacquard.clip.eval.probe.LinearProbe;
import jacquard.clip.eval.probe.LogisticRegression;
import jacquard.clip.eval.probe.Span;
import jacquard.tests.Conformance;
import java.util.Arrays;

/// Linear probes as CLIP_benchmark trains them, and logistic regressions as scikit-learn does.
final class ProbeCases {
  private static final double WEIGHTS = 5e-6, LOGITS = 1e-5;

  private ProbeCases() {}

  static void probe(EvaluationCase c) {
    var e = c.expected();
    var probe = new LinearProbe(e.get("lr").asDouble(), e.get("batch").asInt(), e.get("epochs").asInt(),
        e.get("seed").asLong(), Conformance.device());
    var train = new Features(c.rows("train_features"), c.ints("train_labels"));
    var test = new Features(c.rows("test_features"), c.ints("test_labels"));
    int shots = e.get("fewshot_k").asInt(), classes = e.get("classes").asInt();
    train = train.shots(shots, c.ints("shot_permutation"));
    var start = new LinearProbe.Head(c.floats("start.weight"), c.floats("start.bias"));
    double decay = 0;
    var all = train;
    if (c.tensors().containsKey(c.name() + ".val_features")) {
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
    c.check("test_logits", flat(logits), c.floats("test_logits"), LOGITS);
    var p = Predictions.of(logits);
    c.check("lp_acc1", Accuracy.of(p.hits(test.labels(), 1)), METRIC);
    c.check("lp_acc5", test.classes() <= 5 ? Double.NaN : Accuracy.of(p.hits(test.labels(), 5)), METRIC);
    c.check("lp_mean_per_class_recall", Accuracy.meanPerClass(p.first(), test.labels()), METRIC);
  }

  private static Span.Found sweep(EvaluationCase c, LinearProbe probe, Features train, Features validation,
      LinearProbe.Head start) {
    int[] order = c.ints("sweep_order");
    var found = Span.DECAYS.search(d -> probe.accuracy(probe.train(train, d, start, order), validation));
    var theirs = c.expected().get("sweep");
    double value = theirs.size() == found.tried().size() ? 0 : Double.NaN, accuracy = value;
    for (int i = 0; i < found.tried().size() && !Double.isNaN(value); i++) {
      value = Math.max(value, Math.abs(found.tried().get(i).value() / theirs.get(i).get(0).asDouble() - 1));
      accuracy = Math.max(accuracy, Math.abs(found.tried().get(i).accuracy() - theirs.get(i).get(1).asDouble()));
    }
    c.report().check("evaluation/" + c.name() + " decays tried", value, 1e-9);
    c.report().check("evaluation/" + c.name() + " their accuracies", accuracy, METRIC);
    return found;
  }

  static void logistic(EvaluationCase c) {
    double[][] train = c.exactRows("train"), test = c.exactRows("test");
    int[] labels = c.ints("train_labels"), right = c.ints("test_labels");
    int classes = Arrays.stream(labels).max().orElse(0) + 1;
    for (var e : c.expected().properties()) {
      var fit = new LogisticRegression(Double.parseDouble(e.getKey()), 100_000, 1e-9).fit(train, labels, classes);
      double objective = e.getValue().get("objective").asDouble();
      c.report().check("evaluation/logistic objective of C " + e.getKey(), Math.abs(fit.objective() / objective - 1),
          1e-9);
      double[] weight = Arrays.stream(fit.weight()).flatMapToDouble(Arrays::stream).toArray(), bias = fit.bias();
      c.report().check("evaluation/logistic weights of C " + e.getKey(),
          relative(weight, c.tensors().get("logistic." + e.getKey() + ".weight").doubles()), 1e-4);
      double[] theirs = c.tensors().get("logistic." + e.getKey() + ".bias").doubles();
      double shift = Arrays.stream(bias).average().orElse(0) - Arrays.stream(theirs).average().orElse(0);
      c.report().check("evaluation/logistic biases of C " + e.getKey(),
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
}
