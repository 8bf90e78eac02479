package jacquard.clip.cli;

import jacquard.autograd.Parameters;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.Presets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "models", mixinStandardHelpOptions = true)
final class ModelsCommand implements Callable<Integer> {
  @Option(names = "--all", description = "Also those of OpenCLIP's registry that are not built yet.") boolean all;

  @Override public Integer call() {
    System.out.printf("%-32s %12s %10s %s%n", "model", "parameters", "image", "embedding");
    int later = 0;
    for (var name : Presets.names()) {
      var c = Presets.of(name);
      if (c.unsupported().isPresent()) {
        later++;
        if (all) System.out.printf("%-32s not built yet: %s%n", name, c.unsupported().get());
        continue;
      }
      System.out.printf("%-32s %,11.1fM %10s %d%s%n", name, Parameters.of(ClipModel.describe(c)).all().values().stream().mapToLong(t -> t.shape().size()).sum() / 1e6, c.vision().input(), c.embedding(),
          c.text().input().clip() ? "" : "  (weights load; its tokenizer " + c.text().input().tokenizer() + " is not built yet)");
    }
    if (!all) System.out.println(later + " more of OpenCLIP's registry are not built yet (--all lists them)");
    return 0;
  }
}
