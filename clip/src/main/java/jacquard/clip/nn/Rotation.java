package jacquard.clip.nn;

import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.List;

/// Rotary positions (Su et al. 2021): pairs of neighbouring channels of a head turn by an angle.
///
/// @param cosine,sine of each row and pair, `[rows, heads·pairs, 1]`
public record Rotation(Tensor cosine, Tensor sine) {
  /// The angle of a row's pair, the same in all heads.
  @FunctionalInterface
  public interface Angle { double of(int row, int pair); }

  public static Rotation of(int rows, int heads, int pairs, Angle angle) {
    float[] cosine = new float[rows * heads * pairs], sine = new float[cosine.length];
    for (int r = 0; r < rows; r++)
      for (int p = 0; p < pairs; p++) {
        double a = angle.of(r, p);
        for (int h = 0; h < heads; h++) {
          cosine[(r * heads + h) * pairs + p] = (float) Math.cos(a);
          sine[(r * heads + h) * pairs + p] = (float) Math.sin(a);
        }
      }
    var shape = Shape.of(rows, heads * pairs, 1);
    return new Rotation(Tensor.of(shape, cosine), Tensor.of(shape, sine));
  }

  /// The rotation of some rows.
  public Rotation of(int[] rows) { return new Rotation(picked(cosine, rows), picked(sine, rows)); }

  private static Tensor picked(Tensor t, int[] rows) {
    int n = t.dim(1);
    return t.reshape(t.dim(0), n).gather(rows).reshape(rows.length, n, 1);
  }

  /// (a, b) → (a·cos − b·sin, b·cos + a·sin), pair by pair. `[rows, width]`
  public Tensor apply(Tensor x) {
    int rows = x.dim(0), width = x.dim(1);
    var pairs = x.reshape(rows, width / 2, 2).split(2, 1, 1);
    Tensor a = pairs.get(0), b = pairs.get(1);
    return Tensor.concat(2, List.of(a.mul(cosine).subtract(b.mul(sine)), b.mul(cosine).add(a.mul(sine)))).reshape(rows, width);
  }
}
