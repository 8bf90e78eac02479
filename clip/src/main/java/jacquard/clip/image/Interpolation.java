package jacquard.clip.image;

/// The filters of Pillow's `Image.resize`: a kernel w(x) that is 0 beyond `support`, widened by the factor of a
/// reduction (antialiasing).
public enum Interpolation {
  /// The pixel under the centre of the target pixel.
  NEAREST(0),
  /// w = 1 on (−½, ½].
  BOX(.5),
  /// w = 1 − |x|.
  BILINEAR(1),
  /// w = sinc(x)·(0.54 + 0.46·cos πx).
  HAMMING(1),
  /// Keys' cubic with a = −½ (R. Keys 1981, "Cubic convolution interpolation").
  BICUBIC(2),
  /// w = sinc(x)·sinc(x/3).
  LANCZOS(3);

  private final double support;

  Interpolation(double support) { this.support = support; }

  public double support() { return support; }

  public double weight(double x) {
    return switch (this) {
      case NEAREST -> throw new IllegalStateException("nearest has no kernel");
      case BOX -> x > -.5 && x <= .5 ? 1 : 0;
      case BILINEAR -> Math.max(0, 1 - Math.abs(x));
      case HAMMING -> hamming(Math.abs(x));
      case BICUBIC -> cubic(Math.abs(x));
      case LANCZOS -> x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    };
  }

  private static double cubic(double x) {
    final double a = -.5;
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
  }

  private static double hamming(double x) {
    if (x == 0) return 1;
    if (x >= 1) return 0;
    double angle = x * Math.PI;
    return Math.sin(angle) / angle * (.54f + .46f * Math.cos(angle)); // single-precision constants, as Pillow's
  }

  private static double sinc(double x) {
    if (x == 0) return 1;
    double angle = x * Math.PI;
    return Math.sin(angle) / angle;
  }

  /// By the name that OpenCLIP's configs use; `random` (of bilinear and bicubic, in training) is bicubic, as in its
  /// evaluation transform.
  /// @throws IllegalArgumentException for an unknown name, listing the known ones
  public static Interpolation named(String name) {
    return switch (name) {
      case "nearest" -> NEAREST;
      case "box" -> BOX;
      case "bilinear" -> BILINEAR;
      case "hamming" -> HAMMING;
      case "bicubic", "random" -> BICUBIC;
      case "lanczos" -> LANCZOS;
      default -> throw new IllegalArgumentException("interpolation '" + name
          + "' is unknown; known are nearest, box, bilinear, hamming, bicubic, lanczos, random");
    };
  }
}
