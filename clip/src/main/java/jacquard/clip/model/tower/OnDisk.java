package jacquard.clip.model.tower;

import jacquard.tensor.Shape;

/// How a tensor lies in a checkpoint, seen from how it lies in memory.
public enum OnDisk {
  SAME,
  /// A convolution: `[out, height, width, in]` in memory, `[out, in, height, width]` in a checkpoint.
  CHANNELS_FIRST;

  /// The shape in a checkpoint.
  public Shape shape(Shape s) { return this == SAME ? s : Shape.of(s.dim(0), s.dim(3), s.dim(1), s.dim(2)); }

  /// Elements of a tensor of memory's shape `s`, in a checkpoint's order.
  public float[] write(float[] v, Shape s) {
    return this == SAME ? v : turned(v, s.dim(0), s.dim(1) * s.dim(2), s.dim(3));
  }

  /// Elements of a checkpoint, in the order of memory, where the shape is `s`.
  public float[] read(float[] v, Shape s) {
    return this == SAME ? v : turned(v, s.dim(0), s.dim(3), s.dim(1) * s.dim(2));
  }

  /// n matrices [rows, columns], each turned. (Its loop is short: a checkpoint is read before anything is compiled.)
  private static float[] turned(float[] v, int n, int rows, int columns) {
    float[] r = new float[v.length];
    for (int i = 0, from = 0; i < n; i++)
      for (int j = 0; j < rows; j++)
        for (int end = from + columns, to = i * rows * columns + j; from < end; from++, to += rows) r[to] = v[from];
    return r;
  }
}
