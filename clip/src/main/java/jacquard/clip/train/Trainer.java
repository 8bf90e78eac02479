package jacquard.clip.train;

import jacquard.autograd.Clipping;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.AtomicFile;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.FolderLock;
import jacquard.clip.checkpoint.Safetensors;
import jacquard.clip.data.Batches;
import jacquard.clip.data.Source;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.report.EventLog;
import jacquard.clip.report.MetricLog;
import jacquard.clip.report.Progress;
import jacquard.tensor.Device;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/// One run in one folder: `open_clip_config.json`, `last/` and `best/open_clip_model.safetensors`, `resume.safetensors`, `metrics.jsonl`,
/// TensorBoard events, `report.png` and `report.html`. Everything that a step depends on follows from the seed and the step's number.
public final class Trainer {
  private final ClipConfig config;
  private final Plan plan;
  private final Transform transform;
  private final Source training, held;
  private final Path folder;

  public Trainer(ClipConfig config, Plan plan, Transform transform, Source training, Source held, Path folder) {
    this.config = config;
    this.plan = plan;
    this.transform = transform;
    this.training = training;
    this.held = held;
    this.folder = folder;
  }

  /// Runs to the end; with `resume` from the last saved step on. Returns the last evaluation (null without held-out data).
  public Evaluation run(boolean resume) throws IOException {
    Files.createDirectories(folder);
    try (var _ = FolderLock.take(folder)) {
      var state = folder.resolve("resume.safetensors");
      if (!resume && Files.exists(state)) throw new IOException(folder + " holds a run already; go on with --resume or choose another --name");
      if (resume && !Files.exists(state)) throw new IOException(folder + " holds no " + state.getFileName() + " to resume from");
      try (var scope = Scope.open(Device.best())) { return run(resume ? state : null, scope); }
    }
  }

  private Evaluation run(Path state, Scope scope) throws IOException {
    var model = ClipModel.create(config, plan.seed());
    var parameters = model.parameters();
    if (!plan.frozen().isEmpty()) parameters = parameters.freeze(plan.frozen().toArray(String[]::new));
    var optimizer = new Optimizer(plan.rule(), parameters, plan.decay(), Optimizer.decays(parameters));
    long first = state == null ? 0 : restore(state, model, optimizer);
    AtomicFile.write(folder.resolve("open_clip_config.json"), hub().getBytes(StandardCharsets.UTF_8));
    var batches = new Batches(training, transform, plan.augmentation(), plan.batch(), config.text().context(), plan.seed());
    var embedder = new Embedder(model, transform, 256);
    Evaluation last = null;
    double best = state == null ? -1 : bestSoFar(first);
    try (var metrics = state == null ? MetricLog.create(folder.resolve("metrics.jsonl")) : MetricLog.resume(folder.resolve("metrics.jsonl"), first);
         var events = state == null ? EventLog.create(folder) : EventLog.resume(folder, first);
         var progress = Progress.of("train", plan.steps() * plan.batch()).unit("samples").from(first * plan.batch()).open()) {
      CompletableFuture<Batches.Batch> next = first < plan.steps() ? load(batches, first) : null;
      for (long s = first; s < plan.steps(); s++) {
        long t0 = System.nanoTime();
        var batch = next.join();
        next = s + 1 < plan.steps() ? load(batches, s + 1) : null;
        long t1 = System.nanoTime();
        double rate = plan.schedule().rate(s), loss, norm;
        try (var _ = Scope.open()) {
          var step = Step.of(model, parameters, batch, plan.accumulate(), plan.sigmoid(), Random.of(plan.seed()).fold("pass").fold(s));
          loss = step.loss();
          norm = Clipping.norm(step.gradients().values());
          if (!Double.isFinite(loss) || !Double.isFinite(norm)) throw new IllegalStateException("step " + s + ": loss " + loss + ", gradient norm " + norm + "; lower --lr or clip with --grad-clip-norm");
          optimizer.step(step.gradients(), rate, Clipping.factor(norm, plan.clip()));
          Tensor.applyAll(new Update.Blend(1, 1), List.of(model.logitScale(), model.logitScale().clamp(0, (float) Math.log(100))));
        }
        long t2 = System.nanoTime();
        var values = new LinkedHashMap<String, Double>();
        values.put("loss", loss);
        values.put("lr", rate);
        values.put("gradient_norm", norm);
        values.put("logit_scale", (double) model.logitScale().item());
        boolean end = s + 1 == plan.steps();
        if (held != null && (end || (s + 1) % plan.evaluate() == 0)) {
          last = Evaluation.of(embedder, held);
          last.metrics().forEach((k, v) -> values.put("held_out/" + k, v));
          progress.say("step %,d  held out: top-1 %.1f %%, top-5 %.1f %% of %,d names".formatted(s + 1, 100 * last.metrics().get("top1"), 100 * last.metrics().get("top5"), last.names().size()));
        }
        metrics.write(s + 1, values);
        events.scalars(s + 1, values);
        progress.spent(t1 - t0, t2 - t1).show("loss", loss).show("lr", rate).advance(plan.batch());
        if (end || (s + 1) % plan.save() == 0) {
          save(model, optimizer, s + 1);
          double top1 = values.getOrDefault("held_out/top1", -1.0);
          if (top1 > best) { best = top1; Checkpoint.save(model, Files.createDirectories(folder.resolve("best")).resolve("open_clip_model.safetensors")); }
        }
      }
      if (batches.unreadable() > 0) progress.say(batches.unreadable() + " samples could not be read and were left out");
    }
    return last;
  }

  private static CompletableFuture<Batches.Batch> load(Batches batches, long step) { return CompletableFuture.supplyAsync(() -> batches.batch(step)); }

  private double bestSoFar(long step) throws IOException {
    double best = -1;
    for (var e : MetricLog.read(folder.resolve("metrics.jsonl"))) if (e.step() <= step && e.values().containsKey("held_out/top1")) best = Math.max(best, e.number("held_out/top1"));
    return best;
  }

  /// The model for everybody, and in one file all that going on needs: both by rename, so that a kill leaves the previous ones.
  private void save(ClipModel model, Optimizer optimizer, long step) throws IOException {
    var weights = Checkpoint.arrays(model, Parameters.of(model).all());
    var all = new LinkedHashMap<String, Safetensors.Array>();
    weights.forEach((n, a) -> all.put("model." + n, a));
    optimizer.state().forEach((n, t) -> all.put("optimizer." + n, new Safetensors.Array(t.shape().dims(), t.floats())));
    Safetensors.write(folder.resolve("resume.safetensors"), all, Map.of("step", Long.toString(step), "seed", Long.toString(plan.seed()), "optimizer", name(optimizer.rule())));
    Safetensors.write(Files.createDirectories(folder.resolve("last")).resolve("open_clip_model.safetensors"), weights, Map.of("format", "pt"));
    for (var f : List.of("last", "best")) if (Files.isDirectory(folder.resolve(f))) AtomicFile.write(folder.resolve(f).resolve("open_clip_config.json"), hub().getBytes(StandardCharsets.UTF_8));
  }

  private long restore(Path state, ClipModel model, Optimizer optimizer) throws IOException {
    try (var file = Safetensors.open(state)) {
      if (!Long.toString(plan.seed()).equals(file.metadata().get("seed"))) throw new IOException(state + " was made with --seed " + file.metadata().get("seed") + ", not " + plan.seed());
      if (!name(optimizer.rule()).equals(file.metadata().getOrDefault("optimizer", "AdamW")))
        throw new IOException(state + " was made with the optimizer " + file.metadata().get("optimizer") + ", not " + name(optimizer.rule()));
      Checkpoint.restore(model, file, "model.");
      for (var e : optimizer.state().entrySet()) Checkpoint.put(e.getValue(), file.floats("optimizer." + e.getKey()));
      long step = Long.parseLong(file.metadata().get("step"));
      optimizer.restore(step);
      return step;
    }
  }

  private static String name(Optimizer.Rule rule) { return rule.getClass().getSimpleName(); }

  private String hub() {
    var p = transform.config();
    var m = new com.fasterxml.jackson.databind.ObjectMapper();
    var root = m.createObjectNode();
    root.set("model_cfg", config.json());
    root.set("preprocess_cfg", p.json());
    return root.toPrettyString() + "\n";
  }
}
