package jacquard.clip.cli.train;

import jacquard.clip.data.Source;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.train.Compute;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.RunFolder;
import jacquard.clip.train.RunPage;
import jacquard.clip.train.Trainer;
import jacquard.clip.train.task.Contrastive;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.concurrent.CountDownLatch;

/// A training as its options say it, from the first message to the report.
///
/// @param batch    pairs a step, of all micro-batches and ranks
/// @param perEpoch steps an epoch
record TrainRun(TrainCommand command, Compute on, ClipConfig config, SamplingOptions.Data training, Source held,
    int batch,
    long perEpoch, Trainer.Cadence cadence) {
  static TrainRun of(TrainCommand c) throws IOException {
    var on = c.compute.compute();
    var config = c.model.read(c.overrides);
    if (c.model.pretrained == null) config = c.task.begun(config);
    var training = c.sampling.data(c.data.train, c.tables);
    var held = c.data.held(c.tables);
    int batch = c.steps.whole(on.devices().size());
    long perEpoch = Math.max(1, training.size() / batch);
    return new TrainRun(c, on, config, training, held, batch, perEpoch,
        c.steps.cadence(perEpoch, c.optimizer.average()));
  }

  /// The status to exit with.
  int call() throws IOException {
    var path = command.run.folder(title());
    if (command.run.resume != null && finished(path)) return 0;
    var how = command.optimizer.how(config, title(), cadence.steps(), perEpoch, command.steps.accumulate);
    var trainer = trainer(how);
    long start = System.nanoTime();
    var done = new CountDownLatch(1);
    // A signal stops the run after its step; the process ends when the report is written.
    var hook = new Thread(() -> {
      trainer.stop();
      try { done.await(); } catch (InterruptedException e) { Thread.currentThread().interrupt(); }
    }, "stop");
    try (var folder = command.run.resume != null ? RunFolder.resume(path) : RunFolder.begin(path)) {
      announce(path);
      if (command.run.resume == null) folder.remember(command.began);
      Runtime.getRuntime().addShutdownHook(hook);
      var evaluation = trainer.run(folder).get(Trainer.HELD_OUT);
      double minutes = (System.nanoTime() - start) / 6e10;
      RunPage.write(path, title(), training.name(), held, evaluation, minutes,
          "./jacquard train " + String.join(" ", command.began.arguments()), settings(how));
      print(evaluation);
      System.out.printf("%.1f minutes; see %s%n", minutes, path.resolve("report.html"));
      return trainer.steps() < cadence.steps() ? 1 : 0;
    } finally {
      done.countDown();
      try { Runtime.getRuntime().removeShutdownHook(hook); } catch (IllegalStateException stopping) {
        System.out.flush();
      }
    }
  }

  private String title() { return command.model.title(); }

  private Trainer trainer(Optimization how) throws IOException {
    var c = command;
    long seed = c.steps.seed;
    var text = config.text().input();
    var transform = new Transform(c.images.over(c.model.preprocess(config)));
    var start = new Contrastive.Recipe(config, c.model.pretrained, c.locks.locks(), c.task.loss(), seed);
    var tokenizer = text.captions(c.model.folder());
    var stream = training.stream(transform, c.images.augmentation(), tokenizer,
        new SamplingOptions.Size(batch, text.context(), seed));
    return new Trainer(c.task.recipe(start, transform.config()), stream, how, cadence, on, seed, transform, tokenizer,
        heldOut());
  }

  private SequencedMap<String, Source> heldOut() {
    var r = new LinkedHashMap<String, Source>();
    if (held != null) r.put(Trainer.HELD_OUT, held);
    return r;
  }

  /// Whether the run to go on with has made all its steps.
  ///
  /// @throws IllegalArgumentException if it has made more
  private boolean finished(Path folder) throws IOException {
    long made = RunFolder.made(folder), total = cadence.steps();
    if (made > total)
      throw new IllegalArgumentException(
          "--steps or --epochs ask for %,d steps in all, and %s has made %,d already; ask for more, or begin "
              + "another run"
          .formatted(total, folder, made));
    if (made == total)
      System.out.printf("%s has made all its %,d steps already; nothing was changed. --steps or --epochs make it "
          + "longer%n", folder, total);
    return made == total;
  }

  private void announce(Path path) {
    var ranks = on.devices().size() == 1 ? "" : " on " + on.devices().size() + " ranks";
    System.err.printf("%s on %s (%,d pairs%s), %,d steps of %d%s; into %s%n", title(), training.name(), training.size(),
        held == null ? "" : "; held out: " + held.name() + ", " + held.size(), cadence.steps(), batch, ranks, path);
    if (batch == 1 && command.task.loss() == Contrastive.Loss.SOFTMAX)
      System.err.println("jacquard: the softmax loss of one pair is 0, and nothing is learned from it; use "
          + "--batch-size 2 or more");
  }

  private SequencedMap<String, String> settings(Optimization how) {
    var r = new LinkedHashMap<String, String>();
    r.put("model", title() + ", embedding " + config.embedding());
    r.put("training data", training.name() + ", " + training.size() + " pairs");
    r.put("steps × batch", cadence.steps() + " × " + batch);
    r.put("schedule", how.schedule().toString());
    r.put("loss", command.task.loss().name().toLowerCase()
        + (command.task.weights == null ? "" : ", distilled from " + command.task.weights));
    r.put("seed", Long.toString(command.steps.seed));
    return r;
  }

  private static void print(Evaluation e) {
    if (e == null) return;
    System.out.printf("held out, %,d images over %,d names (chance %.2f %%):%n", e.labels().length, e.names().size(),
        100 * e.chance());
    e.metrics().forEach((k, v) -> System.out.printf("  %-20s %5.1f %%%n", k, 100 * v));
  }
}
