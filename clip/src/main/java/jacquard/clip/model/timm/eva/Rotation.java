package jacquard.clip.model.timm.eva;

import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.List;

/// Rotary positions on a grid (Su et al. 2021): pairs of neighbouring channels of a head turn by an angle. The first half of the pairs follows one
/// axis, the other half the other: angle = t·10000^(−i/n), n pairs an axis, t = (index + offset)/extent·reference.
///
/// @param cosine,sine of each row and pair of a head, `[rows, heads, channels/2]`
record Rotation(Tensor cosine, Tensor sine, int heads) {
  /// @param reference the extent that indices are stretched to
  /// @param columnsFirst whether the first half of the pairs follows columns, not rows
  record Rule(int reference, int offset, boolean columnsFirst) {}

  /// @param prefix rows of a sequence that lie nowhere and are not rotated
  static Rotation of(Rule rule, Grid grid, Sequences sequences, int prefix, int heads, int width) {
    int pairs = width / heads / 2, each = pairs / 2, rows = sequences.rows();
    float[] cosine = new float[rows * heads * pairs], sine = new float[cosine.length];
    for (int r = 0; r < rows; r++) {
      int cell = sequences.positions()[r] - prefix;
      double y = (double) (cell / grid.width() + rule.offset) / grid.height() * rule.reference;
      double x = (double) (cell % grid.width() + rule.offset) / grid.width() * rule.reference;
      for (int p = 0; p < pairs; p++) {
        double t = p < each == rule.columnsFirst ? x : y, angle = cell < 0 ? 0 : t * Math.pow(10000, -(p % each) / (double) each);
        for (int h = 0; h < heads; h++) {
          cosine[(r * heads + h) * pairs + p] = (float) Math.cos(angle);
          sine[(r * heads + h) * pairs + p] = (float) Math.sin(angle);
        }
      }
    }
    var shape = Shape.of(rows, heads * pairs, 1);
    return new Rotation(Tensor.of(shape, cosine), Tensor.of(shape, sine), heads);
  }

  /// The rotation of some rows.
  Rotation of(int[] rows) {
    int n = cosine.dim(1);
    return new Rotation(picked(cosine, rows, n), picked(sine, rows, n), heads);
  }

  private static Tensor picked(Tensor t, int[] rows, int n) { return t.reshape(t.dim(0), n).gather(rows).reshape(rows.length, n, 1); }

  /// (a, b) → (a·cos − b·sin, b·cos + a·sin), pair by pair. `[rows, width]`
  Tensor apply(Tensor x) {
    int rows = x.dim(0), width = x.dim(1);
    var pairs = x.reshape(rows, width / 2, 2).split(2, 1, 1);
    Tensor a = pairs.get(0), b = pairs.get(1);
    return Tensor.concat(2, List.of(a.mul(cosine).subtract(b.mul(sine)), b.mul(cosine).add(a.mul(sine)))).reshape(rows, width);
  }
}
