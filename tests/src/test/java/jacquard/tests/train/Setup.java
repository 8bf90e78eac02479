package jacquard.tests.train;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.data.Batches;
import jacquard.clip.data.Stream;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.data.source.Source;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.HubConfig;
import jacquard.clip.train.Compute;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.RunFolder;
import jacquard.clip.train.Trainer;
import jacquard.clip.train.parameter.Locks;
import jacquard.clip.train.parameter.Rates;
import jacquard.clip.train.task.Match;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;

/// A small training for tests: what is not said is 16 emoji a step, softmax, AdamW at 1e-2 with 2 steps of warm-up
/// towards 8, clipped to 1, a checkpoint at every fourth step, on the best device.
public final class Setup {
  private final ClipConfig config;
  private int batch = 16, parts = 1;
  private long save = 4, seed = 7, evaluate = 100;
  private double clip = 1, average;
  private Optimization.Watch watch = Optimization.Watch.NONE;
  private Optimizer.Rule rule = new Optimizer.AdamW(0.9, 0.98, 1e-6);
  private Schedule schedule = new Schedule.Cosine(1e-2, 2, 8);
  private Rates rates = Rates.decayed(0.2);
  private Match.Loss loss = Match.Loss.SOFTMAX;
  private Augmentation augmentation = Augmentation.DEFAULT.scale(0.5, 1);
  private Source source = EmojiSource.training(), held;
  private Compute compute = Compute.on(Device.best());
  private Task.Recipe recipe;
  private Stream stream;

  public Setup(String config) { this.config = ClipConfig.parse(config); }

  /// Pairs a step and rank, all micro-batches together.
  public Setup batch(int pairs) { batch = pairs; return this; }
  public Setup parts(int microBatches) { parts = microBatches; return this; }
  public Setup save(long every) { save = every; return this; }
  public Setup seed(long s) { seed = s; return this; }
  public Setup clip(double limit) { clip = limit; return this; }
  public Setup average(double decay) { average = decay; return this; }
  public Setup watch(Optimization.Watch w) { watch = w; return this; }
  public Setup rule(Optimizer.Rule r) { rule = r; return this; }
  public Setup schedule(Schedule s) { schedule = s; return this; }
  public Setup rates(Rates r) { rates = r; return this; }
  public Setup loss(Match.Loss l) { loss = l; return this; }
  public Setup augmentation(Augmentation a) { augmentation = a; return this; }
  public Setup source(Source s) { source = s; return this; }
  public Setup held(Source s, long every) { held = s; evaluate = every; return this; }
  public Setup stream(Stream s) { stream = s; return this; }
  public Setup on(Compute c) { compute = c; return this; }
  public Setup task(Task.Recipe r) { recipe = r; return this; }

  public Match.Recipe contrastive() { return new Match.Recipe(config, null, Locks.NONE, loss, seed); }

  public Trainer trainer(long steps) {
    var transform = new Transform(HubConfig.preprocess(config));
    var read = stream != null ? stream : new Batches(source, transform, augmentation,
        config.text().input().captions(null), batch * compute.devices().size(), config.text().input().context(), seed);
    return new Trainer(recipe == null ? contrastive() : recipe, read,
        new Optimization(rule, schedule, rates, clip, parts, watch),
        new Trainer.Cadence(steps, evaluate, save, average),
        compute, seed, transform, config.text().input().captions(null), held);
  }

  /// Steps in all, in a new folder.
  public Evaluation begin(Path folder, long steps) throws IOException {
    try (var f = RunFolder.begin(folder)) { return trainer(steps).run(f); }
  }

  /// Steps in all, from the folder's last checkpoint on.
  public Evaluation resume(Path folder, long steps) throws IOException {
    try (var f = RunFolder.resume(folder)) { return trainer(steps).run(f); }
  }
}
