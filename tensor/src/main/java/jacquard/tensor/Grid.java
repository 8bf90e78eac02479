package jacquard.tensor;

/// The extents of a feature map whose pixels are rows, in row-major order.
public record Grid(int height, int width) {
  public static Grid of(int size) { return new Grid(size, size); }

  public int size() { return height * width; }

  /// The grid of a window of `kernel` moved by `stride` over this one with `padding` zeros around; a remainder is
  /// dropped.
  public Grid windows(int kernelHeight, int kernelWidth, int stride, int padding) {
    return windows(kernelHeight, kernelWidth, stride, Padding.of(padding));
  }

  /// The same with its padding for each side.
  public Grid windows(int kernelHeight, int kernelWidth, int stride, Padding p) {
    return new Grid(Math.floorDiv(height + p.top() + p.bottom() - kernelHeight, stride) + 1,
        Math.floorDiv(width + p.left() + p.right() - kernelWidth, stride) + 1);
  }

  @Override public String toString() { return height + "×" + width; }
}
