package jacquard.clip.cli.suite;

import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.eval.results.Comparison;
import jacquard.clip.eval.results.ComparisonPage;
import jacquard.clip.eval.results.PublishedScores;
import jacquard.clip.eval.suite.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Compares models by the results of their evaluations.
@Command(name = "report", mixinStandardHelpOptions = true)
public final class ReportCommand implements Callable<Integer> {
  @Parameters(arity = "1..*", paramLabel = "RESULTS",
      description = "Result files of eval or of CLIP_benchmark, and folders of "
      + "them.") List<Path> results;
  @Option(names = "--beside", paramLabel = "MODEL:TAG", description = "A published checkpoint to show beside, as "
      + "ViT-B-32:openai; may be repeated. Those of the models themselves are shown in any case.") List<String> beside =
          List.of();
  @Option(names = "--out", paramLabel = "FOLDER", description = "Where report.html and benchmark.csv go (default: "
      + "${DEFAULT-VALUE}).") Path out = Path.of(".");

  @Override public Integer call() throws IOException {
    var published = new ArrayList<PublishedScores>();
    for (var b : beside) {
      int colon = b.indexOf(':');
      published.add(PublishedScores.of(b.substring(0, Math.max(0, colon)), b.substring(colon + 1))
          .orElseThrow(() -> new IllegalArgumentException(
          "--beside " + b + ": no figures are published of it, expected MODEL:TAG as ViT-B-32:openai")));
    }
    var all = Comparison.read(results, System.err::println);
    var c = Comparison.of(all, published);
    List<List<String>> table = new ArrayList<>(List.of(ComparisonPage.head(c)));
    table.addAll(ComparisonPage.rows(c));
    print(table);
    Files.createDirectories(out);
    ComparisonPage.of(c, all).write(out.resolve("report.html"));
    AtomicFile.write(out.resolve("benchmark.csv"), String.join("\n", table.stream().map(r -> String.join(",", r.stream()
        .map(ReportCommand::quoted).toList())).toList()) + "\n");
    System.out.printf("%nsee %s and %s%n", out.resolve("report.html"), out.resolve("benchmark.csv"));
    return 0;
  }

  private static void print(List<List<String>> table) {
    int[] widths = IntStream.range(0, table.getFirst().size())
        .map(k -> table.stream().mapToInt(r -> r.get(k).length()).max().orElse(0)).toArray();
    for (var r : table) {
      var line = new StringBuilder();
      for (int k = 0; k < widths.length; k++) line.append(k == 0 ? "" : "  ")
          .append(("%-" + Math.max(1, widths[k]) + "s").formatted(r.get(k)));
      System.out.println(line.toString().stripTrailing());
    }
  }

  private static String quoted(String field) { return field.matches("[^\",\n]*") ? field
      : '"' + field.replace("\"", "\"\"") + '"'; }
}
