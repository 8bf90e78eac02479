package jacquard.clip.cli.train;

import jacquard.clip.cli.options.ConfigOptions;
import jacquard.clip.cli.options.DataOptions;
import jacquard.clip.cli.options.ImageOptions;
import jacquard.clip.train.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import picocli.CommandLine;

@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false, customSynopsis =
    "jacquard train [OPTION]…")
public final class TrainCommand implements Callable<Integer> {
  @Spec CommandSpec spec;
  /// How the run began; null until that is known.
  RunFolder.Command began;

  @Mixin(name = "Data") SourceOptions data;
  @Mixin(name = "Tables") DataOptions tables;
  @Mixin(name = "Shards and epochs") SamplingOptions sampling;
  @Mixin(name = "Model") StartOptions model;
  @Mixin(name = "The model's config") ConfigOptions overrides;
  @Mixin(name = "Loss") TaskOptions task;
  @Mixin(name = "Steps") StepOptions steps;
  @Mixin(name = "Devices and precision") ComputeOptions compute;
  @Mixin(name = "Optimizer") OptimizerOptions optimizer;
  @Mixin(name = "Frozen towers") LockOptions locks;
  @Mixin(name = "Pictures") ImageOptions images;
  @Mixin(name = "The run's folder") RunOptions run;

  @Override public Integer call() throws IOException {
    if (run.resume != null && began == null) {
      var folder = run.resumed();
      long made = RunFolder.made(folder);
      var found = RunFolder.command(folder);
      if (found.isPresent()) return again(folder, made, found.get());
    }
    var given = spec.commandLine().getParseResult().originalArgs();
    if (began == null) began = RunFolder.Command.here(given.isEmpty() ? given : given.subList(1, given.size()));
    return TrainRun.of(this).call();
  }

  /// The same command with the options that the run began with, and those given now over them.
  private int again(Path folder, long made, RunFolder.Command before) throws IOException {
    var now = spec.commandLine().getParseResult();
    if (now.hasMatchedOption("--pretrained") && made > 0)
      throw new IllegalArgumentException(
          "--pretrained with --resume: the run goes on with the weights of its own checkpoint; "
          + "begin another run to start from others");
    var command = new TrainCommand();
    command.began = before;
    var line = new CommandLine(command).setExecutionExceptionHandler(spec.root().commandLine()
        .getExecutionExceptionHandler());
    return line.execute(Resumption.arguments(folder, before, now, new TrainCommand()).toArray(String[]::new));
  }
}
