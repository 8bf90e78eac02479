package jacquard.clip.cli;

import jacquard.clip.data.EmojiSource;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.Presets;
import jacquard.clip.train.Plan;
import jacquard.clip.train.RunPage;
import jacquard.clip.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
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
  /// Whether the options of the run to resume are among those given.
  private boolean resumed;

  @Mixin(name = "Data") Data data;
  @Mixin(name = "Tables") DataOptions tables;
  @Mixin(name = "Model") Model model;
  @Mixin(name = "The model's config") ConfigOptions overrides;
  @Mixin(name = "Steps") Steps steps;
  @Mixin(name = "Devices and precision") ComputeOptions compute;
  @Mixin(name = "Optimizer") OptimizerOptions optimizer;
  @Mixin(name = "Frozen towers") LockOptions locks;
  @Mixin(name = "Pictures") ImageOptions images;
  @Mixin(name = "The run's folder") RunOptions run;

  static final class Data {
    @Option(names = "--train-data", paramLabel = "DATA", description = "emoji, emoji-concepts (without 192 concepts), a table of paths and captions (.csv, .tsv), or a folder of pictures with .txt captions beside them (default: ${DEFAULT-VALUE}).") String train = "emoji";
    @Option(names = "--val-data", paramLabel = "DATA", description = "The same for the held-out pairs (default with emoji: the Twemoji family; with emoji-concepts: the 192 concepts).") String held;
  }

  static final class Model {
    @Option(names = "--model", paramLabel = "NAME", description = "A preset (./jacquard models), or a JSON file in OpenCLIP's form (default: that of --pretrained, or emoji).") String name;
    @Option(names = "--pretrained", paramLabel = "PATH", description = "Weights to begin from: a folder as OpenCLIP's hub lays it out, or a .safetensors file.") Path pretrained;

    Path hub() { return name == null && pretrained != null && Files.exists(pretrained.resolve("open_clip_config.json")) ? pretrained.resolve("open_clip_config.json") : null; }
    String title() { return name != null ? name : hub() != null ? pretrained.toString() : "emoji"; }

    ClipConfig read(ConfigOptions config) throws IOException {
      var found = config.of(hub() != null ? ClipConfig.read(hub()) : title().endsWith(".json") ? ClipConfig.read(Path.of(name)) : Presets.of(title()));
      found.unsupported().ifPresent(why -> { throw new IllegalArgumentException("--model " + title() + " is not built yet: " + why); });
      found.text().captions();
      return found;
    }

    PreprocessConfig preprocess(ClipConfig config) throws IOException {
      var size = config.vision().image();
      return hub() == null ? HubConfig.preprocess(config) : HubConfig.read(hub()).preprocess().size(size.height(), size.width());
    }
  }

  static final class Steps {
    @Option(names = "--batch-size", paramLabel = "N", description = "Pairs a step and rank (default: ${DEFAULT-VALUE}).") int batch = 256;
    @Option(names = "--accum-freq", paramLabel = "N", description = "Micro-batches a step; the batch is divided, the gradient is that of the whole (default: ${DEFAULT-VALUE}).") int accumulate = 1;
    @Option(names = "--epochs", paramLabel = "N", description = "Passes over the data (default: ${DEFAULT-VALUE}).") int epochs = 10;
    @Option(names = "--steps", paramLabel = "N", description = "Steps in all, in place of --epochs.") Long steps;
    @Option(names = "--siglip", description = "The sigmoid loss in place of the softmax loss; the scale begins at 10 and the bias at -10.") boolean sigmoid;
    @Option(names = "--seed", paramLabel = "N", description = "The same seed gives the same bits (default: ${DEFAULT-VALUE}).") long seed = 0;
    @Option(names = "--val-steps", paramLabel = "N", description = "Steps between evaluations (default: ${DEFAULT-VALUE}).") long evaluate = 100;
    @Option(names = "--val-frequency", paramLabel = "N", description = "The same in epochs, as OpenCLIP counts.") Integer evaluateEpochs;
    @Option(names = "--save-steps", paramLabel = "N", description = "Steps between checkpoints (default: ${DEFAULT-VALUE}).") long save = 100;
    @Option(names = "--save-frequency", paramLabel = "N", description = "The same in epochs, as OpenCLIP counts.") Integer saveEpochs;
  }

  @Override public Integer call() throws IOException {
    var arguments = spec.commandLine().getParseResult().originalArgs();
    if (run.resume != null) {
      var before = run.before();
      if (before.isPresent() && !resumed) return again(before.get());
    }
    var on = compute.compute();
    var config = steps.sigmoid && model.pretrained == null ? sigmoid(model.read(overrides)) : model.read(overrides);
    var training = tables.source(data.train);
    var held = data.held != null ? tables.source(data.held) : EmojiSource.SPLITS.contains(data.train + "-heldout") ? tables.source(data.train + "-heldout") : null;
    positive("--batch-size", steps.batch);
    positive("--accum-freq", steps.accumulate);
    long perEpoch = Math.max(1, training.size() / ((long) steps.batch * compute.ranks)), total = steps.steps != null ? steps.steps : steps.epochs * perEpoch;
    positive("--steps", total);
    long evaluate = steps.evaluateEpochs != null ? steps.evaluateEpochs * perEpoch : steps.evaluate, save = steps.saveEpochs != null ? steps.saveEpochs * perEpoch : steps.save;
    positive("--val-steps", evaluate);
    positive("--save-steps", save);
    var plan = new Plan(steps.batch, steps.accumulate, total, optimizer.schedule(total, perEpoch), optimizer.rule(model.title()), optimizer.decay, optimizer.clip, steps.sigmoid, steps.seed,
        images.augmentation(), evaluate, save, locks.locks());
    var folder = run.folder(model.title());
    System.err.printf("%s on %s (%,d pairs%s), %,d steps of %d%s; into %s%n", model.title(), training.name(), training.size(), held == null ? "" : "; held out: " + held.name() + ", " + held.size(), total, steps.batch * compute.ranks, compute.ranks == 1 ? "" : " on " + compute.ranks + " ranks", folder);
    var trainer = new Trainer(config, plan, new Transform(images.over(model.preprocess(config))), training, held, folder, model.pretrained);
    run.remember(folder, arguments);
    long start = System.nanoTime();
    var done = new CountDownLatch(1);
    // A signal stops the run after its step; the process ends when the report is written.
    var hook = new Thread(() -> {
      trainer.stop();
      try { done.await(); } catch (InterruptedException e) { Thread.currentThread().interrupt(); }
    }, "stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      var evaluation = trainer.run(run.resume != null, on);
      double minutes = (System.nanoTime() - start) / 6e10;
      RunPage.write(folder, model.title(), config, plan, training, held, evaluation, minutes, "./jacquard train " + String.join(" ", run.shown(folder, arguments)));
      print(evaluation);
      System.out.printf("%.1f minutes; see %s%n", minutes, folder.resolve("report.html"));
      return trainer.steps() < total ? 1 : 0;
    } finally {
      done.countDown();
      try { Runtime.getRuntime().removeShutdownHook(hook); } catch (IllegalStateException stopping) { System.out.flush(); }
    }
  }

  private static void print(Evaluation e) {
    if (e == null) return;
    System.out.printf("held out, %,d images over %,d names (chance %.2f %%):%n", e.labels().length, e.names().size(), 100 * e.chance());
    e.metrics().forEach((k, v) -> System.out.printf("  %-20s %5.1f %%%n", k, 100 * v));
  }

  /// The options that the run began with, and those given now over them.
  private int again(List<String> before) {
    var command = new TrainCommand();
    command.resumed = true;
    var now = spec.commandLine().getParseResult();
    var all = new ArrayList<String>();
    for (var option : new CommandLine(new TrainCommand()).parseArgs(before.toArray(String[]::new)).matchedOptions()) if (!now.hasMatchedOption(option.longestName())) add(all, option);
    now.matchedOptions().forEach(option -> add(all, option));
    var line = new CommandLine(command).setExecutionExceptionHandler(spec.root().commandLine().getExecutionExceptionHandler());
    return line.execute(all.toArray(String[]::new));
  }

  private static void add(List<String> arguments, OptionSpec option) {
    var values = option.arity().max() == 0 ? List.<String>of() : option.originalStringValues();
    if (option.arity().max() != 1) arguments.add(option.longestName());
    for (var v : values) arguments.add(option.arity().max() == 1 ? option.longestName() + "=" + v : v);
  }

  /// As OpenCLIP begins with --siglip: scale 10, bias −10.
  private static ClipConfig sigmoid(ClipConfig config) { return config.logitBias().isPresent() ? config : config.with("init_logit_scale=" + Math.log(10), "init_logit_bias=-10"); }

  private static void positive(String option, long value) { if (value < 1) throw new IllegalArgumentException(option + " " + value + ", expected at least 1"); }
}
