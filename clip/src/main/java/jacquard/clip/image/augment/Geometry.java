package jacquard.clip.image.augment;

import jacquard.clip.image.Pixels;
import java.math.BigDecimal;
import java.math.RoundingMode;

/// Moves of a whole image as torchvision and timm make them on Pillow images, to the bit.
/// The centre is (w/2, h/2), and pixels lie at their centres: (x, y) covers [x, x+1) × [y, y+1).
public final class Geometry {
  private Geometry() {}

  /// Left to right.
  public static Pixels flip(Pixels image) {
    int w = image.width();
    byte[] in = image.rgb(), out = new byte[in.length];
    for (int y = 0, to = 0; y < image.height(); y++) {
      for (int x = w - 1; x >= 0; x--, to += 3) {
        int from = (y * w + x) * 3;
        out[to] = in[from];
        out[to + 1] = in[from + 1];
        out[to + 2] = in[from + 2];
      }
    }
    return new Pixels(w, image.height(), out);
  }

  /// Turns counter-clockwise about the centre; the size stays. Whole half turns, and quarter turns of squares, are
  /// exact.
  public static Pixels rotate(Pixels image, double degrees, Canvas canvas) {
    double turned = degrees - 360 * Math.floor(degrees / 360);
    if (turned == 0) return image;
    if (turned == 180) return image.picture().upright(3).pixels();
    if (image.width() == image.height() && turned == 90) return image.picture().upright(8).pixels();
    if (image.width() == image.height() && turned == 270) return image.picture().upright(6).pixels();
    double angle = -Math.toRadians(turned), x = image.width() / 2.0, y = image.height() / 2.0;
    double cos = rounded(Math.cos(angle)), sin = rounded(Math.sin(angle));
    double[] m = {cos, sin, cos * -x + sin * -y + 0.0 + x, -sin, cos, -sin * -x + cos * -y + 0.0 + y};
    return map(image, m, canvas);
  }

  /// To 15 decimals, as Pillow does so that a quarter turn has true zeros.
  private static double rounded(double value) {
    return new BigDecimal(value).setScale(15, RoundingMode.HALF_EVEN).doubleValue();
  }

  /// Turns clockwise by `degrees`, scales, shears by `shearX` and `shearY` degrees about the centre, then moves right
  /// by `right` and down by `down`.
  public static Pixels affine(Pixels image, double degrees, double right, double down, double scale, double shearX,
      double shearY, Canvas canvas) {
    if (!(scale > 0)) throw new IllegalArgumentException("a scale is positive, found " + scale);
    double turn = Math.toRadians(degrees), sx = Math.toRadians(shearX), sy = Math.toRadians(shearY);
    double x = image.width() * .5, y = image.height() * .5;
    double a = Math.cos(turn - sy) / Math.cos(sy);
    double b = -Math.cos(turn - sy) * Math.tan(sx) / Math.cos(sy) - Math.sin(turn);
    double c = Math.sin(turn - sy) / Math.cos(sy);
    double d = -Math.sin(turn - sy) * Math.tan(sx) / Math.cos(sy) + Math.cos(turn);
    double[] m = {d / scale, -b / scale, 0, -c / scale, a / scale, 0}; // the inverse: where a target pixel comes from
    m[2] += m[0] * (-x - right) + m[1] * (-y - down);
    m[5] += m[3] * (-x - right) + m[4] * (-y - down);
    m[2] += x;
    m[5] += y;
    return map(image, m, canvas);
  }

  /// out(x, y) = in(m₀x + m₁y + m₂, m₃x + m₄y + m₅) at pixel centres.
  static Pixels map(Pixels image, double[] m, Canvas canvas) {
    int red = canvas.fill().get(0), green = canvas.fill().get(1), blue = canvas.fill().get(2);
    var out = Pixels.filled(image.width(), image.height(), red << 16 | green << 8 | blue);
    switch (canvas.interpolation()) {
      case BILINEAR -> bilinear(image, m, out.rgb());
      case BICUBIC -> bicubic(image, m, out.rgb());
      default -> {
        if (m[1] == 0 && m[3] == 0) moved(image, m, out.rgb());
        else if (fixed(m, image)) nearest(image, m, out.rgb());
        else nearestFar(image, m, out.rgb());
      }
    }
    return out;
  }

  /// Columns and rows stay apart; positions accumulate in double.
  private static void moved(Pixels image, double[] m, byte[] out) {
    int w = image.width(), h = image.height();
    int[] columns = new int[w];
    double at = m[2] + m[0] * .5;
    for (int x = 0; x < w; x++, at += m[0]) columns[x] = floorInside(at, w);
    at = m[5] + m[4] * .5;
    for (int y = 0; y < h; y++, at += m[4]) {
      int row = floorInside(at, h);
      for (int x = 0; x < w; x++) copy(image, columns[x], row, out, (y * w + x) * 3);
    }
  }

  private static int floorInside(double at, int size) { return at < 0 || at >= size ? -1 : (int) at; }

  private static void copy(Pixels image, int x, int y, byte[] out, int to) {
    if (x < 0 || y < 0 || x >= image.width() || y >= image.height()) return;
    System.arraycopy(image.rgb(), (y * image.width() + x) * 3, out, to, 3);
  }

  /// Whether all positions fit into 16 bits before the point.
  private static boolean fixed(double[] m, Pixels image) {
    for (int x = 0; x <= 1; x++)
      for (int y = 0; y <= 1; y++)
        for (int row = 0; row <= 3; row += 3)
          if (!(Math.abs(x * image.width() * m[row] + y * image.height() * m[row + 1] + m[row + 2]) < 32768))
            return false;
    return true;
  }

  /// Positions in 16.16 fixed point.
  private static void nearest(Pixels image, double[] m, byte[] out) {
    int w = image.width(), h = image.height(), right = point(m[0]), down = point(m[3]);
    int startX = point(m[2] + m[0] * .5 + m[1] * .5), startY = point(m[5] + m[3] * .5 + m[4] * .5);
    for (int y = 0, to = 0; y < h; y++, startX += point(m[1]), startY += point(m[4]))
      for (int x = 0, u = startX, v = startY; x < w; x++, u += right, v += down, to += 3)
        copy(image, u >> 16, v >> 16, out, to);
  }

  private static int point(double value) { return (int) Math.floor(value * 65536 + .5); }

  private static void nearestFar(Pixels image, double[] m, byte[] out) {
    int w = image.width(), h = image.height();
    double startX = m[2] + m[1] * .5 + m[0] * .5, startY = m[5] + m[4] * .5 + m[3] * .5;
    for (int y = 0, to = 0; y < h; y++, startX += m[1], startY += m[4]) {
      double u = startX, v = startY;
      for (int x = 0; x < w; x++, u += m[0], v += m[3], to += 3)
        copy(image, floorInside(u, w), floorInside(v, h), out, to);
    }
  }

  /// Between the four nearest centres, those beyond the edge repeated; truncated.
  private static void bilinear(Pixels image, double[] m, byte[] out) {
    int w = image.width(), h = image.height();
    byte[] in = image.rgb();
    for (int y = 0, to = 0; y < h; y++) {
      for (int x = 0; x < w; x++, to += 3) {
        double u = m[0] * (x + .5) + m[1] * (y + .5) + m[2], v = m[3] * (x + .5) + m[4] * (y + .5) + m[5];
        if (!(u >= 0 && u < w && v >= 0 && v < h)) continue;
        int left = (int) Math.floor(u - .5), top = (int) Math.floor(v - .5);
        double dx = u - .5 - left, dy = v - .5 - top;
        int x0 = Math.max(left, 0), x1 = Math.min(left + 1, w - 1);
        int y0 = Math.max(top, 0), y1 = Math.min(top + 1, h - 1);
        for (int c = 0; c < 3; c++) {
          double upper = mix(in[(y0 * w + x0) * 3 + c] & 255, in[(y0 * w + x1) * 3 + c] & 255, dx);
          double lower = mix(in[(y1 * w + x0) * 3 + c] & 255, in[(y1 * w + x1) * 3 + c] & 255, dx);
          out[to + c] = (byte) (int) mix(upper, lower, dy);
        }
      }
    }
  }

  private static double mix(double a, double b, double part) { return a + (b - a) * part; }

  /// Through the sixteen nearest centres, those beyond the edge repeated; truncated and clipped.
  private static void bicubic(Pixels image, double[] m, byte[] out) {
    int w = image.width(), h = image.height();
    byte[] in = image.rgb();
    int[] at = new int[4];
    double[] rows = new double[4];
    for (int y = 0, to = 0; y < h; y++) {
      for (int x = 0; x < w; x++, to += 3) {
        double u = m[0] * (x + .5) + m[1] * (y + .5) + m[2], v = m[3] * (x + .5) + m[4] * (y + .5) + m[5];
        if (!(u >= 0 && u < w && v >= 0 && v < h)) continue;
        int left = (int) Math.floor(u - .5), top = (int) Math.floor(v - .5);
        double dx = u - .5 - left, dy = v - .5 - top;
        for (int k = 0; k < 4; k++) at[k] = 3 * Math.clamp(left + k - 1, 0, w - 1);
        for (int c = 0; c < 3; c++) {
          for (int k = 0; k < 4; k++) {
            int row = 3 * w * Math.clamp(top + k - 1, 0, h - 1) + c;
            int a = in[row + at[0]] & 255, b = in[row + at[1]] & 255;
            rows[k] = cubic(a, b, in[row + at[2]] & 255, in[row + at[3]] & 255, dx);
          }
          out[to + c] = (byte) (int) Math.clamp(cubic(rows[0], rows[1], rows[2], rows[3], dy), 0., 255.);
        }
      }
    }
  }

  /// Keys' cubic with a = −1 between b and c.
  private static double cubic(double a, double b, double c, double d, double part) {
    return b + part * (-a + c + part * (2 * (a - b) + c - d + part * (-a + b - c + d)));
  }
}
