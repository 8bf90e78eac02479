package jacquard.tests.verify.tune;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Grad;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.loss.SoftmaxLoss;
import jacquard.clip.nn.Linear;
import jacquard.clip.tune.blend.Blend;
import jacquard.clip.tune.head.FeatureAdapter;
import jacquard.clip.tune.head.TipAdapter;
import jacquard.clip.tune.prompt.Independent;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;

/// Heads and caches on features, blended weights, and the losses that hold on to what was known. Losses that were
/// recorded
/// in F64 are computed in F32 here, as in training: their tolerance is F32's.
public final class HeadsFamily implements Family {
  private static final double EXACT = 1e-6, SINGLE = 2e-6;

  @Override public String name() { return "tuning/heads"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var _ = Scope.open(Conformance.device()); var v = Safetensors.open(folder.resolve("values.safetensors"))) {
      blends(v, report);
      tip(v, report);
      adapter(v, report);
      loss("lwf", v, "lwf.loss", (z, old) -> SoftmaxLoss.distilled(z, old, 2), report);
      loss("promptsrc", v, "promptsrc.kl", SoftmaxLoss::consistent, report);
      var json = new ObjectMapper().readTree(folder.resolve("values.json").toFile());
      var recorded = json.get("promptsrc.gpa_weights_of_20_epochs");
      double[] shares = Independent.shares(recorded.size(), 15, 1);
      double worst = 0;
      for (int i = 0; i < shares.length; i++)
        worst = Math.max(worst, Math.abs(shares[i] - recorded.get(i).asDouble()) / recorded.get(i).asDouble());
      report.check(name() + " promptsrc shares of 20 epochs", worst, 1e-12);
    }
  }

  private void blends(Safetensors v, Report report) throws IOException {
    for (var n : v.names()) {
      if (!n.matches("wise\\.(fisher\\.)?\\d\\.\\d\\.[wb]")) continue;
      double alpha = Double.parseDouble(n.replaceAll(".*?(\\d\\.\\d)\\.[wb]", "$1"));
      var t = n.substring(n.length() - 1);
      var both = List.of(v.floats("wise.zero." + t), v.floats("wise.tuned." + t));
      float[] ours;
      if (n.startsWith("wise.fisher.")) {
        var ones = new float[both.getFirst().length];
        Arrays.fill(ones, 1);
        var fisher = v.contains("wise.fisher_zero." + t)
            ? List.of(v.floats("wise.fisher_zero." + t), v.floats("wise.fisher_tuned." + t)) : List.of(ones, ones);
        ours = Blend.weighted(both, fisher, 1e-8f, 1 - alpha, alpha);
      } else ours = Blend.weighted(both, 1 - alpha, alpha);
      report.check(name() + " " + n, Measure.error(ours, v.floats(n)), EXACT);
    }
  }

  private void tip(Safetensors v, Report report) throws IOException {
    int[] labels = Arrays.stream(v.longs("tip.labels")).mapToInt(l -> (int) l).toArray();
    var classifier = tensor(v, "tip.classifier");
    var tip = TipAdapter.of(tensor(v, "tip.keys"), labels, classifier.dim(0));
    for (var n : v.names()) {
      if (!n.matches("tip\\.[\\d.]+\\.logits")) continue;
      var p = n.split("\\.");
      double alpha = Double.parseDouble(p[1] + "." + p[2]), beta = Double.parseDouble(p[3] + "." + p[4]);
      report.check(name() + " " + n, Measure.error(tip.logits(tensor(v, "tip.features"), classifier, alpha, beta)
          .floats(), v.floats(n)), EXACT);
    }
  }

  private void adapter(Safetensors v, Report report) throws IOException {
    var a = new FeatureAdapter(new Linear.Dense(tensor(v, "adapter.down"), null),
        new Linear.Dense(tensor(v, "adapter.up"), null), FeatureAdapter.SHARE);
    var z = a.apply(tensor(v, "adapter.features")).normalize().matmul(false, tensor(v, "tip.classifier"), true)
        .mul(100);
    report.check(name() + " adapter.logits", Measure.error(z.floats(), v.floats("adapter.logits")), EXACT);
  }

  /// A loss of logits beside the old model's, and its gradient.
  private void loss(String key, Safetensors v, String value, BiFunction<Tensor, Tensor, Tensor> of, Report report)
      throws IOException {
    Tensor z = tensor(v, "lwf.logits"), old = tensor(v, "lwf.old_logits");
    var r = Grad.vjp(List.of(z), in -> List.of(of.apply(in.getFirst(), old)), _ -> List.of(Tensor.scalar(1)));
    double expected = v.floats(value)[0];
    report.check(name() + " " + value, Math.abs(r.values().getFirst().item() - expected) / Math.abs(expected), SINGLE);
    report.check(name() + " " + key + ".d_logits",
        Measure.error(r.gradients().getFirst().floats(), v.floats(key + ".d_logits")), SINGLE);
  }

  private static Tensor tensor(Safetensors v, String name) throws IOException {
    return Tensor.of(Shape.of(v.shape(name)), v.floats(name));
  }
}
