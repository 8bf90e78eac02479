package jacquard.tensor;

/// Zeros around a feature map: rows above and below it, columns left and right of it.
public record Padding(int top, int left, int bottom, int right) {
  public static final Padding NONE = of(0);

  public Padding {
    if (top < 0 || left < 0 || bottom < 0 || right < 0)
      throw new IllegalArgumentException(
          "padding %d above, %d left, %d below, %d right, expected none below 0".formatted(top, left, bottom, right));
  }

  /// As much on each side.
  public static Padding of(int each) { return new Padding(each, each, each, each); }

  /// TensorFlow's `SAME`: ⌈n / stride⌉ windows along an axis of n; where the zeros are odd in number, the last side has
  /// one more.
  public static Padding same(Grid grid, int kernelHeight, int kernelWidth, int stride) {
    int rows = missing(grid.height(), kernelHeight, stride), columns = missing(grid.width(), kernelWidth, stride);
    return new Padding(rows / 2, columns / 2, rows - rows / 2, columns - columns / 2);
  }

  private static int missing(int n, int kernel, int stride) {
    return Math.max(0, (Math.ceilDiv(n, stride) - 1) * stride + kernel - n);
  }

  /// Whether both sides of each axis have as many.
  public boolean even() { return top == bottom && left == right; }
}
