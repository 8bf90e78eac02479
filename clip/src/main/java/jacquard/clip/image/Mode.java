package jacquard.clip.image;

/// How the samples of a [Picture] are to be read; the modes of Pillow that image files decode to.
public enum Mode {
  /// One byte a pixel, 0 or 255.
  BILEVEL(1),
  /// One byte of luminance a pixel.
  GREY(1),
  /// Two bytes of luminance a pixel, the low one first. Becomes 8-bit by clipping at 255, not by a shift, as in Pillow.
  GREY16(2),
  /// One byte a pixel, an index into the palette.
  PALETTE(1),
  /// Red, green, blue.
  RGB(3),
  /// Luminance, opacity.
  GREY_ALPHA(2),
  /// Red, green, blue, opacity; colours are not premultiplied.
  RGBA(4),
  /// Cyan, magenta, yellow, black; 0 is no ink.
  CMYK(4),
  /// Luma and two differences of colour, full range; becomes RGB after resizing.
  YCBCR(3),
  /// Four bytes of luminance a pixel, the low one first, signed. Becomes 8-bit by clipping.
  INT32(4),
  /// A float of luminance a pixel, the low byte first. Becomes 8-bit by truncation and clipping.
  FLOAT32(4);

  private final int bytes;

  Mode(int bytes) { this.bytes = bytes; }

  /// Bytes a pixel.
  public int bytes() { return bytes; }

  /// Whether pixels of this mode cannot be mixed, so that they are resized by the nearest neighbour whatever was asked.
  public boolean discrete() { return this == BILEVEL || this == PALETTE; }
}
