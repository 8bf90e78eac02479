package jacquard.clip.image.decode.vp8;

/// Y, Cb, Cr of half the size → RGB: chroma between four centres in the ratio 9 : 3 : 3 : 1, colours by BT.601 for
/// 16…235, both in the integers of the reference decoder for WebP, so that results are equal to its.
final class Colours {
  private final Plane luma, cb, cr;
  private final int width, height;
  private final byte[] rgb;

  private Colours(Plane luma, Plane cb, Plane cr, int width, int height) {
    this.luma = luma;
    this.cb = cb;
    this.cr = cr;
    this.width = width;
    this.height = height;
    this.rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
  }

  /// `[height, width, 3]`.
  static byte[] rgb(Plane luma, Plane cb, Plane cr, int width, int height) {
    var colours = new Colours(luma, cb, cr, width, height);
    for (int y = 0; y < height; y++) colours.row(y);
    return colours.rgb;
  }

  private void row(int y) {
    int chromaRows = height + 1 >> 1, near = y / 2, far =
        Math.clamp((y & 1) == 0 ? near - 1 : near + 1, 0, chromaRows - 1),
        chromaColumns = width + 1 >> 1;
    byte[] light = luma.samples, u = cb.samples, v = cr.samples;
    int lumaRow = luma.at(0, y), nearRow = cb.at(0, near), farRow = cb.at(0, far); // cr lies as cb
    for (int x = 0, to = y * width * 3; x < width; x++, to += 3) {
      int column = x >> 1, aside = (x & 1) == 0 ? column - 1 : column + 1, a = nearRow + column, c = farRow + column;
      if (aside < 0 || aside >= chromaColumns) {
        write(to, light[lumaRow + x] & 255, edge(u, a, c), edge(v, a, c));
      } else {
        int b = nearRow + aside, d = farRow + aside;
        write(to, light[lumaRow + x] & 255, between(u[a] & 255, u[b] & 255, u[c] & 255, u[d] & 255),
            between(v[a] & 255, v[b] & 255, v[c] & 255, v[d] & 255));
      }
    }
  }

  private static int edge(byte[] plane, int near, int far) {
    return 3 * (plane[near] & 255) + (plane[far] & 255) + 2 >> 2;
  }

  private static int between(int a, int b, int c, int d) { return (a + b + c + d + 8 + 2 * (b + c) >> 3) + a >> 1; }

  private void write(int to, int y, int u, int v) {
    int light = y * 19077 >> 8;
    rgb[to] = Plane.clip(light + (v * 26149 >> 8) - 14234 >> 6);
    rgb[to + 1] = Plane.clip(light - (u * 6419 >> 8) - (v * 13320 >> 8) + 8708 >> 6);
    rgb[to + 2] = Plane.clip(light + (u * 33050 >> 8) - 17685 >> 6);
  }
}
