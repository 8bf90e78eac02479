package jacquard.clip.image;

import jacquard.tensor.Padding;
import java.util.Arrays;
import java.util.Objects;

/// A decoded image in the mode of its file: `samples` is `[height, width, mode.bytes()]`. `palette` is `[256, 3]` for
/// [Mode#PALETTE], empty otherwise. Kept apart from [Pixels] because OpenCLIP resizes and crops before it converts to
/// RGB, which differs for palettes (nearest neighbour), opacity (premultiplied), inks and 16-bit grey. Arrays are not
/// copied; nothing in this package writes to the arrays of an existing picture.
public record Picture(Mode mode, int width, int height, byte[] samples, byte[] palette) {
  public static final byte[] NO_PALETTE = {};

  public Picture {
    long bytes = (long) width * height * mode.bytes();
    if (width <= 0 || height <= 0 || samples.length != bytes)
      throw new IllegalArgumentException("a %s picture of %dx%d has %d bytes, found %d".formatted(mode, width, height,
          bytes,
          samples.length));
    int expected = mode == Mode.PALETTE ? 768 : 0;
    if (palette.length != expected)
      throw new IllegalArgumentException("the palette of a %s picture has %d bytes, found %d".formatted(mode, expected,
          palette.length));
  }

  /// A picture of any mode but [Mode#PALETTE].
  public static Picture of(Mode mode, int width, int height, byte[] samples) {
    return new Picture(mode, width, height, samples, NO_PALETTE);
  }

  /// The same mode and palette with other samples.
  public Picture with(int width, int height, byte[] samples) {
    return new Picture(mode, width, height, samples, palette);
  }

  /// The colours as `Image.convert("RGB")` gives them: opacity dropped, 16-bit grey clipped at 255, inks as
  /// `R = n − n·C` with `n = 255 − K` in Pillow's 8-bit product. Shares the bytes of a picture that is RGB already.
  public Pixels pixels() {
    if (mode == Mode.RGB) return new Pixels(width, height, samples);
    byte[] rgb = new byte[Math.multiplyExact(3, width * height)];
    for (int i = 0, o = 0, step = mode.bytes(); i < samples.length; i += step, o += 3) {
      switch (mode) {
        case BILEVEL, GREY, GREY_ALPHA -> rgb[o] = rgb[o + 1] = rgb[o + 2] = samples[i];
        case GREY16 -> rgb[o] = rgb[o + 1] = rgb[o + 2] = samples[i + 1] == 0 ? samples[i] : (byte) 255;
        case PALETTE -> System.arraycopy(palette, 3 * (samples[i] & 255), rgb, o, 3);
        case RGB, RGBA -> System.arraycopy(samples, i, rgb, o, 3);
        case YCBCR -> chroma(samples, i, rgb, o);
        case INT32 -> rgb[o] = rgb[o + 1] = rgb[o + 2] = (byte) Math.clamp(word(i), 0, 255);
        case FLOAT32 -> rgb[o] = rgb[o + 1] = rgb[o + 2] =
            (byte) (int) Math.clamp(Float.intBitsToFloat(word(i)), 0f, 255f);
        case CMYK -> {
          int n = 255 - (samples[i + 3] & 255);
          for (int c = 0; c < 3; c++) rgb[o + c] = (byte) Math.clamp(n - product(samples[i + c] & 255, n), 0, 255);
        }
      }
    }
    return new Pixels(width, height, rgb);
  }

  private int word(int at) {
    return samples[at] & 255 | (samples[at + 1] & 255) << 8 | (samples[at + 2] & 255) << 16 | samples[at + 3] << 24;
  }

  /// R = Y + 1.402·Cr, G = Y − 0.34414·Cb − 0.71414·Cr, B = Y + 1.772·Cb, the products in sixty-fourths (JFIF 1.02).
  private static void chroma(byte[] samples, int at, byte[] rgb, int to) {
    int y = samples[at] & 255, cb = (samples[at + 1] & 255) - 128, cr = (samples[at + 2] & 255) - 128;
    rgb[to] = (byte) Math.clamp(y + (share(1.402, cr) >> 6), 0, 255);
    rgb[to + 1] = (byte) Math.clamp(y + (share(-.34414, cb) + share(-.71414, cr) >> 6), 0, 255);
    rgb[to + 2] = (byte) Math.clamp(y + (share(1.772, cb) >> 6), 0, 255);
  }

  private static int share(double factor, int difference) { return (int) (factor * difference * 64 + .5); }

  /// a·b/255 to the nearest, in integers: `((t >> 8) + t) >> 8` with `t = a·b + 128`.
  public static int product(int a, int b) {
    int t = a * b + 128;
    return ((t >> 8) + t) >> 8;
  }

  /// The part of `height` rows and `width` columns whose top left pixel is (`left`, `top`); it must lie inside.
  public Picture crop(int left, int top, int width, int height) {
    if (left < 0 || top < 0 || width <= 0 || height <= 0 || left > this.width - width || top > this.height - height)
      throw new IllegalArgumentException("crop %dx%d at (%d, %d) leaves the picture of %dx%d".formatted(width, height,
          left, top,
          this.width, this.height));
    if (width == this.width && height == this.height) return this;
    int step = mode.bytes();
    byte[] part = new byte[width * height * step];
    for (int y = 0; y < height; y++)
      System.arraycopy(samples, ((top + y) * this.width + left) * step, part, y * width * step, width * step);
    return with(width, height, part);
  }

  /// The picture with a margin whose samples are all `fill`, in its own mode: for a palette the index, for inks no ink
  /// at 0, opacity too.
  public Picture pad(Padding margins, int fill) {
    int left = margins.left(), top = margins.top(), step = mode.bytes();
    int w = width + left + margins.right(), h = height + top + margins.bottom();
    byte[] padded = new byte[Math.multiplyExact(Math.multiplyExact(w, h), step)];
    if (fill != 0) {
      int value = mode == Mode.FLOAT32 ? Float.floatToRawIntBits(fill) : fill;
      if (mode == Mode.GREY16 || mode == Mode.INT32 || mode == Mode.FLOAT32)
        for (int i = 0; i < padded.length; i++) padded[i] = (byte) (value >> 8 * (i % step));
      else Arrays.fill(padded, mode == Mode.BILEVEL ? (byte) 255 : (byte) fill);
    }
    for (int y = 0; y < height; y++)
      System.arraycopy(samples, y * width * step, padded, ((top + y) * w + left) * step, width * step);
    return with(w, h, padded);
  }

  /// The picture turned upright, `orientation` being the EXIF value 1 to 8 (1: as it is; 3: half a turn; 6: stored 90°
  /// to the left; 8: to the right; 2, 4, 5, 7: mirrored). Other values leave it as it is, as Pillow does.
  public Picture upright(int orientation) {
    if (orientation < 2 || orientation > 8) return this;
    boolean swap = orientation >= 5;
    boolean fromRight = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    boolean fromBottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    int w = swap ? height : width, h = swap ? width : height, step = mode.bytes();
    byte[] turned = new byte[samples.length];
    for (int y = 0; y < h; y++) {
      for (int x = 0; x < w; x++) {
        int u = swap ? y : x, v = swap ? x : y;
        int from = (fromBottom ? height - 1 - v : v) * width + (fromRight ? width - 1 - u : u);
        System.arraycopy(samples, from * step, turned, (y * w + x) * step, step);
      }
    }
    return with(w, h, turned);
  }

  @Override public String toString() { return "Picture[" + mode + " " + width + "x" + height + "]"; }

  @Override public boolean equals(Object other) {
    return other instanceof Picture p && mode == p.mode && width == p.width && height == p.height
        && Arrays.equals(samples, p.samples) && Arrays.equals(palette, p.palette);
  }

  @Override public int hashCode() {
    return Objects.hash(mode, width, height, Arrays.hashCode(samples), Arrays.hashCode(palette));
  }
}
