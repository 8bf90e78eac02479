package jacquard.tests.reference;

import jacquard.tensor.Shape;
import java.util.function.IntFunction;

/// A tensor of [Real]s, row-major.
public record Exact(Shape shape, Real[] at) {
  public static Exact of(Shape shape, IntFunction<Real> f) {
    var r = new Real[Math.toIntExact(shape.size())];
    for (int i = 0; i < r.length; i++) r[i] = f.apply(i);
    return new Exact(shape, r);
  }

  public int size() { return at.length; }
  public int dim(int axis) { return shape.dim(axis); }
  public Real get(int i) { return at[i]; }
  public Real get(int row, int column) { return at[row * shape.dim(1) + column]; }
  public int integer(int i) { return (int) at[i].value(); }
  public Real scalar() { return at[0]; }

  /// The index of element `i` along each axis.
  static int[] place(Shape s, int i) {
    int[] p = new int[s.rank()];
    for (int a = p.length - 1; a >= 0; a--) {
      p[a] = i % s.dim(a);
      i /= s.dim(a);
    }
    return p;
  }

  /// The number of the element at a place; axes of extent 1 and missing leading ones repeat.
  static int number(Shape s, int[] place) {
    int n = 0, lead = place.length - s.rank();
    for (int a = 0; a < s.rank(); a++) n = n * s.dim(a) + (s.dim(a) == 1 ? 0 : place[a + lead]);
    return n;
  }
}
