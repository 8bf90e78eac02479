package jacquard.clip.train;

import jacquard.clip.data.source.Source;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.image.Images;
import jacquard.clip.report.Chart;
import jacquard.clip.report.Figure;
import jacquard.clip.report.Gallery;
import jacquard.clip.report.RunReport;
import jacquard.clip.report.log.MetricLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// The picture and the page of a finished run: curves, figures, and what the model ranks best and worst for some
/// captions.
public final class RunPage {
  private static final int CAPTIONS = 8, SHOTS = 6;

  private RunPage() {}

  /// @param title      of the model
  /// @param training   what was trained on, for people
  /// @param evaluation of the last step on `held`, or null without held-out data
  /// @param settings   of the run, in the order of the page
  public static void write(Path folder, String title, String training, Source held, Evaluation evaluation,
      double minutes, String command, SequencedMap<String, String> settings) throws IOException {
    var log = MetricLog.read(folder.resolve("metrics.jsonl"));
    var charts = new ArrayList<>(List.of(Chart.of("Loss", "step", named(MetricLog.series(log, "loss"), "training loss"))
        .smoothed(0.95),
        Chart.of("Learning rate", "step", named(MetricLog.series(log, "lr"), "learning rate")),
            Chart.of("Gradient norm", "step", named(MetricLog.series(log, "gradient_norm"), "norm before clipping"))
            .smoothed(0.9)));
    var figures = new ArrayList<Figure>();
    var galleries = new ArrayList<Gallery>();
    if (evaluation != null) {
      var m = evaluation.metrics();
      figures.add(Figure.share("Zero-shot top-1", m.get("top1"), evaluation.chance()));
      figures.add(Figure.share("Zero-shot top-5", m.get("top5"), Math.min(1, 5 * evaluation.chance())));
      for (int k : new int[] {1, 5, 10})
        figures.add(Figure.share("Text to image R@" + k, m.get("text_to_image_r" + k), (double) k / evaluation.labels()
            .length));
      charts.add(1, Chart.of("Held-out accuracy", "step", named(MetricLog.series(log, "held_out/top1"), "top-1"),
          named(MetricLog.series(log, "held_out/top5"), "top-5")).against("chance", evaluation.chance()));
      galleries.add(gallery(evaluation, held));
    }
    figures.add(Figure.of("Minutes", minutes));
    var machine = new LinkedHashMap<String, String>();
    machine.put("Java", System.getProperty("java.vm.name") + " " + System.getProperty("java.version"));
    machine.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
    machine.put("JPEG decoder", Images.jpegDecoder());
    machine.put("WebP decoder", Images.webpDecoder());
    var lead = evaluation == null ? "Trained on " + training + "." : "Trained on " + training + ", evaluated on "
        + held.name() + " over " + evaluation.names().size() + " names.";
    new RunReport(title + " · " + folder.getFileName(), lead, figures, charts, List.of(), galleries, command, settings,
        machine).write(folder);
  }

  private static Chart.Series named(Chart.Series s, String name) { return new Chart.Series(name, s.x(), s.y()); }

  private static Gallery gallery(Evaluation e, Source held) throws IOException {
    var rows = new ArrayList<Gallery.Row>();
    int[] drawn = e.drawn();
    int count = Math.min(CAPTIONS, drawn.length);
    for (int c = 0; c < count; c++) {
      int name = drawn[(int) ((long) c * drawn.length / count)];                 // spread over all names
      rows.add(new Gallery.Row(e.names().get(name), shots(e, held, name, true), shots(e, held, name, false)));
    }
    return new Gallery("Held-out images by caption", rows);
  }

  private static List<Gallery.Shot> shots(Evaluation e, Source held, int name, boolean best) throws IOException {
    var r = new ArrayList<Gallery.Shot>();
    for (int i : e.ranked(name, SHOTS, best)) {
      var p = held.picture(e.samples()[i]).pixels();
      int own = e.right(i, name) ? name : e.labels()[i][0];
      r.add(Gallery.Shot.of(p.rgb(), p.width(), p.height(), e.names().get(own), e.score(i, name), own == name));
    }
    return r;
  }
}
