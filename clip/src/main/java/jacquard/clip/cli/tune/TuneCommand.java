package jacquard.clip.cli.tune;

import jacquard.clip.cli.options.RankOptions;
import jacquard.clip.cli.options.TemplateOptions;
import jacquard.clip.cli.options.data.DataOptions;
import jacquard.clip.cli.options.data.ImageOptions;
import jacquard.clip.cli.train.Resumption;
import jacquard.clip.cli.train.options.ComputeOptions;
import jacquard.clip.cli.train.options.OptimizerOptions;
import jacquard.clip.cli.train.options.RunOptions;
import jacquard.clip.cli.train.options.StepOptions;
import jacquard.clip.train.RunFolder;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine;

/// Adapts a model to new pairs without losing what it knew.
@Command(name = "tune", mixinStandardHelpOptions = true, sortOptions = false,
    customSynopsis = "jacquard tune MODEL --data B [OPTION]…")
public final class TuneCommand implements Callable<Integer> {
  @Spec CommandSpec spec;
  /// How the run began; null until that is known.
  RunFolder.Command began;
  /// What is given now, of a run that goes on: what it began with was taken then.
  private ParseResult now;

  @Parameters(index = "0", arity = "0..1", paramLabel = "MODEL", description =
      "A folder with weights and their config, as runs/emoji-1/last, or hf-hub:ORG/NAME.") String model;
  @Mixin(name = "Data") TuneData data;
  @Mixin(name = "Tables") DataOptions tables;
  @Mixin(name = "Method") TuneOptions method;
  @Mixin(name = "Names") TemplateOptions templates;
  @Mixin(name = "Steps") StepOptions steps = StepOptions.tuning();
  @Mixin(name = "Optimizer") OptimizerOptions optimizer = OptimizerOptions.tuning();
  @Mixin(name = "Devices and precision") ComputeOptions compute;
  @Mixin(name = "Ranks") RankOptions ranks;
  @Mixin(name = "Pictures") ImageOptions images = ImageOptions.tuning();
  @Mixin(name = "The run's folder") RunOptions run;

  /// Whether the user set an option.
  boolean given(String option) { return spec.commandLine().getParseResult().hasMatchedOption(option); }

  /// Refuses options that nothing of this adaptation takes, before anything is read.
  void check() { method.check(data.old != null, o -> (now == null ? spec.commandLine().getParseResult() : now)
      .hasMatchedOption(o)); }

  /// Whether there is such an option.
  boolean has(String option) { return spec.findOption(option) != null; }

  @Override public Integer call() throws IOException {
    if (run.resume != null && began == null) {
      var folder = run.resumed();
      RunFolder.made(folder);
      var found = RunFolder.command(folder);
      if (found.isPresent()) {
        var command = new TuneCommand();
        command.began = found.get();
        command.now = spec.commandLine().getParseResult();
        var line = new CommandLine(command).setExecutionExceptionHandler(spec.root().commandLine()
            .getExecutionExceptionHandler());
        return line.execute(Resumption.arguments(folder, found.get(), spec.commandLine().getParseResult(),
            new TuneCommand()).toArray(String[]::new));
      }
    }
    if (model == null) throw new IllegalArgumentException("tune needs the model to adapt, as ./jacquard tune "
        + "runs/emoji-1/last --data B");
    var given = spec.commandLine().getParseResult().originalArgs();
    if (began == null) began = RunFolder.Command.here(given.isEmpty() || !given.getFirst().equals("tune") ? given
        : given.subList(1, given.size()));
    var sweep = TuneSweep.of(this);
    if (sweep == null) check();
    return sweep == null ? TuneRun.of(this).call()
        : sweep.call(spec.root().commandLine().getExecutionExceptionHandler());
  }
}
