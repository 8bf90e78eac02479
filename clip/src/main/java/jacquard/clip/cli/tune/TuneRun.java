package jacquard.clip.cli.tune;

import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Mixture;
import jacquard.clip.hub.Hub;
import jacquard.clip.hub.Published;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipModel;
import jacquard.clip.settings.Count;
import jacquard.clip.settings.Json;
import jacquard.clip.train.Compute;
import jacquard.clip.train.RunFolder;
import jacquard.clip.train.Trainer;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Recipe;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.Way;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.clip.tune.learned.Learned;
import jacquard.clip.tune.learned.Remembered;
import jacquard.clip.tune.outcome.Advice;
import jacquard.clip.tune.outcome.Guard;
import jacquard.clip.tune.outcome.Outcome;
import jacquard.clip.tune.outcome.Overlap;
import jacquard.clip.tune.task.Beside;
import jacquard.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/// An adaptation as its options say it: measured before, trained under guard, measured after along the way from the old
/// weights to the new, the best of it kept.
record TuneRun(TuneCommand command, Compute on, TuneData.Sources data, Start start, Guard guard, Method method,
    String keep, int batch, Trainer.Cadence cadence) {
  /// The rate of what is learned beside a model.
  private static final double BESIDE = 2e-3;

  static TuneRun of(TuneCommand c) throws IOException {
    var on = c.compute.compute(c.ranks.threads("tune"));
    var files = new Published(Hub.current()).files(c.model, null);
    var data = c.data.read(c.tables);
    var transform = new Transform(c.images.over(files.config().preprocess()));
    var tokenizer = files.config().model().text().input().captions(files.tokenizer());
    var method = c.method.method();
    var keep = c.method.kind(data.old() != null, method.stays());
    if (method.stays()) beside(c);
    // what holds weights near the old ones takes the place of what draws them to zero
    if (List.of("l2-sp", "ewc").contains(keep)) c.optimizer.undecayed();
    var replayed = keep.equals("replay") ? data.old() : null;
    int batch = c.steps.whole(on.ranks());
    long perEpoch = Math.max(1, data.fresh().size() / (batch - c.method.old(keep, batch)));
    var cadence = c.steps.cadence(perEpoch, c.optimizer.average());
    var start = new Start(files, transform, tokenizer, data.fresh(), data.old(), replayed, data.guard(),
        c.templates.templates(), c.steps.seed, new Start.Epochs(cadence.steps(), perEpoch));
    var guard = new Guard(data.guard(), data.test(), transform, tokenizer, start.templates());
    return new TuneRun(c, on, data, start, guard, method, keep, batch, cadence);
  }

  /// What is learned beside a model is small: it learns faster, and is not drawn to zero, unless the user says so.
  private static void beside(TuneCommand c) {
    if (c.optimizer.average() > 0)
      throw new IllegalArgumentException("--ema averages a model's weights, which --method " + c.method.method
          + " leaves as they are");
    if (!c.given("--lr")) c.optimizer.rate(BESIDE);
    if (!c.given("--wd")) c.optimizer.undecayed();
  }

  /// The status to exit with.
  int call() throws IOException {
    var path = command.run.folder(title());
    if (!method.trains()) {
      untrained(path);
      return 0;
    }
    long began = System.nanoTime();
    var kept = command.method.keep(keep);
    var how = command.optimizer.how(start.config(), title(), cadence.steps(), start.epochs().each(),
        command.steps.accumulate);
    var size = new Mixture.Size(batch, command.method.old(keep, batch), start.config().text().input().context(),
        start.seed());
    var stream = new Mixture(data.fresh(), start.replayed(), start.transform(),
        command.images.augmentation(start.transform().config()), start.tokenizer(), size);
    var trainer = new Trainer(new Recipe(start, method, kept), stream, how, cadence, on, start.seed(),
        start.transform(), start.tokenizer(), null).also(new Trainer.Also(guard::during, cadence.evaluate()));
    var done = new CountDownLatch(1);
    var hook = new Thread(() -> {
      trainer.stop();
      try { done.await(); } catch (InterruptedException e) { Thread.currentThread().interrupt(); }
    }, "stop");
    try (var folder = command.run.resume != null ? RunFolder.resume(path) : RunFolder.begin(path)) {
      announce(path);
      if (command.run.resume == null) folder.remember(command.began);
      Runtime.getRuntime().addShutdownHook(hook);
      trainer.run(folder);
      if (trainer.steps() < cadence.steps()) return 1;
      told(folder.path(), began);
      return 0;
    } finally {
      done.countDown();
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException stopping) { System.out.flush(); }
    }
  }

  /// The way from the old model to the new on the validation halves, its best point, and both ends and that point on
  /// the test halves.
  private Outcome measured(Path folder) throws IOException {
    try (var _ = Scope.open(on.devices().getFirst())) {
      var way = Way.of(start.model(), folder.resolve("last"));
      if (way.learned() instanceof Remembered r) way = way.with(fitted(r, way.after(), folder.resolve("last")));
      return Outcome.of(guard, way, folder, s -> Advice.of(s.before(), s.chosen(), keep.equals("replay"),
          keep.equals("lwf") || keep.equals("zscl")));
    }
  }

  /// With the α and β that are best on the validation half of the new pairs, which is written too.
  private Remembered fitted(Remembered r, ClipModel model, Path last) throws IOException {
    var fitted = r.fitted(guard.score(model, 0).b(), start.classes().names(), model);
    fitted.write(last.resolve(Beside.FOLDER), Adapter.hash(model), 1);
    return fitted;
  }

  /// The folder of a run that trains nothing.
  private void untrained(Path path) throws IOException {
    var last = path.resolve("last");
    if (command.run.resume == null && Files.exists(last))
      throw new IOException(path + " holds a run already; choose another --name");
    Files.createDirectories(last);
    announce(path);
    try (var _ = Scope.open(on.devices().getFirst())) {
      var task = method.task(start.model(), start);
      for (var f : List.of(path, last))
        AtomicFile.write(f.resolve("open_clip_config.json"), Json.text(start.files().config().toMap()));
      Safetensors.write(last.resolve("open_clip_model.safetensors"), task.published(Map.of()), Map.of("format", "pt"));
      task.publish(last);
    }
    told(path, System.nanoTime());
  }

  private void told(Path path, long began) throws IOException {
    var outcome = measured(path);
    outcome.write(path, start, "./jacquard tune " + String.join(" ", command.began.arguments()),
        (System.nanoTime() - began) / 6e10);
    outcome.print(System.out);
    var chosen = path.resolve(Outcome.CHOSEN);
    System.out.printf("%s%nThe model is in %s%s; see %s%n", outcome.advice(), chosen,
        Learned.in(chosen.resolve(Beside.FOLDER)) ? ", and what was learned beside it in " + chosen.resolve(
            Beside.FOLDER) + ": give that with --adapter" : "", path.resolve("report.html"));
  }

  private String title() { return command.model; }

  private void announce(Path path) {
    var old = data.old() == null ? "" : " and " + data.old().name() + " (" + Count.of(data.old().size(), "old pair")
        + ")";
    System.err.printf("%s by %s, keeping by %s: learns %s (%s)%s, %s of %d; guard: %s, %,d; into %s%n",
        title(), command.method.method, keep, data.fresh().name(), Count.of(data.fresh().size(), "pair"), old,
        Count.of(cadence.steps(), "step"), batch, data.guard().name(), data.guard().size(), path);
    var trained = new ArrayList<>(List.of(data.fresh()));
    if (data.old() != null) trained.add(data.old());
    said("guard " + data.guard().name(), Overlap.of(data.guard(), trained), data.guard().size());
    said("test data " + data.test().name(), Overlap.of(data.test(), trained), data.test().size());
  }

  private static void said(String what, long shared, int of) {
    if (shared > 0) System.err.printf("jacquard: %s of the %s %s trained on too: it will say too much%n",
        Count.some(shared, of, "picture"), what, shared == 1 ? "is" : "are");
  }
}
