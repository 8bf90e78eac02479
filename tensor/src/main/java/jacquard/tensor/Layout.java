package jacquard.tensor;

import java.util.Arrays;
import java.util.List;

/// Where the elements of a tensor lie in its storage: element `(i, j, …)` is at
/// `offset + i·strides[0] + j·strides[1] + …`. Views are arithmetic on layouts; nothing is copied. Strides and offset
/// count elements, not bytes.
public record Layout(Shape shape, int[] strides, int offset) {

  /// Row-major without gaps, from the storage's first element.
  public static Layout dense(Shape shape) {
    int[] s = new int[shape.rank()];
    long step = 1;
    for (int a = s.length - 1; a >= 0; a--) {
      s[a] = (int) step;
      step *= Math.max(1, shape.dim(a));
    }
    if (step > Integer.MAX_VALUE - 16)
      throw new IllegalArgumentException("shape " + shape + " has more elements than an array can hold");
    return new Layout(shape, s, 0);
  }

  /// Whether the elements are row-major without gaps (axes of extent 1 do not count).
  public boolean dense() {
    int step = 1;
    for (int a = strides.length - 1; a >= 0; a--) {
      if (shape.dim(a) != 1 && strides[a] != step) return shape.size() == 0;
      step *= shape.dim(a);
    }
    return true;
  }

  public Layout withOffset(int offset) { return new Layout(shape, strides, offset); }

  public Layout permute(int... axes) {
    int[] d = new int[axes.length], s = new int[axes.length];
    for (int a = 0; a < axes.length; a++) {
      d[a] = shape.dim(axes[a]);
      s[a] = strides[axes[a]];
    }
    return new Layout(Shape.of(d), s, offset);
  }

  /// Elements `from` (inclusive) to `to` (exclusive) of one axis.
  public Layout slice(int axis, int from, int to) {
    // nothing lies nowhere: no offset past the end
    return new Layout(shape.with(axis, to - from), strides, to == from ? offset : offset + from * strides[axis]);
  }

  /// The whole of which these, one after another along an axis, are the parts, or null where they do not adjoin.
  static Layout joined(int axis, List<Layout> parts) {
    Layout whole = null;
    for (var p : parts) {
      if (p.shape.size() == 0) continue;
      if (whole == null) whole = p;
      else if (Arrays.equals(p.strides, whole.strides)
          && p.offset == whole.offset + whole.shape.dim(axis) * whole.strides[axis])
        whole = new Layout(whole.shape.with(axis, whole.shape.dim(axis) + p.shape.dim(axis)), whole.strides,
        whole.offset);
      else return null;
    }
    return whole;
  }

  /// Repeats axes of extent 1 (and adds leading ones) without copying: their stride is 0.
  public Layout expand(Shape to) {
    int[] s = new int[to.rank()];
    int lead = to.rank() - shape.rank();
    for (int a = lead; a < s.length; a++) s[a] = shape.dim(a - lead) == 1 ? 0 : strides[a - lead];
    return new Layout(to, s, offset);
  }

  /// The same elements under another shape, or null where that needs a copy.
  public Layout reshape(Shape to) {
    if (dense()) {
      var d = dense(to);
      return new Layout(to, d.strides, offset);
    }
    int[] s = new int[to.rank()];
    int from = 0, into = 0;                              // groups of axes with equal products map to each other
    while (from < shape.rank() || into < to.rank()) {
      int f = from, t = into;
      long x = from < shape.rank() ? shape.dim(from++) : 1, y = into < to.rank() ? to.dim(into++) : 1;
      while (x != y) {
        if (x < y) { if (from == shape.rank()) return null; x *= shape.dim(from++); }
        else { if (into == to.rank()) return null; y *= to.dim(into++); }
      }
      for (int a = f; a + 1 < from; a++)
        if (shape.dim(a) != 1 && strides[a] != strides[a + 1] * shape.dim(a + 1)) return null;
      int step = from > f ? strides[from - 1] : 1;
      for (int a = into - 1; a >= t; a--) { s[a] = step; step *= to.dim(a); }
    }
    return new Layout(to, s, offset);
  }

  @Override public boolean equals(Object o) {
    return o instanceof Layout l && shape.equals(l.shape) && offset == l.offset && Arrays.equals(strides, l.strides);
  }
  @Override public int hashCode() { return 31 * (31 * shape.hashCode() + Arrays.hashCode(strides)) + offset; }
  @Override public String toString() { return shape + " strides " + Arrays.toString(strides) + " from " + offset; }
}
