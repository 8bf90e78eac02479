package jacquard.clip.cli.weights;

import jacquard.autograd.Parameters;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.Presets;
import jacquard.clip.settings.Nearest;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Lists models, or their published weights.
@Command(name = "models", mixinStandardHelpOptions = true, sortOptions = false)
public final class ModelsCommand implements Callable<Integer> {
  @Option(names = "--all", description = "Also those of OpenCLIP's registry that are not built yet.") boolean all;

  @Option(names = "--tags", description = "The published weights of each instead: MODEL --pretrained TAG uses them.")
  boolean tags;

  @CommandLine.Parameters(arity = "0..1", paramLabel = "NAME", description = "Only models whose name holds this.")
  String part = "";

  private List<String> names() {
    var small = part.toLowerCase(Locale.ROOT);
    var r = Presets.names().stream().filter(n -> n.toLowerCase(Locale.ROOT).contains(small)).toList();
    if (r.isEmpty())
      throw new IllegalArgumentException("no model's name holds \"" + part + "\"."
          + Nearest.question(part, Presets.names()));
    return r;
  }

  @Override public Integer call() {
    if (tags) return tags();
    System.out.printf("%-32s %12s %10s %s%n", "model", "parameters", "image", "embedding");
    int later = 0;
    for (var name : names()) {
      var c = Presets.of(name);
      if (c.unsupported().isPresent()) {
        later++;
        if (all) System.out.printf("%-32s not built yet: %s%n", name, c.unsupported().get());
        continue;
      }
      System.out.printf("%-32s %,11.1fM %10s %d%s%n", name,
          Parameters.of(ClipModel.describe(c)).all().values().stream().mapToLong(t -> t.shape().size()).sum() / 1e6,
          c.vision().input(), c.embedding(),
          c.text().input().clip() ? "" : "  (tokenizer " + c.text().input().tokenizer() + ")");
    }
    if (!all && later > 0)
      System.out.println(later + " more of OpenCLIP's registry are not built yet (--all lists them)");
    return 0;
  }

  private int tags() {
    System.out.printf("%-32s %-44s %s%n", "model", "tag", "on the hub");
    for (var name : names()) {
      var later = Presets.of(name).unsupported().isPresent();
      Presets.pretrained(name).forEach((tag, p) ->
          System.out.printf("%-32s %-44s %s%s%n", name, tag, p.hub().replaceAll("/$", ""), later
              ? "  (the model is not built yet)" : ""));
    }
    return 0;
  }
}
