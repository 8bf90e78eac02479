package jacquard.clip.image.augment;

import jacquard.clip.image.Pixels;

/// A Gaussian as Pillow makes it, to the bit: three box filters after one another whose boxes have fractional sides
/// (Gwosdek et al. 2011), first along rows, then along columns; pixels at the edge repeat beyond it.
public final class Blur {
  private static final int PASSES = 3;

  private Blur() {}

  /// @param deviation of the Gaussian in pixels, at least 0
  public static Pixels gaussian(Pixels image, double deviation) {
    if (!(deviation >= 0 && deviation < 1e4))
      throw new IllegalArgumentException("a blur has a deviation of 0 or more pixels, found " + deviation);
    float radius = radius((float) deviation);
    if (radius == 0) return image;
    int w = image.width(), h = image.height();
    byte[] a = image.rgb().clone(), b = new byte[a.length];
    for (int pass = 0; pass < PASSES; pass++) {
      for (int y = 0; y < h; y++) line(a, b, y * w * 3, 3, w, radius);
      var t = a; a = b; b = t;
    }
    for (int pass = 0; pass < PASSES; pass++) {
      for (int x = 0; x < w; x++) line(a, b, x * 3, w * 3, h, radius);
      var t = a; a = b; b = t;
    }
    return new Pixels(w, h, a);
  }

  /// Of the box, its side being 2·radius + 1, so that three of them have the variance of the Gaussian.
  private static float radius(float deviation) {
    float variance = deviation * deviation / PASSES;
    float side = (float) Math.sqrt(12.0 * variance + 1.0), whole = (float) Math.floor((side - 1.0) / 2.0);
    float rest = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
    rest /= 6 * (variance - (whole + 1) * (whole + 1));
    return whole + rest;
  }

  /// out(i) = (whole·Σ in(i−r … i+r) + edge·(in(i−r−1) + in(i+r+1))) / 2²⁴, for `n` pixels from `at` on, `step` apart.
  private static void line(byte[] in, byte[] out, int at, int step, int n, float radius) {
    int r = (int) radius;
    int whole = (int) (long) ((1 << 24) / (radius * 2 + 1)), edge = ((1 << 24) - (2 * r + 1) * whole) / 2;
    for (int c = at; c < at + 3; c++) {
      int first = in[c] & 255, last = in[c + (n - 1) * step] & 255, sum = first * (r + 1);
      for (int i = 0; i < r; i++) sum += i < n ? in[c + i * step] & 255 : last;
      for (int i = 0; i < n; i++) {
        int left = i - r - 1 >= 0 ? in[c + (i - r - 1) * step] & 255 : first;
        int right = i + r + 1 < n ? in[c + (i + r + 1) * step] & 255 : last;
        sum += (i + r < n ? in[c + (i + r) * step] & 255 : last) - left;
        out[c + i * step] = (byte) (sum * whole + (left + right) * edge + (1 << 23) >>> 24);
      }
    }
  }
}
