package jacquard.clip.model.genlip;

import jacquard.clip.nn.transformer.Rotation;
import jacquard.tensor.Grid;

/// Where rows lie, on the axes time, row and column.
final class Rows {
  private final int[][] places;
  private int n;

  Rows(int rows) { places = new int[rows][]; }

  /// A picture's patches: no time passes.
  void patches(Grid g) { for (int y = 0; y < g.height(); y++) for (int x = 0; x < g.width(); x++) places[n++] =
      new int[] {0, y, x}; }

  /// A place without a patch lies where the first does.
  void empty() { places[n++] = new int[3]; }

  /// A word, which goes on along all axes.
  void word(int at) { places[n++] = new int[] {at, at, at}; }

  Rotation rotation(GenLipConfig c) {
    return Rotation.of(n, c.heads(), c.head() / 2, (row, pair) -> places[row][c.axis(pair)] * c.frequency(pair))
        .halves();
  }
}
