package jacquard.clip.cli.train;

import jacquard.clip.cli.options.ConfigOptions;
import jacquard.clip.cli.options.RankOptions;
import jacquard.clip.cli.options.data.CaptionOptions;
import jacquard.clip.cli.options.data.DataOptions;
import jacquard.clip.cli.options.data.ImageOptions;
import jacquard.clip.cli.options.data.NaFlexOptions;
import jacquard.clip.cli.suite.ZeroShotOptions;
import jacquard.clip.cli.train.options.ComputeOptions;
import jacquard.clip.cli.train.options.LockOptions;
import jacquard.clip.cli.train.options.OptimizerOptions;
import jacquard.clip.cli.train.options.RunOptions;
import jacquard.clip.cli.train.options.SamplingOptions;
import jacquard.clip.cli.train.options.SourceOptions;
import jacquard.clip.cli.train.options.StartOptions;
import jacquard.clip.cli.train.options.StepOptions;
import jacquard.clip.cli.train.options.TaskOptions;
import jacquard.clip.train.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/// Trains a model.
@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false, customSynopsis =
    "jacquard train [OPTION]…")
public final class TrainCommand implements Callable<Integer> {
  private static final Set<String> OF_THE_FOLDER = Set.of("--resume", "--name", "--logs");

  @Spec CommandSpec spec;
  /// How the run began; null until that is known.
  RunFolder.Command began;
  /// Options that are given now to a run that goes on.
  List<String> given = List.of();

  @Mixin(name = "Data") SourceOptions data;
  @Mixin(name = "Tables") DataOptions tables;
  @Mixin(name = "Epochs of shards") SamplingOptions sampling;
  @Mixin(name = "Model") StartOptions model;
  @Mixin(name = "The model's config") ConfigOptions overrides;
  @Mixin(name = "Loss") TaskOptions task;
  @Mixin(name = "Steps") StepOptions steps;
  @Mixin(name = "Devices and precision") ComputeOptions compute;
  @Mixin(name = "Ranks") RankOptions ranks;
  @Mixin(name = "Optimizer") OptimizerOptions optimizer;
  @Mixin(name = "Frozen towers") LockOptions locks;
  @Mixin(name = "Captions") CaptionOptions captions;
  @Mixin(name = "Pictures") ImageOptions images;
  @Mixin(name = "Zero-shot evaluation") ZeroShotOptions zeroShot;
  @Mixin(name = "Pictures of any size (NaFlex)") NaFlexOptions flex;
  @Mixin(name = "The run's folder") RunOptions run;

  @Override public Integer call() throws IOException {
    Resumption.check(spec.commandLine().getParseResult());
    return ranks.run(this::joined);
  }

  private int joined() throws IOException {
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
    var command = new TrainCommand();
    command.began = before;
    command.given = now.matchedOptions().stream().map(OptionSpec::longestName).filter(o -> !OF_THE_FOLDER.contains(o))
        .distinct().toList();
    new CommandLine(command).parseArgs(Resumption.arguments(folder, made, before, this).toArray(String[]::new));
    return command.call();
  }
}
