package jacquard.clip.image.decode.vp8l;

/// What an encoder did to the pixels (section 4): 0 predicted them, 1 took green's share from red and blue, 2 took
/// green itself, 3 put indices into a table of colours. `width` is the picture's before it; `data` the modes of blocks
/// of 2^`bits`, or the table, whose indices lie 2^`bits` in a pixel.
record Transform(int type, int width, int bits, int[] data) {
  private static final int BLACK = 0xFF000000;

  /// The width that is stored.
  int stored() { return type == 3 ? Lossless.blocks(width, bits) : width; }

  /// Undoes it; in place but for indices.
  int[] inverse(int[] pixels, int height) {
    switch (type) {
      case 0 -> predict(pixels, height);
      case 1 -> colour(pixels, height);
      case 2 -> { for (int i = 0; i < pixels.length; i++) pixels[i] = green(pixels[i]); }
      default -> { return indexed(pixels, height); }
    }
    return pixels;
  }

  private static int green(int p) {
    int g = p >> 8 & 255;
    return p & 0xFF00FF00 | (p & 0xFF00FF) + (g << 16 | g) & 0xFF00FF;
  }

  private int[] indexed(int[] packed, int height) {
    int stored = stored(), each = 8 >> bits, mask = (1 << each) - 1, inPixel = (1 << bits) - 1;
    int[] pixels = bits == 0 ? packed : new int[Math.multiplyExact(width, height)];
    for (int y = 0, to = 0; y < height; y++)
      for (int x = 0; x < width; x++, to++)
        pixels[to] = data[(packed[y * stored + (x >> bits)] >> 8 & 255) >> (x & inPixel) * each & mask];
    return pixels;
  }

  private void colour(int[] pixels, int height) {
    int across = Lossless.blocks(width, bits);
    for (int y = 0, at = 0; y < height; y++) {
      for (int x = 0; x < width; x++, at++) {
        int share = data[(y >> bits) * across + (x >> bits)], p = pixels[at];
        byte green = (byte) (p >> 8);
        int red = (p >> 16) + ((byte) share * green >> 5) & 255;
        int blue = p + ((byte) (share >> 8) * green >> 5) + ((byte) (share >> 16) * (byte) red >> 5) & 255;
        pixels[at] = p & 0xFF00FF00 | red << 16 | blue;
      }
    }
  }

  private void predict(int[] p, int height) {
    int across = Lossless.blocks(width, bits);
    p[0] = add(p[0], BLACK);
    for (int x = 1; x < width; x++) p[x] = add(p[x], p[x - 1]);
    for (int y = 1, at = width; y < height; y++) {
      p[at] = add(p[at], p[at - width]);
      at++;
      for (int x = 1; x < width; ) {
        int mode = data[(y >> bits) * across + (x >> bits)] >> 8 & 15, end = Math.min(width, (x >> bits) + 1 << bits);
        for (; x < end; x++, at++)
          p[at] = add(p[at], predicted(mode, p[at - 1], p[at - width], p[at - width + 1], p[at - width - 1]));
      }
    }
  }

  /// From the pixels to the left, above, above to the right, above to the left.
  private static int predicted(int mode, int l, int t, int tr, int tl) {
    return switch (mode) {
      case 1 -> l;
      case 2 -> t;
      case 3 -> tr;
      case 4 -> tl;
      case 5 -> mean(mean(l, tr), t);
      case 6 -> mean(l, tl);
      case 7 -> mean(l, t);
      case 8 -> mean(tl, t);
      case 9 -> mean(t, tr);
      case 10 -> mean(mean(l, tl), mean(t, tr));
      case 11 -> nearer(l, t, tl);
      case 12 -> sums(l, t, tl);
      case 13 -> halves(mean(l, t), tl);
      default -> BLACK;
    };
  }

  /// Channel by channel, modulo 256.
  static int add(int a, int b) {
    return (a & 0xFF00FF00) + (b & 0xFF00FF00) & 0xFF00FF00 | (a & 0xFF00FF) + (b & 0xFF00FF) & 0xFF00FF;
  }

  private static int mean(int a, int b) { return (((a ^ b) & 0xFEFEFEFE) >>> 1) + (a & b); }

  /// Left or above, whichever is nearer to left + above − corner.
  private static int nearer(int l, int t, int tl) {
    int toLeft = 0, toAbove = 0;
    for (int s = 0; s < 32; s += 8) {
      int corner = tl >> s & 255;
      toLeft += Math.abs((t >> s & 255) - corner);
      toAbove += Math.abs((l >> s & 255) - corner);
    }
    return toLeft < toAbove ? l : t;
  }

  private static int sums(int l, int t, int tl) {
    int out = 0;
    for (int s = 0; s < 32; s += 8) out |= Math.clamp((l >> s & 255) + (t >> s & 255) - (tl >> s & 255), 0, 255) << s;
    return out;
  }

  private static int halves(int m, int tl) {
    int out = 0;
    for (int s = 0; s < 32; s += 8) {
      int level = m >> s & 255;
      out |= Math.clamp(level + (level - (tl >> s & 255)) / 2, 0, 255) << s;
    }
    return out;
  }
}
