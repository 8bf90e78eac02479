package jacquard.clip.eval.suite;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.eval.metrics.Bootstrap;
import jacquard.clip.settings.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;

/// What came out of one run, as CLIP_benchmark writes it; a metric that is no number is null. Intervals, counts and
/// groups stand beside the metrics.
///
/// @param task      by CLIP_benchmark's name
/// @param main      the metric that the set is compared by; may be null
/// @param samples   how many were measured; −1 where that is not known
/// @param missing   how many more could not be read
/// @param intervals 95 % intervals of some metrics
/// @param groups    a metric by group
public record Result(String dataset, String model, String pretrained, String task, String language,
    SequencedMap<String, Double> metrics, String main, int samples, int missing,
    SequencedMap<String, Bootstrap.Interval> intervals, SequencedMap<String, SequencedMap<String, Double>> groups) {
  private static final Set<String> PLAIN = Set.of("seed", "fewshot_k", "epochs", "weight_decay",
      "learning_rate", "C", "CIDEr");
  private static final long LARGEST = 16 << 20;
  /// Python writes NaN.
  private static final JsonMapper MAPPER = JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
      .build();

  /// Its file's name: `{dataset}_{pretrained}_{model}_{language}_{task}.json`.
  public String file() {
    return String.join("_", dataset, pretrained, model, language, task)
        .replaceAll("[^\\p{L}\\p{N}.+=@-]", "_") + ".json";
  }

  /// The value that the set is compared by; NaN where there is none.
  public double score() { return main == null ? Double.NaN : metrics.getOrDefault(main, Double.NaN); }

  /// Whether a metric is a share of one, and no setting or score of another scale.
  public boolean share(String metric) { return !PLAIN.contains(metric) && !metric.endsWith("_rank"); }

  public void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    var root = new LinkedHashMap<String, Object>();
    root.put("dataset", dataset);
    root.put("model", model);
    root.put("pretrained", pretrained);
    root.put("task", task);
    root.put("metrics", numbers(metrics));
    root.put("language", language);
    if (main != null) root.put("main_metric", main);
    if (samples >= 0) root.put("samples", samples);
    if (missing > 0) root.put("missing", missing);
    if (!intervals.isEmpty()) {
      var r = new LinkedHashMap<String, Object>();
      intervals.forEach((metric, i) -> r.put(metric, listed(i)));
      root.put("intervals", r);
    }
    if (!groups.isEmpty()) {
      var r = new LinkedHashMap<String, Object>();
      groups.forEach((what, each) -> r.put(what, numbers(each)));
      root.put("groups", r);
    }
    AtomicFile.write(folder.resolve(file()), Json.text(root));
  }

  /// A line of DataComp's `eval_results.jsonl`.
  ///
  /// @param key   the set, as `vtab/cifar100`
  /// @param title as DataComp calls it
  public String line(String key, String title) {
    var of = numbers(metrics);
    of.put("main_metric", number(score()));
    var root = new LinkedHashMap<String, Object>();
    root.put("key", key);
    root.put("dataset", title);
    root.put("metrics", of);
    return Json.tree(root).toString();
  }

  /// Of DataComp's lines, which do not say the model: it is called by the file's folder.
  ///
  /// @throws IOException naming the line that is none
  public static List<Result> lines(Path file) throws IOException {
    if (Files.size(file) > LARGEST) throw new IOException(file + ": " + Files.size(file) + " bytes, expected results");
    var r = new ArrayList<Result>();
    var model = file.toAbsolutePath().getParent().getFileName();
    int at = 0;
    for (var line : Files.readAllLines(file)) {
      at++;
      if (line.isBlank()) continue;
      JsonNode root;
      try { root = MAPPER.readTree(line); } catch (IOException e) { root = null; }
      if (root == null || !root.path("key").isTextual() || !root.path("metrics").isObject())
        throw new IOException(file + ": line " + at + " is no result of DataComp's: it has no key and metrics");
      r.add(new Result(root.get("key").asText(), model == null ? "" : model.toString(), "", "zeroshot", "en",
          numbers(root.get("metrics")), "main_metric", -1, 0, new LinkedHashMap<>(), new LinkedHashMap<>()));
    }
    return r;
  }

  private static Object number(double v) { return Double.isFinite(v) ? v : null; }

  private static List<Object> listed(Bootstrap.Interval i) {
    var r = new ArrayList<Object>();
    r.add(number(i.low()));
    r.add(number(i.high()));
    return r;
  }

  private static SequencedMap<String, Object> numbers(SequencedMap<String, Double> of) {
    var r = new LinkedHashMap<String, Object>();
    of.forEach((name, v) -> r.put(name, number(v)));
    return r;
  }

  /// Of a file that this or CLIP_benchmark wrote.
  ///
  /// @throws IOException naming the file and what is missing
  public static Result read(Path file) throws IOException {
    if (Files.size(file) > LARGEST) throw new IOException(file + ": " + Files.size(file) + " bytes, expected a result");
    JsonNode root;
    try { root = MAPPER.readTree(Files.readString(file)); }
    catch (IOException e) { throw new IOException(file + " is no JSON: " + e.getMessage().lines().findFirst()
        .orElse(""), e); }
    for (var key : List.of("dataset", "model", "task", "metrics"))
      if (!root.path(key).isTextual() && !root.path(key).isObject())
        throw new IOException(file + " is no result of an evaluation: it has no " + key);
    var intervals = new LinkedHashMap<String, Bootstrap.Interval>();
    for (var e : root.path("intervals").properties())
      intervals.put(e.getKey(), new Bootstrap.Interval(number(e.getValue().path(0)), number(e.getValue().path(1))));
    var groups = new LinkedHashMap<String, SequencedMap<String, Double>>();
    for (var e : root.path("groups").properties()) groups.put(e.getKey(), numbers(e.getValue()));
    return new Result(root.get("dataset").asText(), root.get("model").asText(), root.path("pretrained").asText(""),
        root.get("task").asText(), root.path("language").asText("en"), numbers(root.get("metrics")),
        root.hasNonNull("main_metric") ? root.get("main_metric").asText() : null, root.path("samples").asInt(-1),
        root.path("missing").asInt(0), intervals, groups);
  }

  private static SequencedMap<String, Double> numbers(JsonNode object) {
    var r = new LinkedHashMap<String, Double>();
    for (var e : object.properties()) if (e.getValue().isNumber() || e.getValue().isNull())
      r.put(e.getKey(), number(e.getValue()));
    return r;
  }

  private static double number(JsonNode of) { return of.isNumber() ? of.asDouble() : Double.NaN; }
}
