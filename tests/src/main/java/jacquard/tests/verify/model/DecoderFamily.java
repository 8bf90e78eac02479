package jacquard.tests.verify.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Grad;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Small language models as text towers, beside what transformers computed of each sequence alone: rows, the last one,
/// their mean, and gradients.
public final class DecoderFamily implements Family {
  @Override public String name() { return "decoder"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var cases = Files.list(folder)) {
      for (var c : cases.filter(Files::isDirectory).sorted().toList()) {
        var name = "decoder/" + c.getFileName();
        try { verifyCase(name, c, report); } catch (IOException | RuntimeException e) { report.failed(name, e); }
      }
    }
  }

  private static ClipConfig config(Path c, String pooler) throws IOException {
    var own = new ObjectMapper().readValue(c.resolve("hf_config.json").toFile(), Map.class);
    return ClipConfig.of(Map.of("embed_dim", own.get("hidden_size"), "vision_cfg",
        Map.of("width", 16, "head_width", 16, "layers", 1, "image_size", 32),
        "text_cfg", Map.of("hf_model_name", c.getFileName().toString(), "hf_model_config", own, "hf_proj_type", "none",
        "hf_pooler_type", pooler)), c.toString());
  }

  private static ClipModel model(Path c, String pooler) throws IOException {
    var model = ClipModel.create(config(c, pooler), 1);
    try (var weights = Safetensors.open(c.resolve("weights.safetensors"))) {
      var all = Parameters.of(model).all();
      for (var n : weights.names()) Checkpoint.put(all.get("text.transformer." + n), weights.floats(n));
    }
    return model;
  }

  private static void verifyCase(String name, Path c, Report report) throws IOException {
    try (var _ = Scope.open(Conformance.device()); var io = Safetensors.open(c.resolve("io.safetensors"))) {
      long[] ids = io.longs("input_ids"), offsets = io.longs("offsets");
      int[][] captions = new int[offsets.length - 1][];
      for (int b = 0; b < captions.length; b++) {
        captions[b] = new int[(int) (offsets[b + 1] - offsets[b])];
        for (int i = 0; i < captions[b].length; i++) captions[b][i] = (int) ids[(int) offsets[b] + i];
      }
      var model = model(c, "last_pooler");
      report.check(name + " rows", Measure.error(model.text().tokens(captions).tokens().floats(), io.floats("hidden")),
          1e-5);
      report.check(name + " last", Measure.error(model.text().features(captions).floats(), io.floats("last")), 1e-5);
      report.check(name + " mean",
          Measure.error(model(c, "mean_pooler").text().features(captions).floats(), io.floats("mean")), 1e-5);
      var cotangent = Tensor.of(Shape.of(io.shape("cotangent_of_last")), io.floats("cotangent_of_last"));
      var step = Grad.valueAndGrad(model.parameters(), () -> model.text().features(captions).mul(cotangent).sum());
      double largest = 0, worst = 0;
      for (var n : io.names()) if (n.startsWith("grad.")) largest = Math.max(largest, Measure.largest(io.floats(n)));
      int count = 0;
      String at = "";
      for (var e : step.gradients().entrySet()) {
        float[] expected = io.floats("grad." + e.getKey().substring("text.transformer.".length()));
        double error = Measure.difference(e.getValue().floats(), expected) / Math.max(Measure.largest(expected),
            1e-3 * largest);
        if (!(error <= worst)) { worst = error; at = e.getKey(); }
        count++;
      }
      long recorded = io.names().stream().filter(n -> n.startsWith("grad.")).count();
      report.check(name + " " + count + " gradients (worst " + at + ")", count == recorded ? worst : Double.NaN, 1e-4);
    }
  }
}
