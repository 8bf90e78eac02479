package jacquard.clip.report;

import java.awt.image.BufferedImage;
import java.util.List;

/// Pictures in rows, each with a line of text below it, and a heading a column.
///
/// @param title    what is shown
/// @param headings of the columns
/// @param rows     as many shots as there are headings, or fewer
public record ContactSheet(String title, List<String> headings, List<List<Shot>> rows) {
  private static final double GAP = 10, MARGIN = 16, CELL = 112, LINE = 16, TOP = 56;

  /// @param image of any size and shape
  public record Shot(BufferedImage image, String text) {}

  public ContactSheet {
    headings = List.copyOf(headings);
    rows = rows.stream().map(List::copyOf).toList();
  }

  /// As a PNG file.
  public byte[] png() { return Ink.png(draw(Theme.LIGHT)); }

  BufferedImage draw(Theme theme) {
    double width = 2 * MARGIN + headings.size() * (CELL + GAP) - GAP, each = CELL + LINE + GAP;
    var ink = new Ink(Math.max(320, width), TOP + rows.size() * each + MARGIN, theme);
    ink.text(ink.fit(title, width - 2 * MARGIN, Ink.bold(14)), MARGIN, 24, Ink.bold(14), theme.ink);
    for (int i = 0; i < headings.size(); i++)
      ink.text(ink.fit(headings.get(i), CELL, Ink.plain(10.5)), MARGIN + i * (CELL + GAP), 46, Ink.plain(10.5),
          theme.faint);
    double y = TOP;
    for (var row : rows) {
      for (int i = 0; i < row.size(); i++) {
        double x = MARGIN + i * (CELL + GAP);
        ink.fill(x, y, CELL, CELL, 0, theme.panel);
        ink.image(row.get(i).image, x, y, CELL);
        ink.text(ink.fit(row.get(i).text, CELL, Ink.plain(10)), x, y + CELL + 12, Ink.plain(10), theme.ink);
      }
      y += each;
    }
    return ink.image;
  }
}
