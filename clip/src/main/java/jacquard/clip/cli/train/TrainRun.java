package jacquard.clip.cli.train;

import jacquard.clip.cli.train.options.SamplingOptions;
import jacquard.clip.cli.train.options.StartOptions;
import jacquard.clip.data.Framing;
import jacquard.clip.data.Stream;
import jacquard.clip.data.source.Source;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.settings.Build;
import jacquard.clip.settings.Count;
import jacquard.clip.text.TokenizerFiles;
import jacquard.clip.train.Compute;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.RunFolder;
import jacquard.clip.train.RunPage;
import jacquard.clip.train.Trainer;
import jacquard.clip.train.ranks.Alike;
import jacquard.clip.train.ranks.FileMarks;
import jacquard.clip.train.ranks.Plan;
import jacquard.clip.train.ranks.Sharding;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Group;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.CountDownLatch;

/// A training as its options say it, from the first message to the report.
///
/// @param batch    pairs a step, of all micro-batches and ranks
/// @param perEpoch steps an epoch
record TrainRun(TrainCommand command, Compute on, ClipConfig config, StartOptions.Start start,
    SamplingOptions.Data training, Source held, int batch, long perEpoch, Trainer.Cadence cadence) {
  static TrainRun of(TrainCommand c) throws IOException {
    var on = c.compute.compute(c.ranks);
    var going = c.run.resume == null ? null : c.run.resumed();
    var start = c.model.start(c.overrides, going != null && RunFolder.made(going) > 0 ? going : null);
    var config = c.flex.over(c.model.drawn() ? c.task.begun(start.config()) : start.config());
    var training = c.sampling.data(c.data.train, c.tables, c.captions.choice);
    boolean compares = config.compares() && !c.task.masked();
    if (!compares && c.data.held != null)
      throw new IllegalArgumentException("--val-data: this model has no features of captions to compare pictures with");
    var held = compares ? c.data.held(c.tables) : null;
    int batch = c.steps.whole(on.ranks());
    long perEpoch = Math.max(1, c.flex.use
        ? c.flex.perEpoch(config, training.size() / training.least() * training.least(),
        batch / c.steps.batch, c.steps.seed)
        : training.size() / batch);
    return new TrainRun(c, on, config, start, training, held, batch, perEpoch,
        c.steps.cadence(perEpoch, c.optimizer.average()));
  }

  /// The status to exit with.
  int call() throws IOException {
    if (command.run.dry) return dry();
    var group = Group.current();
    boolean leads = group.rank() == 0, again = command.run.resume != null;
    var path = Path.of(group.strings("the run's folder", leads ? command.run.folder(title()).toString() : "")
        .getFirst());
    command.folder = path;
    if (again && finished(path, leads)) return 0;
    var how = command.optimizer.how(config, title(), cadence.steps(), perEpoch, command.steps.accumulate);
    var trainer = trainer(how);
    long since = System.nanoTime();
    var done = new CountDownLatch(1);
    // A signal stops the run after its step; the process ends when the report is written.
    var hook = new Thread(() -> {
      trainer.stop();
      try { done.await(); } catch (InterruptedException e) { Thread.currentThread().interrupt(); }
    }, "stop");
    try (var folder = !leads ? RunFolder.follow(path, again)
        : again ? RunFolder.resume(path) : RunFolder.begin(path)) {
      if (leads) announce(path);
      if (leads && !again) folder.remember(command.began);
      Runtime.getRuntime().addShutdownHook(hook);
      if (leads && start.tokenizer() != null)
        folder.tokenizer(TokenizerFiles.files(start.tokenizer(), config.text().input().tokenizer()));
      try (var _ = leads ? command.run.sync(path) : null) { return run(folder, trainer, how, since); }
    } finally {
      done.countDown();
      try { Runtime.getRuntime().removeShutdownHook(hook); } catch (IllegalStateException stopping) {
        System.out.flush();
      }
    }
  }

  private int run(RunFolder folder, Trainer trainer, Optimization how, long since) throws IOException {
    boolean leads = Group.current().rank() == 0;
    var path = folder.path();
    var evaluation = trainer.run(folder);
    int status = trainer.steps() < cadence.steps() ? 1 : 0;
    if (!leads) return status;
    double minutes = (System.nanoTime() - since) / 6e10;
    RunPage.write(path, title(), training.name(), held, evaluation, minutes,
        "./jacquard train " + String.join(" ", command.began.arguments()), settings(how));
    print(evaluation);
    System.out.printf("%.1f minutes; see %s%n", minutes, path.resolve("report.html"));
    return status;
  }

  /// Says what a step takes.
  private int dry() {
    var how = command.optimizer.how(config, title(), cadence.steps(), perEpoch, command.steps.accumulate);
    int pairs = command.steps.batch;
    long heap = Runtime.getRuntime().maxMemory();
    if (Group.current().rank() > 0) return 0;
    System.out.printf("%s, %s, %s a rank and micro-batch, %s%s; MB of each rank:%n", title(), Count.of(on.ranks(),
        "rank"), Count.of(pairs, "pair"), on.precision().flag(), on.recompute() ? ", blocks made again" : "");
    boolean offload = on.offload() && !on.devices().getFirst().onHost();
    System.out.println("          weights  moments     step   in all   " + (offload ? "on the host   " : "")
        + "largest batch in " + heap / 1_000_000 + " MB");
    Plan any = null;
    for (var sharding : Sharding.values()) {
      if (sharding != Sharding.NONE && !Sharding.cuts(how.rule())) continue;
      any = Plan.of(config, command.task.loss(), how, on, on.ranks(), sharding);
      double step = any.bytes(pairs) - any.weights() - any.moments();
      long fit = any.pairs(heap);
      System.out.printf("--zero %d %,9d%,9d%,9.0f%,9.0f   %s%s%n", sharding.stage(), any.weights() / 1_000_000,
          any.moments() / 1_000_000, step / 1e6, any.bytes(pairs) / 1e6,
          offload ? "%,11d   ".formatted(any.host() / 1_000_000) : "", fit == 0 ? "none" : "%,d".formatted(fit));
    }
    System.out.printf("%.2f GFLOP a pair forwards and backwards, %,d launches a micro-batch%n", any.operations() / 1e9,
        any.launches());
    return 0;
  }

  private String title() { return command.model.title(); }

  private Trainer trainer(Optimization how) throws IOException {
    var c = command;
    long seed = c.steps.seed;
    var text = config.text().input();
    var transform = new Transform(c.images.over(start.pictures()));
    var locks = c.locks.locks(c.optimizer.poolerApart);
    var recipe = new Contrastive.Recipe(config, start.weights(), c.model.image, locks, c.task.loss(), seed);
    var tokenizer = text.captions(start.tokenizer());
    var whole = new Framing.Whole(transform, c.images.augmentation(transform.config()));
    var captions = c.captions.augmentation();
    int context = c.flex.use ? c.flex.context(config) : text.context();
    var stream = c.flex.use
        ? c.flex.stream(training.stream(whole, captions, tokenizer,
            new SamplingOptions.Size(training.least(), context, seed)),
            whole, config, batch / c.steps.batch, c.steps.batch, seed)
        : training.stream(whole, captions, tokenizer, new SamplingOptions.Size(batch, context, seed));
    var task = c.task.recipe(recipe, transform.config());
    Alike.check(Group.current(), facts(stream, task));
    return new Trainer(task, stream, how, cadence, on, seed, transform, tokenizer,
        held).also(c.zeroShot.also(transform, tokenizer, perEpoch)).live(c.run.watch);
  }

  /// What all ranks must have alike.
  private SequencedMap<String, List<String>> facts(Stream stream, Task.Recipe task) throws IOException {
    var r = new LinkedHashMap<String, List<String>>();
    r.put("version", List.of(Build.text()));
    r.put("command line", command.began.arguments());
    r.put("model", List.of(config.json().toString().split("(?<=,)")));
    r.put("files", Group.current().together() ? List.of() : FileMarks.of(files(task)));
    r.put("data", List.of(stream.fingerprint().toString(), stream.order().toString()));
    r.put("held-out data", List.of(held == null ? "none" : held.name() + ", " + held.size()));
    return r;
  }

  /// What each rank reads for itself: weights, the tokenizer, the checkpoint of a run that goes on.
  private List<Path> files(Task.Recipe task) throws IOException {
    var r = new ArrayList<>(task.files());
    if (start.tokenizer() != null)
      r.addAll(TokenizerFiles.files(start.tokenizer(), config.text().input().tokenizer()));
    if (command.run.resume != null) RunFolder.saved(command.folder).ifPresent(r::add);
    return r;
  }

  /// Whether the run to go on with has made all its steps.
  ///
  /// @throws IllegalArgumentException if it has made more
  private boolean finished(Path folder, boolean says) throws IOException {
    long made = RunFolder.made(folder), total = cadence.steps();
    if (made > total)
      throw new IllegalArgumentException(
          ("--steps or --epochs ask for %,d steps in all, and %s has made %,d already; ask for more, or begin another "
              + "run").formatted(total, folder, made));
    if (made == total && says) {
      var without = command.given.isEmpty() ? "" : ", and " + String.join(", ", command.given) + " had no effect";
      System.out.printf("%s has made all its %,d steps already; nothing was changed%s. --steps or --epochs make it "
          + "longer%n", folder, total, without);
    }
    return made == total;
  }

  private void announce(Path path) {
    var ranks = on.ranks() == 1 ? "" : " on " + on.ranks() + " ranks";
    System.err.printf("%s on %s (%s%s), %s of %s%s; into %s%n", title(), training.name(),
        Count.of(training.size(), "pair"), held == null ? "" : "; held out: " + held.name() + ", " + held.size(),
        Count.of(cadence.steps(), "step"), step(), ranks, path);
    if (batch == 1 && !command.flex.use && config.compares() && command.task.loss() == Contrastive.Loss.SOFTMAX)
      System.err.println("jacquard: the softmax loss of one pair is 0, and nothing is learned from it; use "
          + "--batch-size 2 or more");
  }

  private String step() { return command.flex.use ? "%,d tokens".formatted(command.flex.tokens)
      : Integer.toString(batch); }

  private SequencedMap<String, String> settings(Optimization how) {
    var r = new LinkedHashMap<String, String>();
    r.put("model", title() + ", embedding " + config.embedding());
    r.put("training data", training.name() + ", " + training.size() + " pairs");
    r.put("steps × batch", cadence.steps() + " × " + step());
    r.put("schedule", how.schedule().toString());
    r.put("loss", command.task.masked() ? "masked images, teacher " + command.task.maskTeacher
        : command.task.loss().name().toLowerCase()
        + (command.task.weights == null ? "" : ", distilled from " + command.task.weights));
    r.put("seed", Long.toString(command.steps.seed));
    return r;
  }

  private static void print(Evaluation e) {
    if (e == null) return;
    System.out.printf("held out, %s over %s (chance %.2f %%):%n", Count.of(e.labels().length, "image"),
        Count.of(e.names().size(), "name"), 100 * e.chance());
    e.metrics().forEach((k, v) -> System.out.printf("  %-20s %5.1f %%%n", k, 100 * v));
  }
}
