package jacquard.clip.cli.suite;

import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.cli.options.ModelOptions;
import jacquard.clip.eval.Advance;
import jacquard.clip.eval.features.FeatureStore;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.layouts.Layouts;
import jacquard.clip.eval.layouts.WebDatasetWriter;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.Benchmarks;
import jacquard.clip.eval.suite.BuiltIn;
import jacquard.clip.eval.suite.Result;
import jacquard.clip.eval.suite.SuiteRun;
import jacquard.clip.report.log.Progress;
import jacquard.clip.settings.Count;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// A model over data sets and suites, told in the terminal.
public record SuiteEvaluation(ModelOptions model, SuiteOptions options) {
  /// What each set needs, and what is there.
  public void list() {
    System.out.printf("%-46s %-16s %8s  %-22s %s%n", "data set", "kind", "pictures", "main metric",
        options.root == null ? "needs"
        : "in " + options.root);
    for (var b : Benchmarks.all())
      System.out.printf("%-46s %-16s %8s  %-22s %s%n", b.row(), b.kind().name().toLowerCase(),
          b.pictures() == 0 ? "" : "%,d".formatted(b.pictures()),
          b.main(), options.root == null ? needs(b) : there(b));
    System.out.println();
    for (var s : Benchmarks.suites())
      System.out.printf("--suite %-24s %d: %s%n", s, Benchmarks.suite(s).size(),
          Benchmarks.suite(s).stream().map(Benchmarks.Member::set)
          .collect(Collectors.joining(", ")));
    System.out.println();
    System.out.println("Each is looked for in --data ROOT as a webdataset folder (test/nshards.txt, test/0.tar …), "
        + "named as "
        + "wds_NAME, wds_vtab-NAME_test or NAME, or as said above. Nothing is downloaded.");
  }

  private static String needs(Benchmark b) { return "webdataset folder"
      + (b.needs().equals("-") ? "" : ", or " + b.needs()); }

  private String there(Benchmark b) {
    return Layouts.places(options.root, b).stream().filter(Files::isDirectory).findFirst().map(p -> "found: " + p)
        .orElseGet(() -> "not there: " + needs(b));
  }

  /// Writes the sets that are there as webdataset folders.
  public int export() throws IOException {
    var run = new SuiteRun(null, options.root, options.language, options.results, true,
        options.benchmarks().size() == 1);
    int absent = 0;
    for (var s : options.benchmarks()) for (var split : List.of("test", "train", "val")) {
      var found = run.find(s, split);
      if (found.isEmpty() && split.equals("test")) {
        System.err.println(s.name() + " is not there");
        absent++;
      }
      if (found.isEmpty()) continue;
      var to = options.export.resolve("wds_" + s.name().replaceAll("[^\\p{L}\\p{N}._+-]+", "-"));
      try (var progress = Progress.of("export " + s.name() + " " + split, found.get().size()).unit("pictures").open()) {
        WebDatasetWriter.write(found.get(), to, split, progress::advance);
      }
      System.out.printf("%s, %s: %s in %s%n", s.name(), split, Count.of(found.get().size(), "picture"), to);
    }
    return absent == 0 ? 0 : 1;
  }

  /// Measures all. The status to exit with: 1 where a set is absent or broken.
  public int call() throws IOException {
    var sets = options.benchmarks();
    var protocols = options.protocols();
    if (options.root == null && sets.stream().anyMatch(s -> s.known() && !BuiltIn.is(s)))
      throw new IllegalArgumentException("--data ROOT is missing: the folder that holds the data sets' folders");
    if (options.root != null && !Files.isDirectory(options.root))
      throw new IOException("--data " + options.root + " is no folder");
    var files = model.files();
    var told = new Told();
    try (var clip = model.load(files)) {
      var changes = List.of(model.config.assignments());
      var store = new FeatureStore(options.kept(), options.kept() == null ? ""
          : Subject.key(files, changes, clip.embedder().transform()
          .config().json().toString()));
      var subject = new Subject(clip, model.model, model.pretrained == null ? "local" : model.pretrained, store);
      var run = new SuiteRun(subject, options.root, options.language, options.results, !options.skip, sets.size() == 1);
      for (var s : sets) told.results.put(s.name(), run.run(s, protocols, told));
    }
    told.close();
    if (options.lines != null) {
      var lines = new StringBuilder();
      for (var s : sets) for (var r : told.results.get(s.name()).stream().limit(1).toList())
        lines.append(r.line(s.name(), s.title())).append('\n');
      AtomicFile.write(options.lines, lines.toString());
    }
    summary(told);
    return told.absent.isEmpty() && told.failed.isEmpty() ? 0 : 1;
  }

  /// Suites that are whole have a mean; of others is said what is missing.
  private void summary(Told told) {
    if (!told.absent.isEmpty()) {
      System.err.println(Count.of(told.absent.size(), "data set is", "data sets are") + " not there:");
      told.absent.forEach((name, places) -> System.err.println("  " + name + ": looked for " + places.stream().limit(3)
          .map(Path::toString).collect(Collectors.joining(", ")) + (places.size() > 3 ? " …" : "")));
    }
    for (var name : options.suites) {
      var members = Benchmarks.suite(name).stream().filter(m -> Benchmarks.of(m.set()).measured()).toList();
      var lacking = members.stream().map(Benchmarks.Member::set)
          .filter(s -> told.results.getOrDefault(s, List.of()).isEmpty()).toList();
      if (!lacking.isEmpty()) {
        System.out.printf("%s is not whole (%d of %d data sets), and has no mean; it lacks %s%n", name,
            members.size() - lacking.size(),
            members.size(), String.join(", ", lacking));
        continue;
      }
      System.out.printf("%s: mean of %s %.1f %%%n", name, Count.of(scores(members, told.results).size(), "main metric"),
          100 * mean(members, told.results));
      members.stream().collect(Collectors.groupingBy(Benchmarks.Member::group, LinkedHashMap::new, Collectors.toList()))
          .forEach((group, of) -> {
        if (!group.equals("-")) System.out.printf("  %-24s %.1f %% (%d)%n", group, 100 * mean(of, told.results),
            of.size());
      });
    }
  }

  private static List<Double> scores(List<Benchmarks.Member> members, Map<String, List<Result>> results) {
    return members.stream().map(m -> results.get(m.set()).getFirst()).filter(r -> r.main() != null).map(Result::score)
        .toList();
  }

  private static double mean(List<Benchmarks.Member> members, Map<String, List<Result>> results) {
    return scores(members, results).stream().mapToDouble(s -> s).average().orElse(Double.NaN);
  }

  /// Writes lines and progress.
  private static final class Told implements SuiteRun.Ears {
    private final Map<String, List<Result>> results = new LinkedHashMap<>();
    private final Map<String, List<Path>> absent = new LinkedHashMap<>();
    private final List<String> failed = new ArrayList<>();
    private Progress progress;

    @Override public Advance advance(String set, long inputs) {
      close();
      progress = Progress.of(set, inputs).unit("inputs").open();
      return progress::advance;
    }

    void close() {
      if (progress != null) progress.close();
      progress = null;
    }

    @Override public void failed(String set, Exception why) {
      close();
      failed.add(set);
      System.err.println("jacquard: " + set + ": " + Reason.of(why));
    }

    @Override public void absent(String set, List<Path> places) { absent.put(set, places); }

    @Override public void result(Result r, boolean before) {
      close();
      System.out.printf("%s, %s: %s%s%s%n", r.dataset(), r.task(), Count.of(r.samples(), "sample"),
          r.missing() == 0 ? "" : "; %,d could not be read and %s left out".formatted(r.missing(),
          r.missing() == 1 ? "was" : "were"), before ? " (measured before)" : "");
      r.metrics().forEach((name, v) -> System.out.printf("  %-28s %s%s%n", name,
          value(r, name, v), interval(r, name)));
    }

    private static String value(Result r, String metric, double v) {
      if (Double.isNaN(v)) return "    –";
      return r.share(metric) ? "%5.1f %%".formatted(100 * v) : "%5.4g".formatted(v);
    }

    private static String interval(Result r, String metric) {
      var i = r.intervals().get(metric);
      return i == null || Double.isNaN(i.low()) ? "" : "   %.1f to %.1f".formatted(100 * i.low(), 100 * i.high());
    }
  }
}
