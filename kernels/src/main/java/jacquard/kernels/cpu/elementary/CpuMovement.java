package jacquard.kernels.cpu.elementary;

import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.matmul.CpuLinear;
import jacquard.tensor.Layout;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Movement;
import java.lang.reflect.Array;
import java.util.Arrays;
import java.util.List;

/// Copies between layouts.
public final class CpuMovement {
  private CpuMovement() {}

  public static void run(Movement op, List<Tensor> in, List<Tensor> out) {
    var y = out.getFirst();
    switch (op) {
      case Movement.Copy _ -> move(in.getFirst(), y, y.layout());
      case Movement.Concat(var axis) -> {
        int a = axis < 0 ? axis + y.shape().rank() : axis, at = 0;
        for (var t : in) {
          move(t, y, y.layout().slice(a, at, at + t.dim(a)));
          at += t.dim(a);
        }
      }
      case Movement.Pad(var axis, var before, _) -> {
        zero(y);
        move(in.getFirst(), y, y.layout().slice(axis, before, before + in.getFirst().dim(axis)));
      }
      case Movement.Fill(_, var value) -> Arrays.fill(CpuLinear.array(y), 0, (int) y.shape().size(), value);
      case Movement.View v -> throw new IllegalStateException("a view runs on no device: " + v);
    }
  }

  static void zero(Tensor y) {
    int n = (int) y.shape().size();
    switch (y.storage().block()) {
      case float[] a -> Arrays.fill(a, 0, n, 0f);
      case short[] a -> Arrays.fill(a, 0, n, (short) 0);
      case int[] a -> Arrays.fill(a, 0, n, 0);
      case long[] a -> Arrays.fill(a, 0, n, 0L);
      case byte[] a -> Arrays.fill(a, 0, n, (byte) 0);
      default -> throw new IllegalStateException();
    }
  }

  /// The elements of a F32 tensor, row-major, into `to`.
  public static void copy(Tensor t, float[] to, int at) { copy(CpuLinear.array(t), t.layout(), to, at); }

  public static void copy(float[] x, Layout from, float[] to, int at) {
    rows(x, from, to, Layout.dense(from.shape()).withOffset(at));
  }

  private static void move(Tensor from, Tensor to, Layout into) {
    rows(from.storage().block(), from.layout(), to.storage().block(), into);
  }

  /// Row by row of the last axis; both layouts have one shape.
  private static void rows(Object x, Layout source, Object y, Layout target) {
    if (source.shape().size() == 0) return;
    var walk = Walk.of(source, target);
    Layout from = walk[0], to = walk[1];
    int rank = from.shape().rank();
    int width = rank == 0 ? 1 : from.shape().dim(-1);
    int count = (int) (from.shape().size() / width);
    int xs = rank == 0 ? 1 : from.strides()[rank - 1], ys = rank == 0 ? 1 : to.strides()[rank - 1];
    Parallel.rows(count, Math.max(1, 16384 / width), (r0, r1) -> {
      for (int r = r0; r < r1; r++) {
        int xt = CpuBroadcast.at(from, r), yt = CpuBroadcast.at(to, r);
        if ((xs == 1 && ys == 1) || width == 1) System.arraycopy(x, xt, y, yt, width);
        else if (x instanceof float[] a && y instanceof float[] b)
          for (int i = 0; i < width; i++) b[yt + i * ys] = a[xt + i * xs];
        else for (int i = 0; i < width; i++) Array.set(y, yt + i * ys, Array.get(x, xt + i * xs));
      }
    });
  }
}
