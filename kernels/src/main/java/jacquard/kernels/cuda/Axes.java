package jacquard.kernels.cuda;

import jacquard.tensor.Layout;
import jacquard.tensor.Shape;
import jacquard.tensor.op.Op;
import java.util.Arrays;

/// The axes that two layouts of one shape are walked along, neighbours merged wherever both layouts allow: their
/// extents and strides.
public record Axes(int[] dims, int[] first, int[] second) {
  /// As many as the kernels' argument structs hold.
  public static final int MOST = 6;
  public static final Axes NONE = new Axes(new int[0], new int[0], new int[0]);

  public int rank() { return dims.length; }

  public static Axes merged(Op op, Shape shape, Layout a, Layout b) {
    int rank = shape.rank(), n = 0;
    int[] d = new int[rank + 1], x = new int[rank + 1], y = new int[rank + 1];
    for (int i = 0; i < rank; i++) {
      if (shape.dim(i) == 1) continue;
      int as = a.strides()[i], bs = b.strides()[i], extent = shape.dim(i);
      if (n > 0 && x[n - 1] == as * extent && y[n - 1] == bs * extent) {
        d[n - 1] *= extent;
        x[n - 1] = as;
        y[n - 1] = bs;
      } else {
        d[n] = extent;
        x[n] = as;
        y[n++] = bs;
      }
    }
    if (n == 0) d[n++] = 1;                                                    // a single element
    if (n > MOST)
      throw new IllegalArgumentException((op == null ? "a copy" : op) + " of " + shape + ": " + n
          + " axes that cannot be merged, CUDA kernels take " + MOST);
    return new Axes(Arrays.copyOf(d, n), Arrays.copyOf(x, n), Arrays.copyOf(y, n));
  }
}
