package jacquard.clip.tune.outcome;

import jacquard.clip.report.Chart;
import jacquard.clip.report.Figure;
import jacquard.clip.report.RunReport;
import java.util.LinkedHashMap;
import java.util.List;

/// The picture of what is kept against what is learned.
public final class CurvePage {
  private CurvePage() {}

  /// A page of the curve alone.
  public static RunReport of(Curve curve, String title, Guard guard) {
    return of(curve, title, guard.a().name(), guard.b().name());
  }

  /// @param kept,learned the names of both sets
  public static RunReport of(Curve curve, String title, String kept, String learned) {
    var best = curve.chosen();
    var lead = "Top-1 on the validation halves of %s (kept) and %s (learned).".formatted(kept, learned);
    return new RunReport(title, lead, List.of(Figure.of(curve.knob(), best.value()), Figure.share("Kept", best.kept()),
        Figure.share("Learned", best.learned())), charts(curve, kept), List.of(), List.of(), "",
        new LinkedHashMap<>(), new LinkedHashMap<>());
  }

  /// Learned against kept, with the points that none beats in both; and each over the knob.
  ///
  /// @param kept what must stay
  static List<Chart> charts(Curve curve, String kept) {
    var p = curve.points();
    double[] x = p.stream().mapToDouble(Curve.Point::value).toArray();
    double[] learned = p.stream().mapToDouble(Curve.Point::learned).toArray();
    return List.of(Chart.of("Learned (up) against kept (right)", "kept: top-1 of " + kept,
        series("all " + curve.knob(), p), series("none is better in both", curve.front()),
        series("chosen", List.of(curve.chosen()))),
        Chart.of("Over " + curve.knob(), curve.knob(), new Chart.Series("learned", x, learned),
            new Chart.Series("kept", x, p.stream().mapToDouble(Curve.Point::kept).toArray())));
  }

  private static Chart.Series series(String name, List<Curve.Point> points) {
    return new Chart.Series(name, points.stream().mapToDouble(Curve.Point::kept).toArray(),
        points.stream().mapToDouble(Curve.Point::learned).toArray());
  }
}
