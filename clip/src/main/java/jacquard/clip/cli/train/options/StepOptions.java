package jacquard.clip.cli.train.options;

import jacquard.clip.settings.Recipes;
import jacquard.clip.train.Trainer;
import picocli.CommandLine.Option;

/// How many steps, of how many pairs, and what happens between them.
public final class StepOptions {
  @Option(names = "--batch-size", paramLabel = "N",
      description = "Pairs a micro-batch and rank (default: ${DEFAULT-VALUE}).")
  public int batch = 256;
  @Option(names = "--accum-freq", paramLabel = "N",
      description = "Micro-batches a step, each of --batch-size pairs, as OpenCLIP counts: N makes the step's batch N "
          + "times as large, and its gradient is that of the whole. This changed: before, the batch was divided by N "
          + "(default: ${DEFAULT-VALUE}).")
  public int accumulate = 1;
  @Option(names = Recipes.OPTION, paramLabel = "NAME",
      description = "Settings of a published run: laion, datacomp, clipa, clipa-finish or siglip. They stand where "
          + "no option is given; batch, model and data are yours.")
  String recipe;
  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the data (default: ${DEFAULT-VALUE}).")
  int epochs = 12;
  @Option(names = "--steps", paramLabel = "N", description = "Steps in all, in place of --epochs.") Long steps;
  @Option(names = "--seed", paramLabel = "N",
      description = "The same seed gives the same bits (default: ${DEFAULT-VALUE}).")
  public long seed = 0;
  @Option(names = "--val-steps", paramLabel = "N",
      description = "Steps between evaluations (default: ${DEFAULT-VALUE}).")
  long evaluate = 100;
  @Option(names = "--val-frequency", paramLabel = "N", description = "The same in epochs, as OpenCLIP counts.")
  Integer evaluateEpochs;
  @Option(names = "--save-steps", paramLabel = "N",
      description = "Steps between checkpoints (default: ${DEFAULT-VALUE}).")
  long save = 100;
  @Option(names = "--save-frequency", paramLabel = "N", description = "The same in epochs, as OpenCLIP counts.")
  Integer saveEpochs;

  /// Those of a fine-tuning.
  public static StepOptions tuning() {
    var r = new StepOptions();
    r.batch = 128;
    r.epochs = 2;
    return r;
  }

  /// Pairs a step, of all micro-batches and ranks.
  public int whole(int ranks) {
    positive("--batch-size", batch);
    positive("--accum-freq", accumulate);
    return Math.toIntExact((long) batch * accumulate * ranks);
  }

  /// When a run evaluates, saves and ends.
  ///
  /// @param perEpoch steps an epoch
  public Trainer.Cadence cadence(long perEpoch, double average) {
    positive("--epochs", epochs);
    long total = steps != null ? steps : epochs * perEpoch;
    long evaluate = evaluateEpochs != null ? evaluateEpochs * perEpoch : this.evaluate;
    long save = saveEpochs != null ? saveEpochs * perEpoch : this.save;
    positive("--steps", total);
    positive("--val-steps", evaluate);
    positive("--save-steps", save);
    return new Trainer.Cadence(total, evaluate, save, average);
  }

  private static void positive(String option, long value) {
    if (value < 1) throw new IllegalArgumentException(option + " " + value + ", expected at least 1");
  }
}
