package jacquard.clip.cli;

import jacquard.clip.data.EmojiSource;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.Presets;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.RunFolder;
import jacquard.clip.train.RunPage;
import jacquard.clip.train.Trainer;
import jacquard.clip.train.task.Contrastive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false, customSynopsis = "jacquard train [OPTION]…", description = {"", "Trains a model. Without options: a small CLIP on 14,000 emoji drawings, evaluated on "
    + "an artist family that it never sees, in a few minutes on two cores.", "",
    "  ./jacquard train", "  ./jacquard train --train-data pairs.csv --model ViT-S-32 --batch-size 64 --lr 5e-4 --name mine",
    "  ./jacquard train --pretrained ViT-B-32 --lock-image --lock-image-unlocked-groups 2 --train-data photos/", "  ./jacquard train --name mine --resume", "",
    "The run's folder holds last/ and best/ (open_clip_config.json and open_clip_model.safetensors, which OpenCLIP loads), metrics.jsonl, TensorBoard events, report.png and report.html. A run that is stopped "
    + "(Ctrl-C, SIGTERM) ends its step, saves and reports; one that is killed loses what came after its last checkpoint. --resume goes on from there, to the bits of a run that was never stopped.", ""})
final class TrainCommand implements Callable<Integer> {
  @Spec CommandSpec spec;
  /// How the run began; null until that is known.
  private RunFolder.Command began;

  @Mixin(name = "Data") Data data;
  @Mixin(name = "Tables") DataOptions tables;
  @Mixin(name = "Shards and epochs") SamplingOptions sampling;
  @Mixin(name = "Model") Model model;
  @Mixin(name = "The model's config") ConfigOptions overrides;
  @Mixin(name = "Loss") TaskOptions task;
  @Mixin(name = "Steps") Steps steps;
  @Mixin(name = "Devices and precision") ComputeOptions compute;
  @Mixin(name = "Optimizer") OptimizerOptions optimizer;
  @Mixin(name = "Frozen towers") LockOptions locks;
  @Mixin(name = "Pictures") ImageOptions images;
  @Mixin(name = "The run's folder") RunOptions run;

  static final class Data {
    @Option(names = "--train-data", paramLabel = "DATA", description = "emoji, emoji-concepts (without 192 concepts), tar shards (shards/{00000..00041}.tar, several sources apart by ::), a table of paths and captions (.csv, .tsv), or a folder of pictures with .txt captions beside them (default: ${DEFAULT-VALUE}).") String train = "emoji";
    @Option(names = "--val-data", paramLabel = "DATA", description = "The same for the held-out pairs (default with emoji: the Twemoji family; with emoji-concepts: the 192 concepts).") String held;
  }

  static final class Model {
    @Option(names = "--model", paramLabel = "NAME", description = "A preset (./jacquard models), or a JSON file in OpenCLIP's form (default: that of --pretrained, or emoji).") String name;
    @Option(names = "--pretrained", paramLabel = "PATH", description = "Weights to begin from: a folder as OpenCLIP's hub lays it out, or a .safetensors file.") Path pretrained;

    Path hub() { return name == null && pretrained != null && Files.exists(pretrained.resolve("open_clip_config.json")) ? pretrained.resolve("open_clip_config.json") : null; }
    /// Where the tokenizer's files may lie.
    Path folder() { return pretrained == null ? null : Files.isDirectory(pretrained) ? pretrained : pretrained.toAbsolutePath().getParent(); }

    String title() { return name != null ? name : hub() != null ? pretrained.toString() : "emoji"; }

    ClipConfig read(ConfigOptions config) throws IOException {
      var found = config.of(hub() != null ? ClipConfig.read(hub()) : title().endsWith(".json") ? ClipConfig.read(Path.of(name)) : Presets.of(title()));
      found.unsupported().ifPresent(why -> { throw new IllegalArgumentException("--model " + title() + " is not built yet: " + why); });
      found.text().input().captions(folder());
      return found;
    }

    PreprocessConfig preprocess(ClipConfig config) throws IOException {
      var size = config.vision().input();
      return hub() == null ? HubConfig.preprocess(config) : HubConfig.read(hub()).preprocess().size(size.height(), size.width());
    }
  }

  static final class Steps {
    @Option(names = "--batch-size", paramLabel = "N", description = "Pairs a micro-batch and rank (default: ${DEFAULT-VALUE}).") int batch = 256;
    @Option(names = "--accum-freq", paramLabel = "N", description = "Micro-batches a step, each of --batch-size pairs, as OpenCLIP counts: N makes the step's batch N times as large, and its gradient is that of the whole. This changed: before, the batch was divided by N (default: ${DEFAULT-VALUE}).") int accumulate = 1;
    @Option(names = "--epochs", paramLabel = "N", description = "Passes over the data (default: ${DEFAULT-VALUE}).") int epochs = 10;
    @Option(names = "--steps", paramLabel = "N", description = "Steps in all, in place of --epochs.") Long steps;
    @Option(names = "--seed", paramLabel = "N", description = "The same seed gives the same bits (default: ${DEFAULT-VALUE}).") long seed = 0;
    @Option(names = "--val-steps", paramLabel = "N", description = "Steps between evaluations (default: ${DEFAULT-VALUE}).") long evaluate = 100;
    @Option(names = "--val-frequency", paramLabel = "N", description = "The same in epochs, as OpenCLIP counts.") Integer evaluateEpochs;
    @Option(names = "--save-steps", paramLabel = "N", description = "Steps between checkpoints (default: ${DEFAULT-VALUE}).") long save = 100;
    @Option(names = "--save-frequency", paramLabel = "N", description = "The same in epochs, as OpenCLIP counts.") Integer saveEpochs;
  }

  @Override public Integer call() throws IOException {
    var given = spec.commandLine().getParseResult().originalArgs();
    if (run.resume != null && began == null) {
      var folder = run.resumed();
      long made = RunFolder.made(folder);
      var found = RunFolder.command(folder);
      if (found.isPresent()) return again(folder, made, found.get());
    }
    if (began == null) began = RunFolder.Command.here(given.isEmpty() ? given : given.subList(1, given.size()));
    var on = compute.compute();
    var config = model.pretrained == null ? task.begun(model.read(overrides)) : model.read(overrides);
    var training = sampling.data(data.train, tables);
    var held = data.held != null ? tables.source(data.held) : EmojiSource.SPLITS.contains(data.train + "-heldout") ? tables.source(data.train + "-heldout") : null;
    positive("--batch-size", steps.batch);
    positive("--accum-freq", steps.accumulate);
    int batch = Math.toIntExact((long) steps.batch * steps.accumulate * on.devices().size());
    long perEpoch = Math.max(1, training.size() / batch), total = steps.steps != null ? steps.steps : steps.epochs * perEpoch;
    positive("--steps", total);
    long evaluate = steps.evaluateEpochs != null ? steps.evaluateEpochs * perEpoch : steps.evaluate, save = steps.saveEpochs != null ? steps.saveEpochs * perEpoch : steps.save;
    positive("--val-steps", evaluate);
    positive("--save-steps", save);
    var path = run.folder(model.title());
    if (run.resume != null && finished(path, total)) return 0;
    var how = new Optimization(optimizer.rule(model.title()), optimizer.schedule(total, perEpoch), optimizer.rates(config), optimizer.clip, steps.accumulate);
    var transform = new Transform(images.over(model.preprocess(config)));
    var recipe = task.recipe(new Contrastive.Recipe(config, model.pretrained, locks.locks(), task.loss(), steps.seed), transform.config());
    var stream = training.stream(transform, images.augmentation(), config.text().input().captions(model.folder()), new SamplingOptions.Size(batch, config.text().input().context(), steps.seed));
    var trainer = new Trainer(recipe, stream, how, new Trainer.Cadence(total, evaluate, save, optimizer.average()), on, steps.seed, transform, held);
    long start = System.nanoTime();
    var done = new CountDownLatch(1);
    // A signal stops the run after its step; the process ends when the report is written.
    var hook = new Thread(() -> {
      trainer.stop();
      try { done.await(); } catch (InterruptedException e) { Thread.currentThread().interrupt(); }
    }, "stop");
    try (var folder = run.resume != null ? RunFolder.resume(path) : RunFolder.begin(path)) {
      System.err.printf("%s on %s (%,d pairs%s), %,d steps of %d%s; into %s%n", model.title(), training.name(), training.size(), held == null ? "" : "; held out: " + held.name() + ", " + held.size(), total, batch,
          on.devices().size() == 1 ? "" : " on " + on.devices().size() + " ranks", path);
      if (run.resume == null) folder.remember(began);
      Runtime.getRuntime().addShutdownHook(hook);
      var evaluation = trainer.run(folder);
      double minutes = (System.nanoTime() - start) / 6e10;
      var settings = new LinkedHashMap<String, String>();
      settings.put("model", model.title() + ", embedding " + config.embedding());
      settings.put("training data", training.name() + ", " + training.size() + " pairs");
      settings.put("steps × batch", total + " × " + batch);
      settings.put("schedule", how.schedule().toString());
      settings.put("loss", task.loss().name().toLowerCase() + (task.weights == null ? "" : ", distilled from " + task.weights));
      settings.put("seed", Long.toString(steps.seed));
      RunPage.write(path, model.title(), training.name(), held, evaluation, minutes, "./jacquard train " + String.join(" ", began.arguments()), settings);
      print(evaluation);
      System.out.printf("%.1f minutes; see %s%n", minutes, path.resolve("report.html"));
      return trainer.steps() < total ? 1 : 0;
    } finally {
      done.countDown();
      try { Runtime.getRuntime().removeShutdownHook(hook); } catch (IllegalStateException stopping) { System.out.flush(); }
    }
  }

  /// Whether the run to go on with has made all its steps.
  ///
  /// @throws IllegalArgumentException if it has made more
  private static boolean finished(Path folder, long total) throws IOException {
    long made = RunFolder.made(folder);
    if (made > total) throw new IllegalArgumentException("--steps or --epochs ask for %,d steps in all, and %s has made %,d already; ask for more, or begin another run".formatted(total, folder, made));
    if (made == total) System.out.printf("%s has made all its %,d steps already; nothing was changed. --steps or --epochs make it longer%n", folder, total);
    return made == total;
  }

  private static void print(Evaluation e) {
    if (e == null) return;
    System.out.printf("held out, %,d images over %,d names (chance %.2f %%):%n", e.labels().length, e.names().size(), 100 * e.chance());
    e.metrics().forEach((k, v) -> System.out.printf("  %-20s %5.1f %%%n", k, 100 * v));
  }

  /// The same command with the options that the run began with, and those given now over them.
  private int again(Path folder, long made, RunFolder.Command before) throws IOException {
    var now = spec.commandLine().getParseResult();
    if (now.hasMatchedOption("--pretrained") && made > 0)
      throw new IllegalArgumentException("--pretrained with --resume: the run goes on with the weights of its own checkpoint; begin another run to start from others");
    var command = new TrainCommand();
    command.began = before;
    var line = new CommandLine(command).setExecutionExceptionHandler(spec.root().commandLine().getExecutionExceptionHandler());
    return line.execute(Resumption.arguments(folder, before, now).toArray(String[]::new));
  }

  private static void positive(String option, long value) { if (value < 1) throw new IllegalArgumentException(option + " " + value + ", expected at least 1"); }
}
