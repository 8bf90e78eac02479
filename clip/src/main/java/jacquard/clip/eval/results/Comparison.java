package jacquard.clip.eval.results;

import jacquard.clip.eval.sets.Benchmarks;
import jacquard.clip.eval.suite.Result;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Consumer;

/// Models beside each other: a row a data set, task and language, a column a model; last the means of suites that a
/// model has whole.
///
/// @param models as columns, the published ones last
/// @param rows   by name
public record Comparison(List<String> models, SequencedMap<String, Row> rows) {
  /// @param metric what is compared
  /// @param cells  by model; absent where it was not measured
  public record Row(String metric, SequencedMap<String, Cell> cells) {}

  /// @param low,high the 95 % interval; NaN where there is none
  public record Cell(double value, double low, double high) {}

  /// Reads files and folders of them.
  ///
  /// @param notes hears of files that are no results
  public static List<Result> read(List<Path> paths, Consumer<String> notes) throws IOException {
    var files = new ArrayList<Path>();
    for (var p : paths) {
      if (!Files.isDirectory(p)) files.add(p);
      else try (var all = Files.walk(p)) {
        files.addAll(all.filter(f -> f.endsWith("eval_results.jsonl") || f.toString().endsWith(".json")
            && !f.toString().endsWith("_captions.json")).sorted().toList());
      }
    }
    var r = new ArrayList<Result>();
    for (var f : files) {
      try { r.addAll(f.toString().endsWith(".jsonl") ? Result.lines(f) : List.of(Result.read(f))); }
      catch (IOException e) {
        if (paths.contains(f)) throw e;
        notes.accept("left out: " + Reason.of(e));
      }
    }
    if (r.isEmpty()) throw new IOException("no result of an evaluation in " + paths);
    return r;
  }

  /// @param beside further published checkpoints; those of the models themselves are there in any case
  public static Comparison of(List<Result> results, List<PublishedScores> beside) {
    var models = new LinkedHashSet<String>();
    var rows = new LinkedHashMap<String, Row>();
    for (var r : results) {
      models.add(column(r));
      var metric = r.main() != null ? r.main() : usual(r);
      if (metric == null) continue;
      var row = rows.computeIfAbsent(name(r), _ -> new Row(metric, new LinkedHashMap<>()));
      var i = r.intervals().get(row.metric);
      double value = r.metrics().getOrDefault(row.metric, Double.NaN);
      row.cells.put(column(r), new Cell(value, i == null ? Double.NaN : i.low(), i == null ? Double.NaN : i.high()));
    }
    suites(results, models, rows);
    var published = new LinkedHashSet<PublishedScores>();
    for (var r : results) PublishedScores.of(r.model(), r.pretrained()).ifPresent(published::add);
    published.addAll(beside);
    for (var p : published) {
      var column = p.model() + " " + p.pretrained() + " (published)";
      rows.forEach((name, row) -> {
        double v = p.score(name.startsWith("mean of ") ? name.substring("mean of ".length()) : name);
        if (!Double.isNaN(v)) row.cells.put(column, new Cell(v, Double.NaN, Double.NaN));
      });
      models.add(column);
    }
    return new Comparison(List.copyOf(models), rows);
  }

  /// The mean of main metrics, for models that have every set of a suite.
  private static void suites(List<Result> results, LinkedHashSet<String> models, SequencedMap<String, Row> rows) {
    for (var suite : Benchmarks.suites()) for (var model : models) {
      var members = Benchmarks.suite(suite).stream().filter(m -> Benchmarks.of(m.set()).measured()).toList();
      var own = results.stream().filter(r -> column(r).equals(model) && !r.task().contains("probe")
          && !r.task().startsWith("knn")).toList();
      var scores = new ArrayList<Double>();
      for (var m : members) own.stream().filter(r -> bare(r).equals(m.set())).findFirst()
          .ifPresent(r -> scores.add(r.score()));
      if (scores.size() < members.size()) continue;
      double mean = scores.stream().filter(s -> !Double.isNaN(s)).mapToDouble(s -> s).average().orElse(Double.NaN);
      rows.computeIfAbsent("mean of " + suite, _ -> new Row("main metrics", new LinkedHashMap<>())).cells.put(model,
          new Cell(mean, Double.NaN, Double.NaN));
    }
  }

  private static String column(Result r) { return r.pretrained().isEmpty() ? r.model()
      : r.model() + " " + r.pretrained(); }

  /// The set's name; CLIP_benchmark puts `wds/` before it where it read a webdataset folder.
  private static String bare(Result r) { return r.dataset().replaceFirst("^wds/", ""); }

  private static String name(Result r) {
    boolean usual = r.task().startsWith("zeroshot") || r.task().equals("image_caption_selection")
        || r.task().equals("association");
    return bare(r) + (r.language().equals("en") ? "" : ", " + r.language()) + (usual ? "" : ", " + r.task());
  }

  /// What a result without a main metric is compared by.
  private static String usual(Result r) {
    for (var m : List.of("acc1", "lp_acc1", "knn_acc1", "mean_recall@1", "image_retrieval_recall@5",
        "mean_average_precision", "acc",
        "CIDEr", "Bleu_4")) if (r.metrics().containsKey(m)) return m;
    return r.metrics().isEmpty() ? null : r.metrics().firstEntry().getKey();
  }
}
