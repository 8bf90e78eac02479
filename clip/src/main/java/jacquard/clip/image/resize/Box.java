package jacquard.clip.image.resize;

/// A rectangle in the coordinates of an image, in pixels and in single precision as Pillow holds it: x from `left` to
/// `right`, y from `top` to `bottom`.
public record Box(float left, float top, float right, float bottom) {
  /// The whole of an image.
  public static Box whole(int width, int height) { return new Box(0, 0, width, height); }

  void checkInside(int width, int height) {
    if (!(left >= 0 && top >= 0 && right <= width && bottom <= height && left < right && top < bottom))
      throw new IllegalArgumentException(this + " is not a rectangle inside the image of " + width + "x" + height);
  }
}
