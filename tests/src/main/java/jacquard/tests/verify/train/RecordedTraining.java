package jacquard.tests.verify.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.data.Stream;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.Compute;
import jacquard.clip.train.Listener;
import jacquard.clip.train.Loop;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.health.Care;
import jacquard.clip.train.parameter.Rates;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Grid;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import jacquard.tests.verify.model.ModelsFamily;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// A small training of OpenCLIP, made again by the product's own loop on the recorded batches: `run.json`,
/// `config.json`, `start`, `data` and `end.safetensors`.
///
/// @param log what it says of each step
record RecordedTraining(String name, Path folder, JsonNode log, int steps, int batch, Optimization how) {
  static RecordedTraining read(String name, Path folder) throws IOException {
    var r = new ObjectMapper().readTree(folder.resolve("run.json").toFile());
    var rule = new Optimizer.AdamW(r.get("betas").get(0).asDouble(), r.get("betas").get(1).asDouble(),
        r.get("eps").asDouble());
    var schedule = new Schedule.Cosine(r.get("lr").asDouble(), r.get("warmup").asLong(), r.get("steps").asLong());
    return new RecordedTraining(name, folder, r.get("log"), r.get("steps").asInt(), r.get("batch").asInt(),
        new Optimization(rule, schedule, Rates.decayed(r.get("weight_decay").asDouble()), r.get("clip").asDouble(), 1));
  }

  /// The recorded batches, in their order.
  private record Batches(float[] pixels, Grid grid, int[][] tokens, int size) implements Stream {
    @Override public Batch at(long step, int rank, int ranks, int parts) {
      int n = grid.size(), first = (int) step * size;
      float[] rows = new float[size * n * 3];
      for (int b = 0; b < size; b++)
        for (int c = 0; c < 3; c++)
          for (int p = 0; p < n; p++) rows[(b * n + p) * 3 + c] = pixels[((first + b) * 3 + c) * n + p];
      return Batch.of(rows, grid, Arrays.copyOfRange(tokens, first, first + size));
    }
    @Override public long perEpoch() { return tokens.length / size; }
    @Override public Map<String, String> order() { return Map.of(); }
    @Override public Fingerprint fingerprint() { return new Fingerprint(tokens.length, 0); }
    @Override public List<String> notes() { return List.of(); }
    @Override public String firstFailure() { return ""; }
  }

  /// Makes all steps and reports learning rates and the terms of the loss.
  ///
  /// @param tolerance relative, of a term
  void run(Task task, double tolerance, Report report, Listener... others) throws IOException {
    Stream stream;
    try (var data = Safetensors.open(folder.resolve("data.safetensors"))) {
      int[] s = data.shape("images");
      stream = new Batches(data.floats("images"), new Grid(s[3], s[4]), ModelsFamily.tokens(data, "tokens"), batch);
    }
    var seen = new ArrayList<Listener.Moment>();
    var listeners = new ArrayList<>(List.of(others));
    listeners.add(new Listener.Each(seen::add));
    new Loop(task, stream, Loop.Move.by(how.over(task)), how, Compute.on(Conformance.device()), steps, 0, Care.NONE)
        .run(0, () -> false, listeners);
    if (seen.size() != steps) throw new IllegalStateException(seen.size() + " steps were made, expected " + steps);
    report.check(name + " learning rates", worst(seen, "lr", "lr", false), 1e-15);
    report.check(name + " losses of " + steps + " steps", worst(seen, "loss", "loss", true), tolerance);
    for (var term : List.of("contrastive_loss", "distill_loss"))
      if (log.get(0).has(term) && seen.getFirst().values().containsKey(term))
        report.check(name + " " + term, worst(seen, term, term, true), tolerance);
    // The sigmoid loss of few pairs has gradients whose parts nearly cancel: their norms follow a rounding.
    if (log.get(0).has("grad_norm") && tolerance <= 1e-5)
      report.check(name + " gradient norms", worst(seen, "gradient_norm", "grad_norm", true), 10 * tolerance);
  }

  private double worst(List<Listener.Moment> seen, String ours, String theirs, boolean relative) {
    double worst = 0;
    for (int i = 0; i < steps; i++) {
      double expected = log.get(i).get(theirs).asDouble(), d =
          Math.abs(seen.get(i).values().get(ours) - expected) / (relative ? Math.abs(expected) : 1);
      worst = d <= worst ? worst : d;
    }
    return worst;
  }

  /// The largest difference of any number from a recorded end's, and of all numbers from the largest of their tensor.
  record Distance(double absolute, double relative) {}

  Distance distance(ClipModel model, String file) throws IOException {
    try (var end = Safetensors.open(folder.resolve(file))) {
      double absolute = 0, relative = 0;
      for (var e : model.parameters().all().entrySet()) {
        if (!e.getValue().dtype().floating()) continue;
        float[] ours = Checkpoint.toDisk(model, e.getKey(), e.getValue()), theirs =
            end.floats(model.nameOf(e.getKey()));
        double d = Measure.difference(ours, theirs), r = Measure.error(ours, theirs);
        absolute = d <= absolute ? absolute : d;
        relative = r <= relative ? relative : r;
      }
      return new Distance(absolute, relative);
    }
  }
}
