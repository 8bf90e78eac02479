package jacquard.clip.eval.results;

import jacquard.clip.eval.suite.Result;
import jacquard.clip.report.Bars;
import jacquard.clip.report.Chart;
import jacquard.clip.report.HtmlReport;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

/// A comparison as one page that needs nothing else: the table, a ranking a data set, curves over the number of shots,
/// and figures by group.
public final class ComparisonPage {
  private static final int MOST_BARS = 60;

  private ComparisonPage() {}

  public static HtmlReport of(Comparison c, List<Result> results) {
    var page = HtmlReport.titled("Evaluation of " + c.models().size() + " models on " + c.rows().size() + " rows")
        .lead("Main metric of each data set in percent; in brackets the 95 % interval by bootstrap. Figures marked as "
            + "published are "
            + "OpenCLIP's own, of docs/openclip_results.csv.");
    page.heading("Table").grid(head(c), rows(c));
    var bars = c.rows().entrySet().stream().limit(MOST_BARS).filter(e -> e.getValue().cells().size() > 1)
        .map(e -> new Bars(e.getKey()
        + ": " + e.getValue().metric(), e.getValue().cells().entrySet().stream()
            .map(m -> new Bars.Bar(m.getKey(), m.getValue().value(),
        !m.getKey().endsWith("(published)"))).toList(), List.of(), true)).toList();
    var charts = shots(results);
    if (!bars.isEmpty() || !charts.isEmpty()) page.heading("Side by side").charts(charts, bars);
    groups(page, results);
    return page;
  }

  public static List<String> head(Comparison c) {
    var r = new ArrayList<>(List.of("data set", "metric"));
    r.addAll(c.models());
    return r;
  }

  public static List<List<String>> rows(Comparison c) {
    return c.rows().entrySet().stream().map(e -> {
      List<String> r = new ArrayList<>(List.of(e.getKey(), e.getValue().metric()));
      for (var m : c.models()) r.add(text(e.getValue().cells().get(m)));
      return r;
    }).toList();
  }

  private static String text(Comparison.Cell c) {
    if (c == null || Double.isNaN(c.value())) return "–";
    var value = String.format(Locale.ROOT, "%.1f", 100 * c.value());
    return Double.isNaN(c.low()) ? value : value + String.format(Locale.ROOT, " (%.1f–%.1f)", 100 * c.low(),
        100 * c.high());
  }

  /// Accuracy over pictures a class, where a set was probed with more than one number of them.
  private static List<Chart> shots(List<Result> results) {
    var bySet = new LinkedHashMap<String, TreeMap<String, TreeMap<Double, Double>>>();
    for (var r : results) {
      var k = r.metrics().get("fewshot_k");
      var accuracy = r.metrics().getOrDefault("lp_acc1", r.metrics().get("knn_acc1"));
      if (k == null || accuracy == null || !(k > 0)) continue;
      bySet.computeIfAbsent(r.dataset(), _ -> new TreeMap<>()).computeIfAbsent(r.model() + " " + r.pretrained() + " "
          + r.task().replaceFirst("_\\d+-shot$", ""), _ -> new TreeMap<>()).put(k, accuracy);
    }
    return bySet.entrySet().stream().filter(e -> e.getValue().values().stream().anyMatch(v -> v.size() > 1))
        .map(e -> Chart.of(e.getKey()
        + ", few shots", "pictures a class", e.getValue().entrySet().stream()
            .map(s -> new Chart.Series(s.getKey(), s.getValue().keySet()
        .stream().mapToDouble(x -> x).toArray(), s.getValue().values().stream().mapToDouble(y -> y).toArray()))
            .toArray(Chart.Series[]::new)))
        .toList();
  }

  private static void groups(HtmlReport page, List<Result> results) {
    for (var r : results) r.groups().forEach((what, each) -> {
      var rows = each.entrySet().stream().sorted(Comparator.comparingDouble(e -> e.getValue()))
          .map(e -> List.of(e.getKey(),
          String.format(Locale.ROOT, "%.1f", 100 * e.getValue()))).toList();
      page.heading(r.dataset() + ", " + r.model() + " " + r.pretrained() + ": " + what + ", the worst first")
          .grid(List.of("group", "percent"), rows);
    });
  }
}
