package jacquard.clip.cli;

import jacquard.clip.Clip;
import jacquard.clip.eval.Evaluation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "eval", mixinStandardHelpOptions = true, description = "Zero-shot accuracy over the distinct captions of a data set, and retrieval both ways.")
final class EvalCommand implements Callable<Integer> {
  @Mixin DataOptions data;
  @Parameters(paramLabel = "MODEL", description = "Folder with open_clip_config.json and weights, e.g. runs/emoji-1/last.") Path model;
  @Option(names = "--val-data", defaultValue = "emoji-heldout", description = "emoji, emoji-heldout, a table or a folder (default: ${DEFAULT-VALUE}).") String valData;

  @Override public Integer call() throws IOException {
    try (var clip = Clip.load(model)) {
      var e = Evaluation.of(clip.embedder(), data.source(valData));
      System.out.printf("%,d images, %,d names (chance %.2f %%)%n", e.labels().length, e.names().size(), 100 * e.chance());
      e.metrics().forEach((k, v) -> System.out.printf("  %-20s %5.1f %%%n", k, 100 * v));
    }
    return 0;
  }
}
