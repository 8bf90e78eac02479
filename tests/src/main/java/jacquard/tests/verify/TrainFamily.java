package jacquard.tests.verify;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Clipping;
import jacquard.autograd.Grad;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Safetensors;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.tensor.Grid;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import jacquard.tests.Conformance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Whole small trainings: loss and learning rate of each step beside the recorded run.
public final class TrainFamily implements Family {
  @Override public String name() { return "train"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var runs = Files.list(folder)) {
      for (var run : runs.filter(Files::isDirectory).sorted().toList()) {
        var name = "train/" + run.getFileName();
        try { verifyRun(name, run, report); } catch (IOException | RuntimeException e) { report.failed(name, e); }
      }
    }
  }

  private static void verifyRun(String name, Path run, Report report) throws IOException {
    var r = new ObjectMapper().readTree(run.resolve("run.json").toFile());
    var kind = r.get("loss").asText();
    int steps = r.get("steps").asInt(), batch = r.get("batch").asInt();
    try (var scope = Scope.open(Conformance.device()); var data = Safetensors.open(run.resolve("data.safetensors")); var end = Safetensors.open(run.resolve("end.safetensors"))) {
      var model = Checkpoint.load(ClipConfig.read(run.resolve("config.json")), run.resolve("start.safetensors"));
      var parameters = model.parameters();
      var optimizer = new Optimizer(new Optimizer.AdamW(r.get("betas").get(0).asDouble(), r.get("betas").get(1).asDouble(), r.get("eps").asDouble()), parameters,
          r.get("weight_decay").asDouble(), model.decayed());
      var schedule = new Schedule.Cosine(r.get("lr").asDouble(), r.get("warmup").asLong(), steps);
      int[] s = data.shape("images");
      float[] pixels = data.floats("images");
      int[][] tokens = ModelsFamily.tokens(data, "tokens");
      int size = pixels.length / steps;
      double worst = 0, rates = 0;
      for (int i = 0; i < steps; i++) {
        var expected = r.get("log").get(i);
        rates = Math.max(rates, Math.abs(schedule.rate(i) - expected.get("lr").asDouble()));
        int at = i;
        try (var _ = Scope.open()) {
          var images = ImageBatch.ofChannelsFirst(Arrays.copyOfRange(pixels, at * size, at * size + size), batch, new Grid(s[3], s[4]));
          var step = Grad.valueAndGrad(parameters, () -> ModelsFamily.loss(kind, model, images, Arrays.copyOfRange(tokens, at * batch, at * batch + batch)));
          double loss = expected.get("loss").asDouble(), d = Math.abs(step.value().item() - loss) / Math.abs(loss);
          worst = d <= worst ? worst : d;
          optimizer.step(step.gradients(), schedule.rate(i), Clipping.factor(Clipping.norm(step.gradients().values()), r.get("clip").asDouble()));
          clamp(model);
        }
      }
      report.check(name + " learning rates", rates, 1e-15);
      report.check(name + " losses of " + steps + " steps", worst, kind.equals("softmax") ? 1e-5 : 5e-4);
      double weights = 0;
      for (var e : parameters.all().entrySet()) weights = Math.max(weights, Measure.error(Checkpoint.toDisk(model, e.getKey(), e.getValue()), end.floats(model.nameOf(e.getKey()))));
      System.out.printf("        %s end weights differ by %.2g of their largest (for information)%n", name, weights);
    }
  }

  /// logit_scale within [0, ln 100].
  private static void clamp(ClipModel model) {
    Tensor.applyAll(new Update.Blend(1, 1), List.of(model.logitScale(), model.logitScale().clamp(0, (float) Math.log(100))));
  }
}
