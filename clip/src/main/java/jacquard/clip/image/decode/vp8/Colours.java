package jacquard.clip.image.decode.vp8;

/// Y, Cb, Cr of half the size → RGB: chroma between four centres in the ratio 9 : 3 : 3 : 1, colours by BT.601 for 16…235, both in the
/// integers of the reference decoder for WebP, so that results are equal to its.
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
    int chromaRows = height + 1 >> 1, near = y / 2, far = Math.clamp((y & 1) == 0 ? near - 1 : near + 1, 0, chromaRows - 1),
        chromaColumns = width + 1 >> 1;
    for (int x = 0, to = y * width * 3; x < width; x++, to += 3) {
      int column = x / 2, aside = (x & 1) == 0 ? column - 1 : column + 1;
      boolean edge = aside < 0 || aside >= chromaColumns;
      write(to, luma.samples[luma.at(x, y)] & 255, chroma(cb, column, aside, near, far, edge), chroma(cr, column, aside, near, far, edge));
    }
  }

  private static int chroma(Plane plane, int column, int aside, int near, int far, boolean edge) {
    int a = plane.samples[plane.at(column, near)] & 255, c = plane.samples[plane.at(column, far)] & 255;
    if (edge) return 3 * a + c + 2 >> 2;
    int b = plane.samples[plane.at(aside, near)] & 255, d = plane.samples[plane.at(aside, far)] & 255;
    return (a + b + c + d + 8 + 2 * (b + c) >> 3) + a >> 1;
  }

  private void write(int to, int y, int u, int v) {
    int light = y * 19077 >> 8;
    rgb[to] = Plane.clip(light + (v * 26149 >> 8) - 14234 >> 6);
    rgb[to + 1] = Plane.clip(light - (u * 6419 >> 8) - (v * 13320 >> 8) + 8708 >> 6);
    rgb[to + 2] = Plane.clip(light + (u * 33050 >> 8) - 17685 >> 6);
  }
}
