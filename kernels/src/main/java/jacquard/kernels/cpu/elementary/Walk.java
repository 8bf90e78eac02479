package jacquard.kernels.cpu.elementary;

import jacquard.tensor.Layout;
import jacquard.tensor.Shape;
import java.util.Arrays;

/// How to go over layouts of one shape together: row by row of the last axis.
final class Walk {
  /// Elements of a row that was two axes, at most: rows are what threads share.
  private static final int ROW = 4096;

  private Walk() {}

  /// The same elements in the same order by fewer axes: those of one element are gone, and neighbours that adjoin in
  /// every layout are one.
  static Layout[] of(Layout... all) {
    var shape = all[0].shape();
    int rank = shape.rank(), at = rank;
    int[] dims = new int[rank];
    int[][] strides = new int[all.length][rank];
    for (int axis = rank - 1; axis >= 0; axis--) {
      int d = shape.dim(axis);
      if (d == 1) continue;
      boolean one = at < rank && (at < rank - 1 || (long) d * dims[at] <= ROW);
      for (int i = 0; one && i < all.length; i++) one = all[i].strides()[axis] == strides[i][at] * dims[at];
      if (one) dims[at] *= d;
      else {
        dims[--at] = d;
        for (int i = 0; i < all.length; i++) strides[i][at] = all[i].strides()[axis];
      }
    }
    var merged = Shape.of(Arrays.copyOfRange(dims, at, rank));
    var r = new Layout[all.length];
    for (int i = 0; i < r.length; i++)
      r[i] = new Layout(merged, Arrays.copyOfRange(strides[i], at, rank), all[i].offset());
    return r;
  }
}
