package jacquard.tensor;

/// The extents of a feature map whose pixels are rows, in row-major order.
public record Grid(int height, int width) {
  public static Grid of(int size) { return new Grid(size, size); }

  public int size() { return height * width; }

  /// The grid of a window of `kernel` moved by `stride` over this one with `padding` zeros around; a remainder is dropped; none is left of
  /// a grid that is smaller.
  public Grid windows(int kernelHeight, int kernelWidth, int stride, int padding) {
    return new Grid(Math.floorDiv(height + 2 * padding - kernelHeight, stride) + 1, Math.floorDiv(width + 2 * padding - kernelWidth, stride) + 1);
  }

  @Override public String toString() { return height + "×" + width; }
}
