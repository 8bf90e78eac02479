package jacquard.kernels.cpu;

import jacquard.kernels.cpu.elementary.CpuMovement;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.List;

/// A row-major F32 tensor as kernels see it: the array and where it begins. A strided one is copied first.
public record Dense(float[] a, int at, Shape shape) {
  public static Dense of(Tensor t) {
    if (t.layout().dense()) return new Dense((float[]) t.storage().block(), t.layout().offset(), t.shape());
    float[] c = new float[(int) t.shape().size()];
    CpuMovement.copy(t, c, 0);
    return new Dense(c, 0, t.shape());
  }

  public static Dense[] of(List<Tensor> tensors) { return tensors.stream().map(Dense::of).toArray(Dense[]::new); }

  /// Of a tensor that the kernel writes: a copy would lose what it writes.
  public static Dense written(Tensor t) {
    if (!t.layout().dense()) throw new IllegalArgumentException("an update of a strided view " + t.type());
    return of(t);
  }

  public int size() { return (int) shape.size(); }
  public int dim(int axis) { return shape.dim(axis); }
  public float scalar() { return a[at]; }
}
