package jacquard.clip.cli;

import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.Benchmarks;
import jacquard.clip.eval.suite.Protocol;
import jacquard.clip.eval.suite.Retrieval;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/// Evaluation on data sets and suites that are known by name.
final class SuiteOptions {
  @Option(names = "--suite", paramLabel = "NAME",
      description = "A collection of data sets; may be repeated. --list names "
      + "them.") List<String> suites = List.of();
  @Option(names = "--dataset", arity = "1..*", paramLabel = "NAME",
      description = "Data sets by name, or a folder of your "
      + "own with classnames.txt and zeroshot_classification_templates.txt; may be repeated.") List<String> sets =
          List.of();
  @Option(names = "--data", paramLabel = "ROOT",
      description = "The folder that holds the data sets' folders; of one data "
      + "set alone, its own folder will do.") Path root;
  @Option(names = "--list", help = true,
      description = "Says what each data set and suite needs and, with --data, what is "
      + "there; needs no model.") boolean list;
  @Option(names = "--language", paramLabel = "NAME", description = "Of class names and captions (default: "
      + "${DEFAULT-VALUE}).") String language = "en";
  @Option(names = "--recall-k", arity = "1..*", split = ",", paramLabel = "K", description = "Cut-offs of retrieval "
      + "(default: 1, 5, 10).") List<Integer> ks = Retrieval.USUAL;
  @Option(names = "--results", paramLabel = "FOLDER", description = "Where results go, a JSON file each, as "
      + "CLIP_benchmark's (default: ${DEFAULT-VALUE}).") Path results = Path.of("results");
  @Option(names = "--skip-existing", description = "Does not measure again what has a result.") boolean skip;
  @Option(names = "--cache", paramLabel = "FOLDER",
      description = "Where features are kept, so that further metrics need no "
      + "pass over the pictures; none for nowhere (default: jacquard/features in the user's cache).") String cache;

  boolean asked() { return list || !suites.isEmpty() || !sets.isEmpty(); }

  /// The sets by name and the user's own, in the order given; each once.
  List<Benchmark> benchmarks() {
    var r = new ArrayList<Benchmark>();
    for (var s : suites) for (var m : Benchmarks.suite(s)) r.add(Benchmarks.of(m.set()));
    for (var s : sets) r.add(Benchmarks.find(s).isEmpty() && Files.isDirectory(Path.of(s)) ? Benchmark.own(s)
        : Benchmarks.of(s));
    return r.stream().distinct().toList();
  }

  /// Where features are kept; null for nowhere.
  Path kept() {
    if (cache != null) return cache.equals("none") ? null : Path.of(cache);
    var general = System.getenv("XDG_CACHE_HOME");
    return (general != null ? Path.of(general) : Path.of(System.getProperty("user.home"), ".cache")).resolve("jacquard")
        .resolve("features");
  }

  /// The tasks asked for; none for what suits each set.
  List<Protocol> protocols() {
    if (ks.stream().anyMatch(k -> k < 1)) throw new IllegalArgumentException("--recall-k " + ks
        + ", expected numbers from 1");
    return List.of();
  }
}
