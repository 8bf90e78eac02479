package jacquard.tensor.op;

import jacquard.tensor.Shape;
import jacquard.tensor.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Folds whole axes. Axes may be negative; a kept axis has extent 1.
public sealed interface Reduction extends Op {
  int[] axes();
  boolean keep();

  record Sum(int[] axes, boolean keep) implements Reduction {
    public static Sum all(int rank) { return new Sum(java.util.stream.IntStream.range(0, rank).toArray(), false); }
    @Override public String toString() { return "Sum[axes=" + Arrays.toString(axes) + "]"; }
  }

  record Max(int[] axes, boolean keep) implements Reduction {
    @Override public String toString() { return "Max[axes=" + Arrays.toString(axes) + "]"; }
  }

  /// Whether each axis of a shape of this rank is folded.
  default boolean[] folded(int rank) {
    boolean[] f = new boolean[rank];
    for (int a : axes()) f[a < 0 ? a + rank : a] = true;
    return f;
  }

  @Override default List<Type> infer(List<Type> in) {
    if (!Op.floating(in, 1)) throw Op.mismatch(this, in, "one floating tensor");
    var s = in.getFirst().shape();
    for (int a : axes()) if (a >= s.rank() || a < -s.rank()) throw Op.mismatch(this, in, "axes within " + s);
    boolean[] f = folded(s.rank());
    var d = new ArrayList<Integer>();
    for (int a = 0; a < f.length; a++) if (!f[a]) d.add(s.dim(a)); else if (keep()) d.add(1);
    return List.of(in.getFirst().with(Shape.of(d.stream().mapToInt(i -> i).toArray())));
  }
}
