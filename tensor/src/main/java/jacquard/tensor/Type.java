package jacquard.tensor;

/// What an op knows of a tensor before it runs: element type and shape.
public record Type(DType dtype, Shape shape) {
  public static Type f32(int... dims) { return new Type(DType.F32, Shape.of(dims)); }

  /// This element type, another shape.
  public Type with(Shape shape) { return new Type(dtype, shape); }

  @Override public String toString() { return dtype + " " + shape; }
}
