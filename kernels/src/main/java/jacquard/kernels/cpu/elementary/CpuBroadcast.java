package jacquard.kernels.cpu.elementary;

import static jacquard.kernels.cpu.Simd.F;
import static jacquard.kernels.cpu.Simd.LANES;
import static jdk.incubator.vector.FloatVector.fromArray;

import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.matmul.CpuLinear;
import jacquard.tensor.Layout;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Elementwise;
import jdk.incubator.vector.VectorShuffle;

/// Binary ops with NumPy's broadcasting: a walk over the rows of the result, the last axis in vectors, or in a plain
/// loop by its strides.
final class CpuBroadcast {
  /// Of two vectors as one.
  private static final VectorShuffle<Float> EVERY_2ND = VectorShuffle.fromOp(F, i -> 2 * i);

  private CpuBroadcast() {}

  static void run(Elementwise.Binary op, Tensor a, Tensor b, Tensor out) {
    if (out.shape().size() == 0) return;
    if (!(out.storage().block() instanceof float[] y))
      throw new IllegalArgumentException(op + " of " + a.type() + ": arithmetic is for floating tensors");
    float[] x = CpuLinear.array(a), z = CpuLinear.array(b);
    if (a.shape().equals(b.shape()) && a.layout().dense() && b.layout().dense()) {
      int ao = a.layout().offset(), bo = b.layout().offset();
      Parallel.rows((int) out.shape().size(), 16384,
          (from, to) -> row(op, x, ao + from, 1, z, bo + from, 1, y, from, to - from));
      return;
    }
    var walk = Walk.of(Layout.dense(out.shape()), a.layout().expand(out.shape()), b.layout().expand(out.shape()));
    Layout la = walk[1], lb = walk[2];
    int rank = la.shape().rank();
    int width = rank == 0 ? 1 : la.shape().dim(-1);
    int rows = (int) (out.shape().size() / width);
    int sa = rank == 0 ? 1 : la.strides()[rank - 1], sb = rank == 0 ? 1 : lb.strides()[rank - 1];
    Parallel.rows(rows, Math.max(1, 16384 / width), (from, to) -> {
      for (int r = from; r < to; r++) row(op, x, at(la, r), sa, z, at(lb, r), sb, y, r * width, width);
    });
  }

  /// Where row `r` of all but the last axis begins.
  static int at(Layout l, int r) {
    int at = l.offset();
    for (int axis = l.shape().rank() - 2; axis >= 0; axis--) {
      int d = l.shape().dim(axis);
      at += r % d * l.strides()[axis];
      r /= d;
    }
    return at;
  }

  private static void row(Elementwise.Binary op, float[] a, int ao, int as, float[] b, int bo, int bs, float[] y,
      int yo, int n) {
    switch (op) {
      case Elementwise.Add _ -> {
        int i = 0;
        if (as == 1 && bs == 1)
          for (; i <= n - LANES; i += LANES) fromArray(F, a, ao + i).add(fromArray(F, b, bo + i)).intoArray(y, yo + i);
        for (; i < n; i++) y[yo + i] = a[ao + i * as] + b[bo + i * bs];
      }
      case Elementwise.Subtract _ -> {
        int i = 0;
        if (as == 1 && bs == 1)
          for (; i <= n - LANES; i += LANES) fromArray(F, a, ao + i).sub(fromArray(F, b, bo + i)).intoArray(y, yo + i);
        for (; i < n; i++) y[yo + i] = a[ao + i * as] - b[bo + i * bs];
      }
      case Elementwise.Multiply _ -> {
        int i = 0;
        if (as == 1 && bs == 1)
          for (; i <= n - LANES; i += LANES) fromArray(F, a, ao + i).mul(fromArray(F, b, bo + i)).intoArray(y, yo + i);
        if (as == 2 && bs == 1) i = multiplyEvery2nd(a, ao, b, bo, y, yo, n);
        for (; i < n; i++) y[yo + i] = a[ao + i * as] * b[bo + i * bs];
      }
      case Elementwise.Divide _ -> {
        int i = 0;
        if (as == 1 && bs == 1)
          for (; i <= n - LANES; i += LANES) fromArray(F, a, ao + i).div(fromArray(F, b, bo + i)).intoArray(y, yo + i);
        for (; i < n; i++) y[yo + i] = a[ao + i * as] / b[bo + i * bs];
      }
      case Elementwise.Equal _ -> { for (int i = 0; i < n; i++) y[yo + i] = a[ao + i * as] == b[bo + i * bs] ? 1 : 0; }
    }
  }

  /// Every second element of a, as of pairs that turn, times b. Returns how far it got: the last vector would read past
  /// the last pair.
  private static int multiplyEvery2nd(float[] a, int ao, float[] b, int bo, float[] y, int yo, int n) {
    int i = 0;
    for (; i < n - LANES; i += LANES)
      fromArray(F, a, ao + 2 * i).rearrange(EVERY_2ND, fromArray(F, a, ao + 2 * i + LANES))
          .mul(fromArray(F, b, bo + i)).intoArray(y, yo + i);
    return i;
  }
}
