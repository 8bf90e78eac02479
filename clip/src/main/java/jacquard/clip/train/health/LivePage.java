package jacquard.clip.train.health;

import jacquard.clip.report.Chart;
import jacquard.clip.report.Figure;
import jacquard.clip.report.HtmlReport;
import jacquard.clip.report.log.MetricLog;
import jacquard.clip.train.Listener;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// A page in the run's folder, `live.html`, that shows how the run goes and loads itself anew: one file, nothing
/// fetched. It is written every so often, and takes a twentieth of the time at most.
public final class LivePage {
  private static final String FILE = "live.html";
  private static final System.Logger LOG = System.getLogger(LivePage.class.getName());
  private static final int SHARE = 20;
  private static final List<String> FIRST = List.of("loss", "lr", "gradient_norm"),
      MORE = List.of("loss_scale", "skipped_steps");

  private final Path folder;
  private final Duration every;
  private long due = System.nanoTime();

  /// @param folder of the run
  public LivePage(Path folder, Duration every) {
    this.folder = folder;
    this.every = every;
  }

  public void after(Listener.Moment m) {
    long now = System.nanoTime();
    if (now - due < 0 && !m.last() && !m.stopping()) return;
    // a page is no reason for a run to end
    try { write(m); }
    catch (IOException e) { LOG.log(System.Logger.Level.DEBUG, "no " + FILE, e); }
    due = System.nanoTime() + Math.max(every.toNanos(), SHARE * (System.nanoTime() - now));
  }

  private void write(Listener.Moment m) throws IOException {
    var log = MetricLog.read(folder.resolve("metrics.jsonl"));
    var names = new ArrayList<>(FIRST);
    for (var e : log)
      for (var n : e.values().keySet())
        if (!names.contains(n) && (n.contains("top1") || MORE.contains(n))) names.add(n);
    var charts = new ArrayList<Chart>();
    for (var n : names) {
      var series = MetricLog.series(log, n);
      if (series.x().length == 0) continue;
      charts.add(Chart.of(n.replace('_', ' '), "step", series).smoothed(n.equals("loss") ? 0.95 : 0));
    }
    var figures = new ArrayList<Figure>();
    m.values().forEach((n, v) -> { if (!n.contains("/")) figures.add(Figure.of(n.replace('_', ' '), v)); });
    boolean ends = m.last() || m.stopping();
    var page = HtmlReport.titled(folder.getFileName().toString())
        .lead("Step %,d of %,d%s".formatted(m.step(), m.steps(), ends ? "; the run has ended" : ""))
        .tiles(figures).heading("Curves").charts(charts, List.of());
    (ends ? page : page.again((int) every.toSeconds())).write(folder.resolve(FILE));
  }
}
