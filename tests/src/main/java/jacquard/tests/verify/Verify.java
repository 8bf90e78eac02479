package jacquard.tests.verify;

import jacquard.tests.Conformance;
import jacquard.tests.verify.eval.EvaluationFamily;
import jacquard.tests.verify.input.AugmentFamily;
import jacquard.tests.verify.input.ImagesFamily;
import jacquard.tests.verify.input.TokenizerFamily;
import jacquard.tests.verify.input.TokenizersFamily;
import jacquard.tests.verify.model.CheckpointsFamily;
import jacquard.tests.verify.model.DecoderFamily;
import jacquard.tests.verify.model.ModelsFamily;
import jacquard.tests.verify.model.NaflexFamily;
import jacquard.tests.verify.model.RegistryFamily;
import jacquard.tests.verify.train.LossesFamily;
import jacquard.tests.verify.train.OptimFamily;
import jacquard.tests.verify.train.TasksFamily;
import jacquard.tests.verify.train.TrainFamily;
import jacquard.tests.verify.tune.HeadsFamily;
import jacquard.tests.verify.tune.LoraFamily;
import jacquard.tests.verify.tune.MimFamily;
import jacquard.tests.verify.tune.PromptsFamily;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Runs every recorded case of folders laid out as
/// `models decoder losses tokenizer tokenizers images naflex train tasks optim checkpoints registry evaluation
/// tuning/augment tuning/lora tuning/prompts tuning/heads tuning/mim`, a line a case.
public final class Verify {
  public static final List<Family> FAMILIES = List.of(new LossesFamily(), new ModelsFamily(), new DecoderFamily(),
      new CheckpointsFamily(), new RegistryFamily(), new TrainFamily(), new TasksFamily(), new OptimFamily(),
      new NaflexFamily(), new ImagesFamily(), new TokenizerFamily(), new TokenizersFamily(), new EvaluationFamily(),
      new AugmentFamily(), new LoraFamily(), new PromptsFamily(), new HeadsFamily(), new MimFamily());

  private Verify() {}

  /// @param args `--device NAME`, if another than the best; folders that hold family folders, or family folders
  ///   themselves
  public static void main(String[] args) throws IOException {
    int first = args.length > 1 && args[0].equals("--device") ? 2 : 0;
    if (args.length == first) {
      System.err.println("usage: tests/verify [--device NAME] FOLDER…   (cpu, cuda; a folder with models, losses, …)");
      System.exit(2);
    }
    if (first > 0) System.setProperty("jacquard.device", args[1]);
    try { System.out.println("on " + Conformance.device().name()); }
    catch (IllegalArgumentException | IllegalStateException e) {
      System.err.println("--device: " + e.getMessage());
      System.exit(2);
    }
    var report = new Report(System.out);
    for (var a : List.of(args).subList(first, args.length)) run(Path.of(a), report);
    System.out.println(report);
    System.exit(report.failedCount() > 0 || report.passedCount() + report.skippedCount() == 0 ? 1 : 0);
  }

  static void run(Path folder, Report report) throws IOException {
    if (!Files.isDirectory(folder)) throw new IOException(folder + " is no folder");
    boolean found = false;
    for (var f : FAMILIES) {
      var at = of(folder, f.name());
      if (!Files.isDirectory(at)) continue;
      found = true;
      f.verify(at, report);
    }
    if (!found)
      throw new IOException(folder + " holds none of the families "
          + String.join(", ", FAMILIES.stream().map(Family::name).toList()));
  }

  /// The family's folder: this one, or one in it; of a family whose name has two words also the second in the first.
  private static Path of(Path folder, String family) {
    var name = Path.of(family);
    if (folder.getFileName().equals(name.getFileName())) return folder;
    boolean within = name.getNameCount() > 1 && folder.endsWith(name.getName(0));
    return folder.resolve(within ? name.getFileName() : name);
  }
}
