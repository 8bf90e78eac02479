package jacquard.clip.image.augment;

import jacquard.clip.image.Pixels;

/// Colour operations as torchvision makes them on Pillow images, to the bit.
public final class Colour {
  private Colour() {}

  /// a + factor·(b − a) in single precision, truncated; beyond [0, 1] also clipped.
  public static Pixels blend(Pixels a, Pixels b, double factor) {
    float f = (float) factor;
    if (f == 0) return a;
    if (f == 1) return b;
    byte[] from = a.rgb(), to = b.rgb(), out = new byte[from.length];
    for (int i = 0; i < out.length; i++) {
      int base = from[i] & 255;
      out[i] = (byte) Math.clamp((int) (base + f * ((to[i] & 255) - base)), 0, 255);
    }
    return new Pixels(a.width(), a.height(), out);
  }

  /// L = (19595·R + 38470·G + 7471·B + 2¹⁵) >> 16 (ITU-R BT.601), `[height, width]`.
  private static byte[] luminance(Pixels image) {
    byte[] rgb = image.rgb(), grey = new byte[rgb.length / 3];
    for (int i = 0, o = 0; o < grey.length; i += 3, o++)
      grey[o] = (byte) ((rgb[i] & 255) * 19595 + (rgb[i + 1] & 255) * 38470 + (rgb[i + 2] & 255) * 7471 + 0x8000 >> 16);
    return grey;
  }

  /// Black at 0, the image at 1, lighter beyond.
  public static Pixels brightness(Pixels image, double factor) {
    return blend(Pixels.filled(image.width(), image.height(), 0), image, factor);
  }

  /// The mean luminance everywhere at 0, the image at 1.
  public static Pixels contrast(Pixels image, double factor) {
    long sum = 0;
    byte[] grey = luminance(image);
    for (byte level : grey) sum += level & 255;
    int mean = (int) ((double) sum / grey.length + .5);
    return blend(Pixels.filled(image.width(), image.height(), mean * 0x010101), image, factor);
  }

  /// The luminance at 0, the image at 1, stronger colours beyond.
  public static Pixels saturation(Pixels image, double factor) { return blend(greyscale(image), image, factor); }

  /// The luminance in all three channels.
  public static Pixels greyscale(Pixels image) {
    byte[] grey = luminance(image), out = new byte[image.rgb().length];
    for (int i = 0; i < grey.length; i++) out[3 * i] = out[3 * i + 1] = out[3 * i + 2] = grey[i];
    return new Pixels(image.width(), image.height(), out);
  }

  /// Smoothed at 0, the image at 1, sharpened beyond. Smooth is the mean over 3×3 in which the centre counts five
  /// times; the frame stays.
  public static Pixels sharpness(Pixels image, double factor) { return blend(smooth(image), image, factor); }

  private static Pixels smooth(Pixels image) {
    int w = image.width(), h = image.height(), row = 3 * w;
    byte[] in = image.rgb(), out = in.clone();
    final float side = 1f / 13, centre = 5f / 13;
    for (int y = 1; y < h - 1; y++) {
      for (int i = y * row + 3; i < (y + 1) * row - 3; i++) {
        float sum = .5f;
        sum += (in[i + row - 3] & 255) * side + (in[i + row] & 255) * side + (in[i + row + 3] & 255) * side;
        sum += (in[i - 3] & 255) * side + (in[i] & 255) * centre + (in[i + 3] & 255) * side;
        sum += (in[i - row - 3] & 255) * side + (in[i - row] & 255) * side + (in[i - row + 3] & 255) * side;
        out[i] = (byte) Math.clamp((int) sum, 0, 255);
      }
    }
    return new Pixels(w, h, out);
  }

  /// Turns the hue by `turn` of the circle, −½ to ½, through 8-bit HSV, whose rounding shows even at 0.
  public static Pixels hue(Pixels image, double turn) {
    if (!(turn >= -.5 && turn <= .5))
      throw new IllegalArgumentException("a turn of the hue is between -0.5 and 0.5, found " + turn);
    int shift = (int) (turn * 255) & 255;
    byte[] in = image.rgb(), out = new byte[in.length];
    for (int i = 0; i < in.length; i += 3) {
      int red = in[i] & 255, green = in[i + 1] & 255, blue = in[i + 2] & 255;
      int most = Math.max(red, Math.max(green, blue)), least = Math.min(red, Math.min(green, blue));
      int h = 0, s = 0;
      if (most != least) {
        float range = most - least;
        h = hueOf(red, green, blue, most, range);
        s = Math.clamp((int) (range / most * 255.0), 0, 255);
      }
      toRgb(h + shift & 255, s, most, out, i);
    }
    return new Pixels(image.width(), image.height(), out);
  }

  /// Sixths of the circle from red, in the mixture of single and double precision of Pillow's C.
  private static int hueOf(int red, int green, int blue, int most, float range) {
    float r = (most - red) / range, g = (most - green) / range, b = (most - blue) / range;
    float h = red == most ? b - g : green == most ? (float) (2.0 + r - b) : (float) (4.0 + g - r);
    h = (float) ((h / 6.0 + 1.0) % 1.0);
    return Math.clamp((int) (h * 255.0), 0, 255);
  }

  private static void toRgb(int h, int s, int v, byte[] out, int at) {
    int red = v, green = v, blue = v;
    if (s != 0) {
      int sixth = (int) (h * 6.0 / 255.0);
      float f = (float) (h * 6.0 / 255.0 - sixth), fs = (float) (s / 255.0);
      int p = round(v * (1.0 - fs)), q = round(v * (1.0 - fs * f)), t = round(v * (1.0 - fs * (1.0 - f)));
      switch (sixth % 6) {
        case 0 -> { green = t; blue = p; }
        case 1 -> { red = q; blue = p; }
        case 2 -> { red = p; blue = t; }
        case 3 -> { red = p; green = q; }
        case 4 -> { red = t; green = p; }
        default -> { green = p; blue = q; }
      }
    }
    out[at] = (byte) red;
    out[at + 1] = (byte) green;
    out[at + 2] = (byte) blue;
  }

  private static int round(double value) { return Math.clamp((int) (value + .5), 0, 255); }

  /// One table for each channel, `[3][256]`.
  private static Pixels lookup(Pixels image, int[][] tables) {
    byte[] in = image.rgb(), out = new byte[in.length];
    for (int i = 0; i < in.length; i++) out[i] = (byte) tables[i % 3][in[i] & 255];
    return new Pixels(image.width(), image.height(), out);
  }

  private interface Level {
    int of(int level);
  }

  private static Pixels levels(Pixels image, Level level) {
    int[] table = new int[256];
    for (int i = 0; i < 256; i++) table[i] = level.of(i);
    return lookup(image, new int[][] {table, table, table});
  }

  /// 255 − x.
  public static Pixels invert(Pixels image) { return levels(image, x -> 255 - x); }

  /// Keeps the `bits` highest bits of each sample.
  public static Pixels posterize(Pixels image, int bits) {
    if (bits < 0 || bits > 8) throw new IllegalArgumentException("posterize keeps 0 to 8 bits, found " + bits);
    return levels(image, x -> x & -(1 << 8 - bits));
  }

  /// Inverts what is not below `threshold`.
  public static Pixels solarize(Pixels image, double threshold) {
    return levels(image, x -> x < threshold ? x : 255 - x);
  }

  /// Adds to what is below 128, up to 255.
  public static Pixels solarizeAdd(Pixels image, int more) {
    return levels(image, x -> x < 128 ? Math.min(255, x + more) : x);
  }

  private static int[][] histograms(Pixels image) {
    int[][] counts = new int[3][256];
    byte[] rgb = image.rgb();
    for (int i = 0; i < rgb.length; i++) counts[i % 3][rgb[i] & 255]++;
    return counts;
  }

  /// Stretches each channel so that its least sample becomes 0 and its largest 255.
  public static Pixels autocontrast(Pixels image) {
    int[][] counts = histograms(image), tables = new int[3][256];
    for (int c = 0; c < 3; c++) {
      int low = 0, high = 255;
      while (low < 255 && counts[c][low] == 0) low++;
      while (high > 0 && counts[c][high] == 0) high--;
      double scale = 255.0 / (high - low), offset = -low * scale;
      for (int i = 0; i < 256; i++) tables[c][i] = high <= low ? i : Math.clamp((int) (i * scale + offset), 0, 255);
    }
    return lookup(image, tables);
  }

  /// Spreads each channel's samples evenly over 0 to 255.
  public static Pixels equalize(Pixels image) {
    int[][] counts = histograms(image), tables = new int[3][256];
    for (int c = 0; c < 3; c++) {
      int total = image.width() * image.height(), last = 255;
      while (counts[c][last] == 0) last--;
      int step = (total - counts[c][last]) / 255, sum = step / 2; // 0 also where there is one level only
      for (int i = 0; i < 256; i++) {
        tables[c][i] = step == 0 ? i : Math.min(sum / step, 255);
        sum += counts[c][i];
      }
    }
    return lookup(image, tables);
  }
}
