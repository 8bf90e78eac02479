package jacquard.clip.report;

import java.awt.Color;
import java.util.List;

/// The colours of a picture: on white paper or on a dark screen.
public enum Theme {
  LIGHT(0xffffff, 0x1f2430, 0x6b7280, 0xe6e8ec, 0xf5f6f8, 0x23915f, 0xcf4b4b,
      List.of(0x2f6db5, 0xd9792b, 0x2b9077, 0x8b5fb4, 0xc4506e, 0x4a9fb8, 0x94803a, 0x7a828e)),
  DARK(0x171a21, 0xe7e9ee, 0x9aa1ad, 0x2e333d, 0x20242d, 0x44b981, 0xe8706d,
      List.of(0x6aa5e8, 0xeb9f5c, 0x58bfa3, 0xb592dc, 0xe5839e, 0x7cc5db, 0xc4b06a, 0xa3abb8));

  final Color paper, ink, faint, grid, panel, right, wrong;
  private final List<Color> colours;

  Theme(int paper, int ink, int faint, int grid, int panel, int right, int wrong, List<Integer> colours) {
    this.paper = new Color(paper);
    this.ink = new Color(ink);
    this.faint = new Color(faint);
    this.grid = new Color(grid);
    this.panel = new Color(panel);
    this.right = new Color(right);
    this.wrong = new Color(wrong);
    this.colours = colours.stream().map(Color::new).toList();
  }

  /// The colour of the i-th series.
  Color colour(int i) { return colours.get(i % colours.size()); }

  static Color fade(Color colour, double opacity) {
    return new Color(colour.getRed(), colour.getGreen(), colour.getBlue(), (int) Math.round(255 * opacity));
  }
}
