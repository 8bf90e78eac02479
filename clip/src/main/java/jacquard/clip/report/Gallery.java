package jacquard.clip.report;

import java.awt.geom.RoundRectangle2D;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Locale;

/// Held-out images as a model ranks them for some captions: for each caption the images ranked first and those ranked
/// last.
///
/// An image among the first has a green frame and a tick if it belongs to the caption, else a red frame and a cross.
/// Among the last an image that does not belong is as it should be and has a grey frame; one that does belong is the
/// mistake, and red.
///
/// @param title what is shown
/// @param rows  the captions
public record Gallery(String title, List<Row> rows) {
  /// A caption with images, each list from the highest score down.
  public record Row(String caption, List<Shot> best, List<Shot> worst) {
    public Row {
      best = List.copyOf(best);
      worst = List.copyOf(worst);
    }
  }

  /// An image with its score.
  ///
  /// @param image   the image, of any size and shape
  /// @param label   what the image shows, in a word or two; may be empty
  /// @param score   how well the model finds that it fits the caption
  /// @param matches whether it belongs to the caption in truth
  public record Shot(BufferedImage image, String label, double score, boolean matches) {
    /// A shot of interleaved RGB bytes `[height, width, 3]`.
    public static Shot of(byte[] rgb, int width, int height, String label, double score, boolean matches) {
      if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
        throw new IllegalArgumentException("image '" + label + "': " + rgb.length + " bytes, expected " + height + "×"
            + width + "×3");
      }
      var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
      for (int y = 0, i = 0; y < height; y++) {
        for (int x = 0; x < width; x++, i += 3)
          image.setRGB(x, y, (rgb[i] & 0xff) << 16 | (rgb[i + 1] & 0xff) << 8 | rgb[i + 2] & 0xff);
      }
      return new Shot(image, label, score, matches);
    }
  }

  enum Verdict {
    RIGHT, WRONG, EXPECTED;

    static Verdict of(Shot shot, boolean best) {
      return best ? shot.matches ? RIGHT : WRONG : shot.matches ? WRONG : EXPECTED;
    }
  }

  private static final double GAP = 8, BETWEEN = 28, MARGIN = 16, LARGEST = 96, SMALLEST = 24;

  public Gallery {
    rows = List.copyOf(rows);
  }

  /// The picture at its natural width.
  public BufferedImage draw(Theme theme) {
    double width = Math.max(420, 2 * MARGIN + columns() * (LARGEST + GAP) + BETWEEN);
    var ink = new Ink(width, height(width), theme);
    draw(ink, 0, 0, width);
    return ink.image;
  }

  private int best() { return rows.stream().mapToInt(r -> r.best.size()).max().orElse(0); }

  private int columns() { return best() + rows.stream().mapToInt(r -> r.worst.size()).max().orElse(0); }

  // Multiples of 16 points show sprites of 32 pixels without a rim.
  private double cell(double width) {
    double room = (width - 2 * MARGIN - BETWEEN) / Math.max(1, columns()) - GAP;
    return Math.clamp(room >= 32 ? Math.floor(room / 16) * 16 : room, SMALLEST, LARGEST);
  }

  private boolean labelled() { return rows.stream().anyMatch(r -> r.best.stream().anyMatch(s -> !s.label.isBlank())
      || r.worst.stream().anyMatch(s -> !s.label.isBlank())); }

  private double rowHeight(double width) { return 24 + cell(width) + (labelled() ? 30 : 18) + 14; }

  double height(double width) { return 40 + (rows.isEmpty() ? 24 : 18 + rows.size() * rowHeight(width)); }

  void draw(Ink ink, double left, double top, double width) {
    var theme = ink.theme;
    ink.text(ink.fit(title, width - 2 * MARGIN, Ink.bold(14)), left + MARGIN, top + 24, Ink.bold(14), theme.ink);
    if (rows.isEmpty()) {
      ink.text("no captions", left + MARGIN, top + 48, Ink.plain(12), theme.faint);
      return;
    }
    double cell = cell(width), lastAt = left + MARGIN + best() * (cell + GAP) - GAP + BETWEEN;
    var small = Ink.plain(10.5);
    ink.text("ranked first", left + MARGIN, top + 46, small, theme.faint);
    if (columns() > best()) ink.text("ranked last", lastAt, top + 46, small, theme.faint);
    double y = top + 58;
    for (var row : rows) {
      ink.line(left + MARGIN, y - 4, left + width - MARGIN, y - 4, theme.grid, 1);
      ink.text(ink.fit(row.caption, width - 2 * MARGIN, Ink.bold(12)), left + MARGIN, y + 14, Ink.bold(12), theme.ink);
      for (int i = 0; i < row.best.size(); i++)
        shot(ink, row.best.get(i), true, left + MARGIN + i * (cell + GAP), y + 24, cell);
      for (int i = 0; i < row.worst.size(); i++)
        shot(ink, row.worst.get(i), false, lastAt + i * (cell + GAP), y + 24, cell);
      y += rowHeight(width);
    }
  }

  private void shot(Ink ink, Shot shot, boolean best, double x, double y, double cell) {
    var theme = ink.theme;
    var verdict = Verdict.of(shot, best);
    var colour = switch (verdict) { case RIGHT -> theme.right; case WRONG -> theme.wrong; case EXPECTED -> theme.grid;
        };
    ink.fill(x, y, cell, cell, 0, theme.panel);
    ink.image(shot.image, x, y, cell);
    ink.stroke(new RoundRectangle2D.Double(x - 1.25, y - 1.25, cell + 2.5, cell + 2.5, 5, 5), colour, 2.5);
    if (verdict != Verdict.EXPECTED)
      ink.mark(x + cell - 3, y + 3, Math.min(7, cell / 8), verdict == Verdict.RIGHT, colour);
    ink.text(score(shot.score), x + cell / 2, y + cell + 15, Ink.bold(10.5), verdict == Verdict.EXPECTED ? theme.faint
        : colour,
        Ink.Align.CENTRE);
    ink.text(ink.fit(shot.label, cell + GAP - 2, Ink.plain(10)), x + cell / 2, y + cell + 28, Ink.plain(10),
        theme.faint, Ink.Align.CENTRE);
  }

  static String score(double score) {
    return Double.isFinite(score) && Math.abs(score) < 1e4 ? String.format(Locale.ROOT, "%.3f", score)
        : Figure.number(score);
  }
}
