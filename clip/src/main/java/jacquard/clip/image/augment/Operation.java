package jacquard.clip.image.augment;

import jacquard.clip.image.Pixels;

/// What a policy may do to an image, to the bit of Pillow. Each takes one argument, whose meaning stands beside it.
public enum Operation {
  IDENTITY,
  /// Out(x, y) = in(x + argument·y, y).
  SHEAR_X,
  /// Out(x, y) = in(x, y + argument·x).
  SHEAR_Y,
  /// Out(x, y) = in(x + argument, y), in pixels.
  TRANSLATE_X,
  /// Out(x, y) = in(x, y + argument), in pixels.
  TRANSLATE_Y,
  /// By degrees, counter-clockwise.
  ROTATE,
  /// To this share of itself, black at 0; as the next three beyond 1 too.
  BRIGHTNESS,
  COLOR,
  CONTRAST,
  SHARPNESS,
  /// Keeps this many bits.
  POSTERIZE,
  /// Inverts what is not below the argument.
  SOLARIZE,
  /// Adds the argument to what is below 128.
  SOLARIZE_ADD,
  AUTO_CONTRAST,
  EQUALIZE,
  INVERT,
  /// By a Gaussian of this deviation, in pixels.
  BLUR;

  public Pixels apply(Pixels image, double argument, Canvas canvas) {
    return switch (this) {
      case IDENTITY -> image;
      case SHEAR_X -> Geometry.map(image, new double[] {1, argument, 0, 0, 1, 0}, canvas);
      case SHEAR_Y -> Geometry.map(image, new double[] {1, 0, 0, argument, 1, 0}, canvas);
      case TRANSLATE_X -> Geometry.map(image, new double[] {1, 0, argument, 0, 1, 0}, canvas);
      case TRANSLATE_Y -> Geometry.map(image, new double[] {1, 0, 0, 0, 1, argument}, canvas);
      case ROTATE -> Geometry.rotate(image, argument, canvas);
      case BRIGHTNESS -> Colour.brightness(image, argument);
      case COLOR -> Colour.saturation(image, argument);
      case CONTRAST -> Colour.contrast(image, argument);
      case SHARPNESS -> Colour.sharpness(image, argument);
      case POSTERIZE -> Colour.posterize(image, (int) argument);
      case SOLARIZE -> Colour.solarize(image, argument);
      case SOLARIZE_ADD -> Colour.solarizeAdd(image, (int) argument);
      case AUTO_CONTRAST -> Colour.autocontrast(image);
      case EQUALIZE -> Colour.equalize(image);
      case INVERT -> Colour.invert(image);
      case BLUR -> Blur.gaussian(image, argument);
    };
  }
}
