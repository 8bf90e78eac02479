package jacquard.clip.nn.transformer;

import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.List;

/// Rotary positions (Su et al. 2021): pairs of channels of a head turn by an angle.
///
/// @param cosine,sine of each row and pair, `[rows, heads·pairs, 1]`
/// @param apart how far the channels of a pair lie apart: neighbours, or half a head
public record Rotation(Tensor cosine, Tensor sine, int pairs, int apart) {
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
    return new Rotation(Tensor.of(shape, cosine), Tensor.of(shape, sine), pairs, 1);
  }

  /// The rotation of some rows.
  public Rotation of(int[] rows) { return new Rotation(picked(cosine, rows), picked(sine, rows), pairs, apart); }

  /// The same, where a pair is a channel of a head's first half and its counterpart in the second.
  public Rotation halves() { return new Rotation(cosine, sine, pairs, pairs); }

  private static Tensor picked(Tensor t, int[] rows) {
    int n = t.dim(1);
    return t.reshape(t.dim(0), n).gather(rows).reshape(rows.length, n, 1);
  }

  /// (a, b) → (a·cos − b·sin, b·cos + a·sin), pair by pair. `[rows, width]`
  public Tensor apply(Tensor x) {
    var shape = apart == 1 ? Shape.of(x.dim(0), x.dim(1) / 2, 2) : Shape.of(x.dim(0) * x.dim(1) / 2 / pairs, 2, pairs);
    int axis = apart == 1 ? 2 : 1;
    var halves = x.reshape(shape).split(axis, 1, 1);
    Tensor a = halves.get(0), b = halves.get(1), c = cosine.reshape(a.shape()), s = sine.reshape(a.shape());
    return Tensor.concat(axis, List.of(a.mul(c).subtract(b.mul(s)), b.mul(c).add(a.mul(s)))).reshape(x.shape());
  }
}
