package jacquard.tensor;

/// What an op knows of a tensor before it runs: element type and shape.
public record Type(DType dtype, Shape shape) {
  public static Type f32(int... dims) { return new Type(DType.F32, Shape.of(dims)); }

  /// Whether the shape has these extents; −1 stands for any.
  public boolean has(int... dims) {
    boolean ok = shape.rank() == dims.length;
    for (int a = 0; ok && a < dims.length; a++) ok = dims[a] == -1 || dims[a] == shape.dim(a);
    return ok;
  }

  /// This element type, another shape.
  public Type with(Shape shape) { return new Type(dtype, shape); }

  @Override public String toString() { return dtype + " " + shape; }
}
