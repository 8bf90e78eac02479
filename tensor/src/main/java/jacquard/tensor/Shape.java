package jacquard.tensor;

import java.util.Arrays;
import java.util.stream.IntStream;

/// The extents of a tensor, outermost first: `Shape.of(8, 197, 768)` is `[8, 197, 768]`. A scalar is `[]`.
public final class Shape {
  public static final Shape SCALAR = new Shape();
  private final int[] dims;

  private Shape(int... dims) { this.dims = dims; }

  public static Shape of(int... dims) {
    for (int d : dims)
      if (d < 0) throw new IllegalArgumentException("shape " + Arrays.toString(dims) + ": an extent is negative");
    return dims.length == 0 ? SCALAR : new Shape(dims.clone());
  }

  public int rank() { return dims.length; }

  /// The extent of an axis; negative axes count from the end.
  public int dim(int axis) {
    int a = axis < 0 ? axis + dims.length : axis;
    if (a < 0 || a >= dims.length) throw new IllegalArgumentException("axis " + axis + " of shape " + this);
    return dims[a];
  }

  /// How many elements: the product of the extents.
  public long size() {
    long n = 1;
    for (int d : dims) n = Math.multiplyExact(n, (long) d);
    return n;
  }

  public int[] dims() { return dims.clone(); }

  public IntStream stream() { return Arrays.stream(dims); }

  /// The same shape with one extent replaced.
  public Shape with(int axis, int extent) {
    int[] d = dims.clone();
    d[axis < 0 ? axis + d.length : axis] = extent;
    return of(d);
  }

  @Override public boolean equals(Object o) { return o instanceof Shape s && Arrays.equals(dims, s.dims); }
  @Override public int hashCode() { return Arrays.hashCode(dims); }
  @Override public String toString() { return Arrays.toString(dims); }
}
