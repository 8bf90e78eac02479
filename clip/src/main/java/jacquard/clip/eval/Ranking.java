package jacquard.clip.eval;

import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.stream.IntStream;

/// The candidates that stand highest for each query, both ways: for each row of A·Bᵀ the best columns, for each column
/// the best rows. The product is made in tiles by the device, so that memory is O((n + m)·k) beside the features,
/// whatever n·m is. Of equal cosines the lowest index wins.
public final class Ranking {
  private static final int ROWS = 256, COLUMNS = 4096;
  private final TopK columns, rows;

  private Ranking(TopK columns, TopK rows) {
    this.columns = columns;
    this.rows = rows;
  }

  /// @param a,b features `[n, d]` and `[m, d]`
  /// @param k   how many are kept of each row and column
  public static Ranking of(float[][] a, float[][] b, int k, Device device) {
    var r = new Ranking(new TopK(a.length, Math.min(k, b.length)), new TopK(b.length, Math.min(k, a.length)));
    tiles(a, b, device, (scores, row, n, column, m) -> {
      IntStream.range(0, n).parallel().forEach(i -> {
        for (int j = 0; j < m; j++) r.columns.offer(row + i, column + j, scores[i * m + j]);
      });
      IntStream.range(0, m).parallel().forEach(j -> {
        for (int i = 0; i < n; i++) r.rows.offer(column + j, row + i, scores[i * m + j]);
      });
    });
    return r;
  }

  /// The same of cosines that are there, `[n][m]`.
  public static Ranking of(float[][] scores, int k) {
    int n = scores.length, m = scores[0].length;
    var r = new Ranking(new TopK(n, Math.min(k, m)), new TopK(m, Math.min(k, n)));
    for (int i = 0; i < n; i++)
      for (int j = 0; j < m; j++) {
        r.columns.offer(i, j, scores[i][j]);
        r.rows.offer(j, i, scores[i][j]);
      }
    return r;
  }

  /// All cosines, `[n][m]`: for few of them.
  public static float[][] scores(float[][] a, float[][] b, Device device) {
    var r = new float[a.length][b.length];
    tiles(a, b, device, (scores, row, n, column, m) -> {
      for (int i = 0; i < n; i++) System.arraycopy(scores, i * m, r[row + i], column, m);
    });
    return r;
  }

  private interface Tile { void take(float[] scores, int row, int rows, int column, int columns); }

  /// Rows go down before columns go right, so that every row and every column sees its candidates in ascending order.
  private static void tiles(float[][] a, float[][] b, Device device, Tile tile) {
    for (int column = 0; column < b.length; column += COLUMNS) {
      int m = Math.min(COLUMNS, b.length - column);
      try (var _ = Scope.open(device)) {
        var right = matrix(b, column, m);                                         // [m, d]
        for (int row = 0; row < a.length; row += ROWS) {
          int n = Math.min(ROWS, a.length - row);
          float[] scores;
          try (var _ = Scope.open()) { scores = matrix(a, row, n).matmul(false, right, true).floats(); }     // [n, m]
          tile.take(scores, row, n, column, m);
        }
      }
    }
  }

  private static Tensor matrix(float[][] features, int from, int count) {
    int d = features[from].length;
    var all = new float[count * d];
    for (int i = 0; i < count; i++) System.arraycopy(features[from + i], 0, all, i * d, d);
    return Tensor.of(Shape.of(count, d), all);
  }

  /// Whether a column is right for a row.
  @FunctionalInterface public interface Match { boolean of(int row, int column); }

  private boolean rowHit(Match right, int i, int k) { return columns.best(i, k).anyMatch(j -> right.of(i, j)); }

  private boolean columnHit(Match right, int j, int k) { return rows.best(j, k).anyMatch(i -> right.of(i, j)); }

  /// The share of rows that have a right column among their best `k`.
  public double rowRecall(Match right, int k) {
    int n = columns.queries();
    return IntStream.range(0, n).filter(i -> rowHit(right, i, k)).count() / (double) n;
  }

  /// Whether each row has a right column among its best `k`.
  public boolean[] rowHits(Match right, int k) {
    var r = new boolean[columns.queries()];
    for (int i = 0; i < r.length; i++) r[i] = rowHit(right, i, k);
    return r;
  }

  /// Whether each column has a right row among its best `k`.
  public boolean[] columnHits(Match right, int k) {
    var r = new boolean[rows.queries()];
    for (int j = 0; j < r.length; j++) r[j] = columnHit(right, j, k);
    return r;
  }

  /// The share of some columns that have a right row among their best `k`.
  public double columnRecall(int[] some, Match right, int k) {
    return IntStream.of(some).filter(j -> columnHit(right, j, k)).count() / (double) some.length;
  }
}
