package jacquard.clip.image;

import jacquard.tensor.Grid;

/// Into how many patches a picture goes that keeps its own proportions (NaFlex): as many as there is room for.
///
/// @param side pixels along a patch's side
/// @param room patches at most
public record PatchFrame(int side, int room) {
  private static final double CLOSE = 1e-5, LARGEST = 100;

  public PatchFrame {
    if (side < 1 || room < 1)
      throw new IllegalArgumentException("patches of %d pixels, at most %d: expected both to be above 0".formatted(side,
          room));
  }

  /// Rows and columns of patches of a picture of `height`×`width` pixels: the largest factor on both, at most 100,
  /// after which both, rounded up to
  /// whole patches, have room. By bisection to 1e-5, whose steps decide where two grids are near, as in timm.
  ///
  /// @throws IllegalArgumentException if even the smallest factor leaves too many: one side is some hundred thousand
  /// times the other
  public Grid grid(int height, int width) {
    double low = CLOSE / 10, high = LARGEST;
    while (high - low >= CLOSE) {
      double middle = (low + high) / 2;
      if ((long) patches(height, middle) * patches(width, middle) <= room) low = middle; else high = middle;
    }
    if (low <= CLOSE) 
      throw new IllegalArgumentException("a picture of %d×%d pixels does not go into %d patches of %d pixels a side"
          .formatted(width, height, room, side));
    return new Grid(patches(height, low), patches(width, low));
  }

  private int patches(int pixels, double factor) { return Math.max(1, (int) Math.ceil(pixels * factor / side)); }
}
