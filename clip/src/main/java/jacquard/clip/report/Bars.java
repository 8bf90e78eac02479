package jacquard.clip.report;

import java.awt.image.BufferedImage;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;

/// Ranked bars, the greatest value first, with reference lines such as a baseline, a target or chance.
///
/// @param title  what is shown
/// @param bars   the values in any order; those that are no numbers come last, without a bar
/// @param levels vertical reference lines
/// @param share  whether the values are shares of one, to be shown in percent
public record Bars(String title, List<Bar> bars, List<Chart.Level> levels, boolean share) {
  /// One bar.
  ///
  /// @param label       whose value it is
  /// @param value       the value
  /// @param highlighted whether it is the one that the picture is about
  public record Bar(String label, double value, boolean highlighted) { }

  private static final double ROW = 24;

  public Bars {
    bars = bars.stream().sorted(Comparator.comparingDouble((Bar b) -> Double.isNaN(b.value)
        ? Double.POSITIVE_INFINITY : -b.value)).toList();
    levels = List.copyOf(levels);
  }

  /// The picture, `2·width` pixels wide and as high as it needs to be.
  public BufferedImage draw(int width, Theme theme) {
    var ink = new Ink(width, height(), theme);
    draw(ink, 0, 0, width);
    return ink.image;
  }

  double height() { return (levels.isEmpty() ? 44 : 62) + ROW * Math.max(1, bars.size()) + 14; }

  void draw(Ink ink, double left, double top, double width) {
    var theme = ink.theme;
    var label = Ink.plain(12);
    ink.text(ink.fit(title, width - 32, Ink.bold(14)), left + 16, top + 24, Ink.bold(14), theme.ink);
    double[] values = DoubleStream.concat(bars.stream().mapToDouble(Bar::value),
        levels.stream().mapToDouble(Chart.Level::value))
        .filter(Double::isFinite).toArray();
    var axis = Axis.linear(Math.min(0, DoubleStream.of(values).min().orElse(0)),
        Math.max(0, DoubleStream.of(values).max().orElse(1)), 4,
        false);
    double longest = bars.stream().mapToDouble(b -> ink.width(b.label, Ink.bold(12))).max().orElse(0), names =
        Math.min(width * 0.4,
        longest) + 28;
    double numbers = bars.stream().mapToDouble(b -> ink.width(show(b.value), Ink.bold(12))).max().orElse(0) + 24;
    double plotLeft = left + names, plotWidth = Math.max(1, width - names - numbers), first =
        top + (levels.isEmpty() ? 40 : 58);
    double zero = plotLeft + Math.clamp(axis.at(0), 0, 1) * plotWidth;
    for (int i = 0; i < bars.size(); i++) {
      var bar = bars.get(i);
      double y = first + i * ROW;
      var font = bar.highlighted ? Ink.bold(12) : label;
      ink.text(ink.fit(bar.label, names - 28, font), plotLeft - 10, y + 16, font, theme.ink, Ink.Align.RIGHT);
      ink.fill(plotLeft, y + 4, plotWidth, ROW - 8, 3, theme.panel);
      double end = Double.isNaN(bar.value) ? zero : plotLeft + Math.clamp(axis.at(bar.value), 0, 1) * plotWidth;
      ink.fill(Math.min(zero, end), y + 4, Math.abs(end - zero), ROW - 8, 3, bar.highlighted ? theme.colour(0)
          : Theme.fade(theme.colour(0),
          0.45));
      ink.text(show(bar.value), plotLeft + plotWidth + 8, y + 16, font, bar.highlighted ? theme.ink : theme.faint);
    }
    if (bars.isEmpty()) ink.text("no values", left + 16, first + 16, label, theme.faint);
    levels(ink, axis, plotLeft, plotWidth, first);
  }

  private void levels(Ink ink, Axis axis, double plotLeft, double plotWidth, double first) {
    double taken = Double.NEGATIVE_INFINITY;
    var drawn = levels.stream().filter(l -> Double.isFinite(l.value()))
        .sorted(Comparator.comparingDouble(Chart.Level::value)).toList();
    for (var level : drawn) {
      double at = plotLeft + axis.at(level.value()) * plotWidth;
      String text = level.name() + " " + show(level.value());
      double room = ink.width(text, Ink.plain(10.5)), from = Math.clamp(at - room / 2, plotLeft,
          Math.max(plotLeft, plotLeft + plotWidth - room));
      ink.line(at, first, at, first + ROW * Math.max(1, bars.size()), ink.theme.ink, 1.2, 4, 3);
      // A label that would cover its neighbour goes without saying: the line stays.
      if (from > taken) ink.text(text, from, first - 6, Ink.plain(10.5), ink.theme.faint);
      taken = Math.max(taken, from + room + 8);
    }
  }

  private String show(double value) { return share ? Figure.percent(value) : Figure.number(value); }
}
