package jacquard.clip.report;

import java.awt.Color;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoublePredicate;
import java.util.stream.DoubleStream;

/// Curves over steps. Values that have no place (not-a-number, infinite, not positive on a log scale) are gaps in the
/// curve.
///
/// @param title       what is shown
/// @param x           what the horizontal axis counts
/// @param series      the curves, in the order of the legend
/// @param levels      horizontal reference lines, such as the level of chance
/// @param logarithmic whether the vertical axis is a log scale
/// @param smoothing   the weight β of the past in the smoothed curve, from 0 (none) to below 1: `m ← β·m + (1−β)·y`,
///   shown as `m / (1−βⁿ)` so that it does not start at zero (as Adam corrects its moments); the raw curve is then
///   drawn faintly. The mean remembers about `1/(1−β)` points; a curve of less than five times as many would show its
///   lag more than its course and is left as it is, with its points marked if they are few
public record Chart(String title, String x, List<Series> series, List<Level> levels, boolean logarithmic,
    double smoothing) {
  /// A curve: as many abscissas as ordinates.
  public record Series(String name, double[] x, double[] y) {
    public Series {
      if (x.length != y.length)
        throw new IllegalArgumentException("series '" + name + "': " + x.length + " abscissas, " + y.length
          + " ordinates");
      x = x.clone();
      y = y.clone();
    }

    /// A curve over 1, 2, 3, …
    public static Series of(String name, double... y) { return new Series(name, DoubleStream.iterate(1, i -> i
        + 1).limit(y.length).toArray(), y); }

    /// The last value that is a number; NaN if none is.
    double last() {
      for (int i = y.length; i-- > 0; ) if (!Double.isNaN(y[i])) return y[i];
      return Double.NaN;
    }

    Series smooth(double past) {
      double[] smooth = new double[y.length];
      double mean = 0, weight = 0;
      for (int i = 0; i < y.length; i++) {
        if (!Double.isFinite(y[i])) {
          smooth[i] = Double.NaN;
          continue;
        }
        mean = past * mean + (1 - past) * y[i];
        weight = past * weight + (1 - past);
        smooth[i] = mean / weight;
      }
      return new Series(name, x, smooth);
    }
  }

  /// A horizontal line at a value of its own, such as chance or a baseline.
  public record Level(String name, double value) { }

  public static final int WIDTH = 640, HEIGHT = 360;
  private static final int FEW = 40;
  private static final double PLAIN = 11, SMALL = 10.5, HEADING = 14;

  public Chart {
    if (!(smoothing >= 0 && smoothing < 1))
      throw new IllegalArgumentException("smoothing " + smoothing + ": expected from 0 to below 1");
    series = List.copyOf(series);
    levels = List.copyOf(levels);
  }

  public static Chart of(String title, String x, Series... series) {
    return new Chart(title, x, List.of(series), List.of(), false, 0);
  }

  public Chart onLogScale() { return new Chart(title, x, series, levels, true, smoothing); }

  public Chart smoothed(double past) { return new Chart(title, x, series, levels, logarithmic, past); }

  public Chart against(String level, double value) {
    var more = new ArrayList<>(levels);
    more.add(new Level(level, value));
    return new Chart(title, x, series, more, logarithmic, smoothing);
  }

  /// The chart as a picture of `2·width × 2·height` pixels.
  public BufferedImage draw(int width, int height, Theme theme) {
    var ink = new Ink(width, height, theme);
    draw(ink, 0, 0, width, height);
    return ink.image;
  }

  public BufferedImage draw() { return draw(WIDTH, HEIGHT, Theme.LIGHT); }

  void draw(Ink ink, double left, double top, double width, double height) {
    var theme = ink.theme;
    DoublePredicate placed = v -> Double.isFinite(v) && (!logarithmic || v > 0);
    double[] ys = DoubleStream.concat(series.stream().flatMapToDouble(s -> DoubleStream.of(s.y)),
        levels.stream().mapToDouble(Level::value))
        .filter(placed).toArray();
    double[] xs = series.stream().flatMapToDouble(s -> DoubleStream.of(s.x)).filter(Double::isFinite).toArray();

    var shown = series.stream().map(this::smooth).toList();
    ink.text(ink.fit(title, width - 32, Ink.bold(HEADING)), left + 16, top + 24, Ink.bold(HEADING), theme.ink);
    double above = legend(ink, shown, left + 16, top + 43, width - 32) + 16;
    double plotHeight = Math.max(1, top + height - 40 - above);
    int rows = (int) Math.clamp(plotHeight / 45, 2, 8);
    var vertical = logarithmic ? Axis.logarithmic(least(ys, 1), most(ys, 10), rows)
        : Axis.linear(least(ys, 0), most(ys, 1), rows, true);
    double gutter = 26 + vertical.ticks().stream().mapToDouble(t ->
        ink.width(t.label(), Ink.plain(PLAIN))).max().orElse(0);
    double plotLeft = left + gutter, plotWidth = Math.max(1, width - gutter - 20), plotTop = above, bottom =
        plotTop + plotHeight;
    var horizontal = Axis.linear(least(xs, 0), most(xs, 1), (int) Math.clamp(plotWidth / 85, 2, 10), false);

    for (var tick : vertical.ticks()) {
      double y = bottom - vertical.at(tick.value()) * plotHeight;
      ink.line(plotLeft, y, plotLeft + plotWidth, y, theme.grid, 1);
      ink.text(tick.label(), plotLeft - 8, y + 4, Ink.plain(PLAIN), theme.faint, Ink.Align.RIGHT);
    }
    for (var tick : horizontal.ticks()) {
      double at = plotLeft + horizontal.at(tick.value()) * plotWidth;
      ink.line(at, bottom, at, bottom + 4, theme.faint, 1);
      ink.text(tick.label(), at, bottom + 17, Ink.plain(PLAIN), theme.faint, Ink.Align.CENTRE);
    }
    ink.line(plotLeft, bottom, plotLeft + plotWidth, bottom, theme.faint, 1);
    ink.text(x + (logarithmic ? "  (vertical axis: log scale)" : ""), plotLeft + plotWidth / 2, bottom + 33,
        Ink.plain(PLAIN), theme.faint,
        Ink.Align.CENTRE);

    ink.within(plotLeft - 4, plotTop - 4, plotWidth + 8, plotHeight + 8, () -> {
      for (var level : levels) {
        if (!placed.test(level.value)) continue;
        double y = bottom - vertical.at(level.value) * plotHeight;
        ink.line(plotLeft, y, plotLeft + plotWidth, y, theme.faint, 1.2, 4, 4);
        ink.text(level.name + " " + Figure.number(level.value), plotLeft + plotWidth - 2, y - 5 < plotTop + 8 ? y + 13
            : y - 5,
            Ink.plain(SMALL), theme.faint,
            Ink.Align.RIGHT);
      }
      var place = new Place(ink, horizontal, vertical, placed, plotLeft, bottom, plotWidth, plotHeight);
      for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < series.size(); i++) {
          boolean smooth = shown.get(i) != series.get(i);
          if (pass == 0 && smooth) place.curve(series.get(i), Theme.fade(theme.colour(i), 0.28), 1, false);
          if (pass == 1) place.curve(shown.get(i), theme.colour(i), 1.8, !smooth && series.get(i).y.length <= FEW);
        }
      }
    });
    if (series.stream().noneMatch(s -> DoubleStream.of(s.y).anyMatch(placed))) {
      ink.text("no values", plotLeft + plotWidth / 2, plotTop + plotHeight / 2, Ink.plain(13), theme.faint,
          Ink.Align.CENTRE);
    }
  }

  private Series smooth(Series s) {
    return smoothing > 0 && s.y.length >= 5 / (1 - smoothing) ? s.smooth(smoothing) : s;
  }

  /// Writes the legend, each series with the last value of its curve, and answers its lowest line.
  private double legend(Ink ink, List<Series> shown, double left, double top, double width) {
    double at = left, y = top;
    for (int i = 0; i < series.size(); i++) {
      var s = series.get(i);
      String name = ink.fit(s.name, width * 0.6, Ink.plain(PLAIN)), value = Figure.number(shown.get(i).last());
      double nameWidth = ink.width(name, Ink.plain(PLAIN)), room =
          20 + nameWidth + 6 + ink.width(value, Ink.bold(PLAIN));
      if (at > left && at + room > left + width) {
        at = left;
        y += 17;
      }
      ink.fill(at, y - 6, 13, 4, 2, ink.theme.colour(i));
      ink.text(name, at + 19, y, Ink.plain(PLAIN), ink.theme.ink);
      ink.text(value, at + 19 + nameWidth + 6, y, Ink.bold(PLAIN), ink.theme.faint);
      at += room + 20;
    }
    return y;
  }

  private record Place(Ink ink, Axis horizontal, Axis vertical, DoublePredicate placed, double left, double bottom,
      double width,
      double height) {
    /// Strokes each unbroken stretch; a point without neighbours, which has no line, becomes a dot. Of the points that
    /// fall into one pixel column the first, least, greatest and last are kept: a million points look the same and take
    /// no longer.
    void curve(Series series, Color colour, double stroke, boolean dots) {
      var path = new Path2D.Double();
      var column = new Column();
      int run = 0;
      for (int i = 0; i < series.x.length; i++) {
        if (!placed.test(series.y[i]) || !Double.isFinite(series.x[i])) {
          column.flush(path);
          if (run == 1) dot(column.x, column.y, colour, stroke);
          run = 0;
          continue;
        }
        double px = left + horizontal.at(series.x[i]) * width, py = bottom - vertical.at(series.y[i]) * height;
        column.add(path, px, py, run++ == 0);
        if (dots) dot(px, py, colour, stroke);
      }
      column.flush(path);
      if (run == 1) dot(column.x, column.y, colour, stroke);
      ink.stroke(path, colour, stroke);
    }

    private void dot(double x, double y, Color colour, double stroke) {
      ink.fill(new Ellipse2D.Double(x - stroke * 1.4, y - stroke * 1.4, stroke * 2.8, stroke * 2.8), colour);
    }
  }

  private static final class Column {
    double x, y;
    private double low, high;
    private long pixel;
    private int count;

    void add(Path2D path, double px, double py, boolean first) {
      long at = (long) Math.floor(px * Ink.DENSITY);
      if (first || at != pixel) {
        flush(path);
        if (first) path.moveTo(px, py);
        else path.lineTo(px, py);
        pixel = at;
        low = high = py;
        count = 0;
      }
      low = Math.min(low, py);
      high = Math.max(high, py);
      x = px;
      y = py;
      count++;
    }

    void flush(Path2D path) {
      if (count > 2) {
        path.lineTo(x, low);
        path.lineTo(x, high);
      }
      if (count > 1) path.lineTo(x, y);
      count = 0;
    }
  }

  private static double least(double[] values, double otherwise) {
    return DoubleStream.of(values).min().orElse(otherwise);
  }

  private static double most(double[] values, double otherwise) {
    return DoubleStream.of(values).max().orElse(otherwise);
  }
}
