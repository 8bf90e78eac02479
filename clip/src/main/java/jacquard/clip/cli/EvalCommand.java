package jacquard.clip.cli;

import jacquard.clip.Clip;
import jacquard.clip.eval.Evaluation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "eval", mixinStandardHelpOptions = true, description = "Zero-shot accuracy over the names of a data set, and retrieval both ways.")
final class EvalCommand implements Callable<Integer> {
  @Mixin DataOptions data;
  @Parameters(paramLabel = "MODEL", description = "Folder with open_clip_config.json and weights, e.g. runs/emoji-1/last.") Path model;
  @Option(names = "--val-data", defaultValue = "emoji-heldout", description = {"emoji-heldout (a family of artists that emoji leaves out), emoji-concepts-heldout (192 concepts that emoji-concepts leaves out), "
      + "emoji-concepts-heldout-all (the same among all names), a table or a folder; may be given more than once (default: ${DEFAULT-VALUE})."}) List<String> valData;

  @Override public Integer call() throws IOException {
    try (var clip = Clip.load(model)) {
      for (var name : valData) {
        var source = data.source(name);
        var e = Evaluation.of(clip.embedder(), source);
        System.out.printf("%s: %,d images, %,d names (chance %.2f %%)%n", source.name(), e.labels().length, e.names().size(), 100 * e.chance());
        e.metrics().forEach((k, v) -> System.out.printf("  %-20s %5.1f %%%n", k, 100 * v));
      }
    }
    return 0;
  }
}
