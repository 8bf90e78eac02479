package jacquard.clip.tune.outcome;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.report.Chart;
import jacquard.clip.report.Figure;
import jacquard.clip.report.RunReport;
import jacquard.clip.report.log.MetricLog;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.Way;
import jacquard.tensor.Scope;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Function;

/// What an adaptation came to.
///
/// @param curve                on the validation halves, over α from the old weights (0) to the new (1)
/// @param before,after,chosen  on the test halves
/// @param advice               in plain words
public record Outcome(Curve curve, Guard.Score before, Guard.Score after, Guard.Score chosen, String advice) {
  /// The folder of the weights that were chosen.
  public static final String CHOSEN = "chosen";
  private static final String CONFIG = "open_clip_config.json";
  private static final int STEPS = 10;

  /// Measures, and writes the weights that are chosen into [#CHOSEN] of a run's folder.
  public static Outcome of(Guard guard, Way way, Path folder, Function<Outcome, String> advice) throws IOException {
    var points = new ArrayList<Curve.Point>();
    for (int i = 0; i <= STEPS; i++) {
      double alpha = i / (double) STEPS;
      try (var _ = Scope.open()) {
        var s = guard.score(way.at(alpha), 0);
        points.add(new Curve.Point(alpha, s.kept(), s.learned()));
      }
    }
    var curve = new Curve("α", points);
    double chosen = curve.chosen().value();
    var to = Files.createDirectories(folder.resolve(CHOSEN));
    Files.copy(folder.resolve(CONFIG), to.resolve(CONFIG), StandardCopyOption.REPLACE_EXISTING);
    way.write(to, chosen);
    var r = new Outcome(curve, guard.score(way.at(0), 1), guard.score(way.at(1), 1), guard.score(way.at(chosen), 1),
        "");
    return new Outcome(curve, r.before, r.after, r.chosen, advice.apply(r));
  }

  /// `tune.json`, `report.png` and `report.html`.
  public void write(Path folder, Start start, String command, double minutes) throws IOException {
    var json = new ObjectMapper().createObjectNode();
    json.put("alpha", curve.chosen().value()).put("advice", advice).put("minutes", minutes);
    var table = json.putObject("test");
    rows().forEach((name, s) -> {
      var row = table.putObject(name);
      s.a().metrics().forEach((m, v) -> row.put("kept/" + m, v));
      s.b().metrics().forEach((m, v) -> row.put("learned/" + m, v));
    });
    var all = json.putArray("validation");
    for (var p : curve.points()) all.addObject().put("alpha", p.value()).put("kept", p.kept())
        .put("learned", p.learned());
    AtomicFile.write(folder.resolve("tune.json"), json.toPrettyString() + "\n");
    page(folder, start, command, minutes).write(folder);
  }

  private LinkedHashMap<String, Guard.Score> rows() {
    var r = new LinkedHashMap<String, Guard.Score>();
    r.put("before", before);
    r.put("after", after);
    r.put("chosen", chosen);
    return r;
  }

  private RunReport page(Path folder, Start start, String command, double minutes) throws IOException {
    var charts = new ArrayList<>(CurvePage.charts(curve, start.guard().name()));
    var metrics = folder.resolve("metrics.jsonl");
    var log = Files.exists(metrics) ? MetricLog.read(metrics) : List.<MetricLog.Entry>of();
    if (!log.isEmpty()) {
      charts.add(Chart.of("Loss", "step", named(MetricLog.series(log, "loss"), "loss")).smoothed(0.9));
      charts.add(Chart.of("While it learned", "step", named(MetricLog.series(log, "learned/top1"), "learned"),
          named(MetricLog.series(log, "kept/top1"), "kept")));
    }
    var figures = List.of(Figure.share("Learned, top-1", chosen.learned(), chosen.b().chance()),
        Figure.share("before", before.learned()), Figure.share("Kept, top-1", chosen.kept(), chosen.a().chance()),
        Figure.share("before ", before.kept()), Figure.of("α", curve.chosen().value()), Figure.of("Minutes", minutes));
    var settings = new LinkedHashMap<String, String>();
    settings.put("learned", start.fresh().name() + ", " + start.fresh().size() + " pairs");
    settings.put("guard", start.guard().name() + ", " + start.guard().size() + " pairs");
    if (start.old() != null) settings.put("old pairs", start.old().name() + ", " + start.old().size());
    settings.put("advice", advice);
    return new RunReport(start.fresh().name() + " · " + folder.getFileName(), advice, figures, charts, List.of(),
        List.of(), command, settings, new LinkedHashMap<>());
  }

  private static Chart.Series named(Chart.Series s, String name) { return new Chart.Series(name, s.x(), s.y()); }

  public void print(PrintStream out) {
    out.printf("%-22s %25s   %25s%n", "test halves", "kept: top1 / top5 / r10", "learned: top1 / top5 / r10");
    rows().forEach((name, s) -> out.printf("%-22s %25s   %25s%n", name.equals("chosen")
        ? "chosen (α %.1f)".formatted(curve.chosen().value()) : name, row(s.a()), row(s.b())));
  }

  private static String row(Evaluation e) {
    var m = e.metrics();
    return "%.1f / %.1f / %.1f".formatted(100 * m.get("top1"), 100 * m.get("top5"), 100 * m.get("text_to_image_r10"));
  }
}
