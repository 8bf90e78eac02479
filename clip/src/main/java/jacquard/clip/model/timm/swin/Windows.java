package jacquard.clip.model.timm.swin;

import jacquard.tensor.Grid;

/// A feature map cut into windows, rolled by `shiftRows` and `shiftColumns` cells before. Where the windows do not fit,
/// rows of zeros follow, which take part.
///
/// The windows at the end of an axis that is rolled hold cells that were not neighbours: those do not see each other.
/// By that there are four kinds of windows: bit 1 the last row of windows, bit 0 the last column, where rolled.
///
/// @param size cells of a window
record Windows(Grid grid, Grid size, int shiftRows, int shiftColumns) {
  static final int KINDS = 4;
  // what is added to a score, in timm as in the paper's own code
  private static final float UNSEEN = -100;

  /// Windows no larger than the grid; an axis that one fills is not rolled.
  static Windows of(Grid grid, int side, boolean shifted) {
    var size = new Grid(Math.min(side, grid.height()), Math.min(side, grid.width()));
    return new Windows(grid, size, shifted && grid.height() > side ? side / 2 : 0, shifted && grid.width() > side
        ? side / 2 : 0);
  }

  private int down() { return Math.ceilDiv(grid.height(), size.height()); }
  private int across() { return Math.ceilDiv(grid.width(), size.width()); }

  /// How many windows of a kind a map has.
  int count(int kind) {
    int rows = shiftRows == 0 ? down() : down() - 1, columns = shiftColumns == 0 ? across() : across() - 1;
    return ((kind & 2) == 0 ? rows : down() - rows) * ((kind & 1) == 0 ? columns : across() - columns);
  }

  private int kind(int row, int column) {
    return (shiftRows > 0 && row == down() - 1 ? 2 : 0) + (shiftColumns > 0 && column == across() - 1 ? 1 : 0);
  }

  /// For each cell of each window the row of the maps that it is; −1 for a row of zeros. Kind by kind, then map by map.
  int[] sources(int maps) {
    int[] r = new int[maps * down() * across() * size.size()];
    int at = 0;
    for (int kind = 0; kind < KINDS; kind++)
      for (int map = 0; map < maps; map++)
        for (int w = 0; w < down() * across(); w++)
          if (kind(w / across(), w % across()) == kind)
            for (int c = 0; c < size.size(); c++)
              r[at++] = row(map, w / across() * size.height() + c / size.width(),
                  w % across() * size.width() + c % size.width());
    return r;
  }

  private int row(int map, int y, int x) {
    if (y >= grid.height() || x >= grid.width()) return -1;
    return (map * grid.height() + (y + shiftRows) % grid.height()) * grid.width() + (x + shiftColumns) % grid.width();
  }

  /// For each row of the maps where it lies among the windows' cells.
  static int[] back(int[] sources, int rows) {
    int[] r = new int[rows];
    for (int i = 0; i < sources.length; i++) if (sources[i] >= 0) r[sources[i]] = i;
    return r;
  }

  /// What is added to the scores in windows of a kind: `[cells, cells]`.
  float[] mask(int kind) {
    int n = size.size();
    float[] r = new float[n * n];
    for (int i = 0; i < r.length; i++) r[i] = region(kind, i / n) == region(kind, i % n) ? 0 : UNSEEN;
    return r;
  }

  private int region(int kind, int cell) {
    int y = cell / size.width(), x = cell % size.width();
    return ((kind & 2) != 0 && y >= size.height() - shiftRows ? 2 : 0)
        + ((kind & 1) != 0 && x >= size.width() - shiftColumns ? 1 : 0);
  }

  /// How many relative positions there are.
  int offsets() { return (2 * size.height() - 1) * (2 * size.width() - 1); }

  /// Which of them lies between query and key: `[cells, cells]`.
  int[] relative() {
    int n = size.size();
    int[] r = new int[n * n];
    for (int i = 0; i < r.length; i++) {
      int q = i / n, k = i % n;
      int y = q / size.width() - k / size.width() + size.height() - 1, x =
          q % size.width() - k % size.width() + size.width() - 1;
      r[i] = y * (2 * size.width() - 1) + x;
    }
    return r;
  }
}
