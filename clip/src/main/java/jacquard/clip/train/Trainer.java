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
import jacquard.tensor.Group;
import jacquard.tensor.Precision;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.io.IOException;
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
  private final Path folder, start;
  private volatile boolean stopping;
  private volatile long steps;

  public Trainer(ClipConfig config, Plan plan, Transform transform, Source training, Source held, Path folder) { this(config, plan, transform, training, held, folder, null); }

  /// @param held  what the model is evaluated on; null for nothing
  /// @param start weights to begin from (see [Checkpoint#load]); null for those that the seed draws
  public Trainer(ClipConfig config, Plan plan, Transform transform, Source training, Source held, Path folder, Path start) {
    this.config = config;
    this.plan = plan;
    this.transform = transform;
    this.training = training;
    this.held = held;
    this.folder = folder;
    this.start = start;
  }

  /// Ends the run after the step in progress, with a checkpoint of it: [#run] then returns as if it were the last. Any thread may call this.
  public void stop() { stopping = true; }

  /// How many steps the run has made, those before a resumption too.
  public long steps() { return steps; }

  /// Runs to the end; with `resume` from the last saved step on, which is the start where none was saved. Returns the last evaluation (null without one).
  ///
  /// @throws IOException if the folder is in use, holds a run that is not to be resumed or none to resume, or cannot be written
  public Evaluation run(boolean resume) throws IOException { return run(resume, Compute.on(Device.best())); }

  /// The same on given devices, a rank on each. Rank 0 alone evaluates, writes and shows progress; all have the same weights.
  public Evaluation run(boolean resume, Compute compute) throws IOException {
    Files.createDirectories(folder);
    try (var _ = FolderLock.take(folder)) {
      Path state = folder.resolve("resume.safetensors"), metrics = folder.resolve("metrics.jsonl");
      boolean found = Files.exists(state) || Files.exists(metrics);
      if (!resume && found) throw new IOException(folder + " holds a run already; go on with --resume or choose another --name");
      if (resume && !found) throw new IOException(folder + " holds no run to resume: neither " + state.getFileName() + " nor " + metrics.getFileName());
      var from = Files.exists(state) ? state : null;
      var batches = new Batches(training, transform, plan.augmentation(), config.text().captions(), plan.batch() * compute.ranks(), config.text().context(), plan.seed());
      return Group.run(compute.devices(), group -> run(resume, from, batches, compute, group)).getFirst();
    }
  }

  private Evaluation run(boolean resume, Path state, Batches batches, Compute compute, Group group) throws IOException {
    var model = plan.locks().of(state == null && start != null ? Checkpoint.load(config, start) : ClipModel.create(config, plan.seed()));
    var parameters = model.parameters().freeze(plan.locks().frozen(model).toArray(String[]::new));
    var optimizer = new Optimizer(plan.rule(), parameters, plan.decay(), Optimizer.decays(parameters));
    int joined = plan.batch() * group.size();
    boolean leads = group.rank() == 0;
    long first = state == null ? 0 : restore(state, model, optimizer, joined, compute);
    if (leads) {
      steps = first;
      AtomicFile.write(folder.resolve("open_clip_config.json"), hub());
    }
    var embedder = new Embedder(model, transform, 256);
    Evaluation evaluation = null;
    double best = resume ? bestSoFar(first) : -1;
    try (var metrics = !leads ? null : resume ? MetricLog.resume(folder.resolve("metrics.jsonl"), first) : MetricLog.create(folder.resolve("metrics.jsonl"));
         var events = !leads ? null : resume ? EventLog.resume(folder, first) : EventLog.create(folder);
         var progress = !leads ? null : Progress.of("train", plan.steps() * joined).unit("samples").from(first * joined).open()) {
      if (leads && state != null) try (var file = Safetensors.open(state)) {
        var unlike = compute.unlike(file.metadata());
        if (unlike != null) progress.say(unlike);
      }
      if (leads && batches.cut() > 0) progress.say("%,d captions are longer than %d tokens and are cut".formatted(batches.cut(), config.text().context()));
      CompletableFuture<Batches.Batch> next = first < plan.steps() ? load(batches, first, group) : null;
      for (long s = first; s < plan.steps(); s++) {
        long t0 = System.nanoTime();
        var batch = next.join();
        next = s + 1 < plan.steps() ? load(batches, s + 1, group) : null;
        long t1 = System.nanoTime();
        var values = new LinkedHashMap<String, Double>();
        int count = (int) group.sum("readable samples", batch.count())[0];
        if (count > 0) values.putAll(step(model, parameters, optimizer, batch, s, compute));
        else if (s == first) throw new IOException("none of the " + joined + " samples of step " + s + " could be read: " + batches.firstFailure());
        if (count < joined) values.put("unreadable", (double) joined - count);
        long t2 = System.nanoTime();
        boolean stop = group.sum("whether to stop", stopping ? 1 : 0)[0] > 0;      // the ranks may have learnt of it before and after
        if (!leads) {
          if (stop) break;
          continue;
        }
        boolean last = s + 1 == plan.steps();
        if (held != null && (last || (s + 1) % plan.evaluate() == 0)) {
          evaluation = Evaluation.of(embedder, held);
          evaluation.metrics().forEach((k, v) -> values.put("held_out/" + k, v));
          int missing = evaluation.missing();
          progress.say("step %,d  held out: top-1 %.1f %%, top-5 %.1f %% of %,d names".formatted(s + 1, 100 * values.get("held_out/top1"), 100 * values.get("held_out/top5"), evaluation.names().size())
              + (missing == 0 ? "" : "; %,d pictures could not be read".formatted(missing)));
        }
        metrics.write(s + 1, values);
        events.scalars(s + 1, values);
        steps = s + 1;
        values.forEach((name, v) -> { if (name.equals("loss") || name.equals("lr")) progress.show(name, v); });
        progress.spent(t1 - t0, t2 - t1).advance(joined);
        double top1 = values.getOrDefault("held_out/top1", -1.0);
        if (top1 > best) {
          best = top1;
          publish("best", Checkpoint.arrays(model, Parameters.of(model).all()));
        }
        if (last || stop || (s + 1) % plan.save() == 0) save(model, optimizer, s + 1, joined, compute);
        if (stop) {
          if (!last) progress.say("stopped after step %,d of %,d; --resume goes on from there".formatted(s + 1, plan.steps()));
          break;
        }
      }
      if (leads && batches.unreadable() > 0) progress.say("%,d samples could not be read and were left out; the first: %s".formatted(batches.unreadable(), batches.firstFailure()));
    }
    return evaluation;
  }

  /// One step of the optimizer; what it says of itself.
  private Map<String, Double> step(ClipModel model, Parameters parameters, Optimizer optimizer, Batches.Batch batch, long s, Compute compute) {
    double rate = plan.schedule().rate(s), loss, norm;
    var pass = compute.pass(Random.of(plan.seed()).fold("pass").fold(s));
    try (var _ = Scope.open()) {
      if (plan.clip() <= 0 && plan.accumulate() == 1 && Group.current().size() == 1) {
        // Nothing waits for all gradients: they are used and freed as backward finishes them.
        double[] squares = {0};
        var update = optimizer.step(rate, 1);
        loss = Step.of(model, parameters, batch, plan.sigmoid(), pass, group -> {
          double n = Clipping.norm(group.values());
          if (!Double.isFinite(n)) throw new IllegalArgumentException("step " + s + ": gradient norm " + n + " of " + String.join(", ", group.keySet()) + HELP);
          squares[0] += n * n;
          update.accept(group);
        });
        norm = Math.sqrt(squares[0]);
        check(s, loss, norm);
      } else {
        var step = Step.of(model, parameters, batch, plan.accumulate(), plan.sigmoid(), pass);
        loss = step.loss();
        norm = Clipping.norm(step.gradients().values());
        check(s, loss, norm);
        optimizer.step(step.gradients(), rate, Clipping.factor(norm, plan.clip()));
      }
      Tensor.applyAll(new Update.Blend(1, 1), List.of(model.logitScale(), model.logitScale().clamp(0, (float) Math.log(100))));
    }
    var values = new LinkedHashMap<String, Double>();
    values.put("loss", loss);
    values.put("lr", rate);
    values.put("gradient_norm", norm);
    values.put("logit_scale", (double) model.logitScale().item());
    return values;
  }

  private static final String HELP = "; lower --lr or clip with --grad-clip-norm";

  private static void check(long s, double loss, double norm) {
    if (!Double.isFinite(loss) || !Double.isFinite(norm)) throw new IllegalArgumentException("step " + s + ": loss " + loss + ", gradient norm " + norm + HELP);
  }

  private CompletableFuture<Batches.Batch> load(Batches batches, long step, Group group) {
    return CompletableFuture.supplyAsync(() -> batches.batch(step, group.rank(), group.size(), plan.accumulate()));
  }

  private double bestSoFar(long step) throws IOException {
    double best = -1;
    if (!Files.exists(folder.resolve("metrics.jsonl"))) return best;
    for (var e : MetricLog.read(folder.resolve("metrics.jsonl"))) if (e.step() <= step && e.values().containsKey("held_out/top1")) best = Math.max(best, e.number("held_out/top1"));
    return best;
  }

  /// The model for everybody, then in one file all that going on needs: each by rename, so that a kill leaves the previous ones; and in this order, so that what a
  /// resumed run does not make again is there.
  private void save(ClipModel model, Optimizer optimizer, long step, int joined, Compute compute) throws IOException {
    var weights = Checkpoint.arrays(model, Parameters.of(model).all());
    publish("last", weights);
    var all = new LinkedHashMap<String, Safetensors.Array>();
    weights.forEach((n, a) -> all.put("model." + n, a));
    optimizer.state().forEach((n, t) -> all.put("optimizer." + n, new Safetensors.Array(t.shape().dims(), t.floats())));
    var metadata = new LinkedHashMap<>(Map.of("step", Long.toString(step), "seed", Long.toString(plan.seed()), "optimizer", name(optimizer.rule()),
        "batch", Integer.toString(joined), "precision", compute.precision().name()));
    metadata.putAll(compute.libraries());
    Safetensors.write(folder.resolve("resume.safetensors"), all, metadata);
  }

  private void publish(String name, Map<String, Safetensors.Array> weights) throws IOException {
    var to = Files.createDirectories(folder.resolve(name));
    AtomicFile.write(to.resolve("open_clip_config.json"), hub());
    Safetensors.write(to.resolve("open_clip_model.safetensors"), weights, Map.of("format", "pt"));
  }

  private long restore(Path state, ClipModel model, Optimizer optimizer, int joined, Compute compute) throws IOException {
    try (var file = Safetensors.open(state)) {
      if (!Long.toString(plan.seed()).equals(file.metadata().get("seed"))) throw new IOException(state + " was made with --seed " + file.metadata().get("seed") + ", not " + plan.seed());
      if (!name(optimizer.rule()).equals(file.metadata().getOrDefault("optimizer", "AdamW")))
        throw new IOException(state + " was made with the optimizer " + file.metadata().get("optimizer") + ", not " + name(optimizer.rule()));
      if (!Integer.toString(joined).equals(file.metadata().getOrDefault("batch", Integer.toString(joined))))
        throw new IOException(state + " was made with " + file.metadata().get("batch") + " pairs a step on all ranks, not " + joined + ": its place in the data would be lost");
      var precision = file.metadata().getOrDefault("precision", Precision.FP32.name());
      if (!precision.equals(compute.precision().name())) throw new IOException(state + " was made with --precision " + Precision.valueOf(precision).flag() + ", not " + compute.precision().flag());
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
