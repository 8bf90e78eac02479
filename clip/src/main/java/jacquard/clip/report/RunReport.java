package jacquard.clip.report;

import jacquard.clip.checkpoint.files.AtomicFile;
import java.awt.geom.RoundRectangle2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a run has to show, written as one picture and one page.
///
/// @param title       the name of the run
/// @param lead        a sentence on what was trained on what
/// @param figures     the final figures, the most telling first
/// @param charts      curves of loss and metrics
/// @param bars        rankings, such as accuracy a class or runs compared
/// @param galleries   held-out images as the model ranks them
/// @param command     the command that made the run; may be empty
/// @param config      the configuration, in order
/// @param environment machine, versions, times, in order
public record RunReport(String title, String lead, List<Figure> figures, List<Chart> charts, List<Bars> bars,
    List<Gallery> galleries,
                        String command, Map<String, String> config, Map<String, String> environment) {
  public static final String PICTURE = "report.png", PAGE = "report.html";
  private static final double WIDTH = 1240, MARGIN = 24, TILE = 84, TILE_WIDTH = 188, CHART = 330;

  public RunReport {
    figures = List.copyOf(figures);
    charts = List.copyOf(charts);
    bars = List.copyOf(bars);
    galleries = List.copyOf(galleries);
    config = Collections.unmodifiableMap(new LinkedHashMap<>(config));
    environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
  }

  /// Writes `report.png` and `report.html` into a folder, replacing those of before.
  public void write(Path folder) throws IOException {
    byte[] png = Ink.png(picture(Theme.LIGHT));
    Files.createDirectories(folder);
    AtomicFile.write(folder.resolve(PICTURE), png);
    page().write(folder.resolve(PAGE));
  }

  /// The page: figures, curves, galleries, then how the run was made.
  public HtmlReport page() {
    var page = HtmlReport.titled(title);
    if (!lead.isBlank()) page.lead(lead);
    if (!figures.isEmpty()) page.tiles(figures.subList(0, Math.min(6, figures.size())));
    if (!charts.isEmpty() || !bars.isEmpty()) page.heading("Curves").charts(charts, bars);
    galleries.forEach(page::gallery);
    if (!figures.isEmpty()) page.heading("Figures").figures(figures);
    if (!command.isBlank()) page.heading("Command").code(command);
    if (!config.isEmpty()) page.heading("Configuration").table(config);
    if (!environment.isEmpty()) page.heading("Environment").table(environment);
    return page;
  }

  /// The picture: title, first figures, curves in two columns, galleries below.
  public BufferedImage picture(Theme theme) {
    double half = (WIDTH - 2 * MARGIN - 20) / 2;
    int tiles = Math.min(6, figures.size());
    double height = 84 + (tiles > 0 ? TILE + 16 : 0) + Math.ceilDiv(charts.size(), 2) * (CHART + 16);
    for (int i = 0; i < bars.size(); i += 2) height += barRow(i) + 16;
    // A picture has a greatest height; galleries that would exceed it are on the page alone.
    int shown = 0;
    for (var gallery : galleries) {
      double more = gallery.height(WIDTH - 2 * MARGIN) + 16;
      if (height + more > Ink.LONGEST / (double) Ink.DENSITY - 60) break;
      height += more;
      shown++;
    }
    boolean left = shown < galleries.size();
    var ink = new Ink(WIDTH, height + (left ? 24 : 0) + 8, theme);
    ink.text(ink.fit(title, WIDTH - 2 * MARGIN, Ink.bold(24)), MARGIN, 44, Ink.bold(24), theme.ink);
    ink.text(ink.fit(lead, WIDTH - 2 * MARGIN, Ink.plain(13)), MARGIN, 66, Ink.plain(13), theme.faint);
    double y = 84;
    for (int i = 0; i < tiles; i++) tile(ink, figures.get(i), MARGIN + i * (TILE_WIDTH + 12.8), y);
    if (tiles > 0) y += TILE + 16;
    for (int i = 0; i < charts.size(); i += 2) {
      boolean alone = i + 1 == charts.size();
      charts.get(i).draw(panel(ink, MARGIN, y, alone ? WIDTH - 2 * MARGIN : half, CHART), MARGIN, y, alone
          ? WIDTH - 2 * MARGIN : half,
          CHART);
      if (!alone)
        charts.get(i + 1).draw(panel(ink, MARGIN + half + 20, y, half, CHART), MARGIN + half + 20, y, half, CHART);
      y += CHART + 16;
    }
    for (int i = 0; i < bars.size(); i += 2) {
      double row = barRow(i);
      boolean alone = i + 1 == bars.size();
      bars.get(i).draw(panel(ink, MARGIN, y, alone ? WIDTH - 2 * MARGIN : half, row), MARGIN, y, alone
          ? WIDTH - 2 * MARGIN : half);
      if (!alone) bars.get(i + 1).draw(panel(ink, MARGIN + half + 20, y, half, row), MARGIN + half + 20, y, half);
      y += row + 16;
    }
    for (var gallery : galleries.subList(0, shown)) {
      double h = gallery.height(WIDTH - 2 * MARGIN);
      gallery.draw(panel(ink, MARGIN, y, WIDTH - 2 * MARGIN, h), MARGIN, y, WIDTH - 2 * MARGIN);
      y += h + 16;
    }
    if (left)
      ink.text((galleries.size() - shown) + " more galleries are in " + PAGE, MARGIN, y + 8, Ink.plain(12),
          theme.faint);
    return ink.image;
  }

  private double barRow(int first) { return Math.max(bars.get(first).height(), first + 1 < bars.size() ? bars.get(first
      + 1).height() : 0); }

  private static Ink panel(Ink ink, double x, double y, double w, double h) {
    ink.stroke(new RoundRectangle2D.Double(x, y, w, h, 14, 14), ink.theme.grid, 1);
    return ink;
  }

  private static void tile(Ink ink, Figure figure, double x, double y) {
    var theme = ink.theme;
    double room = TILE_WIDTH - 28;
    ink.fill(x, y, TILE_WIDTH, TILE, 7, theme.panel);
    String value = ink.fit(figure.bare(figure.value()), room, Ink.bold(21));
    ink.text(value, x + 14, y + 31, Ink.bold(21), theme.ink);
    double unitAt = ink.width(value, Ink.bold(21)) + 6;
    ink.text(ink.fit(figure.unit(), room - unitAt, Ink.plain(12)), x + 14 + unitAt, y + 31, Ink.plain(12), theme.faint);
    ink.text(ink.fit(figure.name(), room, Ink.plain(11.5)), x + 14, y + 52, Ink.plain(11.5), theme.ink);
    if (figure.chance().isPresent())
      ink.text("chance " + figure.chanceText(), x + 14, y + 69, Ink.plain(11), theme.faint);
  }
}
