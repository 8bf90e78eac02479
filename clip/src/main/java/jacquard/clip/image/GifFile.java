package jacquard.clip.image;

import java.awt.image.Raster;
import java.io.IOException;
import java.util.Arrays;

/// The first frame of a GIF file, laid on its logical screen as Pillow does: the screen is index 0, or the transparent index where there
/// is one; a palette in which each index is its own grey makes the picture grey.
final class GifFile {
  private final byte[] bytes;
  private final String name;
  private int left, top, frameWidth, frameHeight, background;
  private byte[] palette;

  private GifFile(byte[] bytes, String name) {
    this.bytes = bytes;
    this.name = name;
  }

  static GifFile parse(byte[] bytes, String name) throws ImageException {
    GifFile file = new GifFile(bytes, name);
    try {
      file.walk();
    } catch (IndexOutOfBoundsException end) {
      throw new ImageException(name, "the GIF ends after " + bytes.length + " bytes, before its first frame", end);
    }
    return file;
  }

  private void walk() throws ImageException {
    int at = 13;
    byte[] shared = (bytes[10] & 0x80) != 0 ? colours(at, bytes[10]) : null;
    if (shared != null) at += 3 << (bytes[10] & 7) + 1;
    while (bytes[at] == 0x21) {
      if ((bytes[at + 1] & 255) == 0xF9 && (bytes[at + 3] & 1) != 0) background = bytes[at + 6] & 255;
      at += 2;
      while (bytes[at] != 0) at += (bytes[at] & 255) + 1;
      at++;
    }
    if (bytes[at] != 0x2C) throw new ImageException(name, "byte %02X at %d of the GIF, expected a frame".formatted(bytes[at], at));
    left = word(at + 1);
    top = word(at + 3);
    frameWidth = word(at + 5);
    frameHeight = word(at + 7);
    boolean own = (bytes[at + 9] & 0x80) != 0;
    palette = own ? colours(at + 10, bytes[at + 9]) : shared;
    if (palette != null && ramp(palette, 2 << ((own ? bytes[at + 9] : bytes[10]) & 7))) palette = null;
  }

  private byte[] colours(int at, byte flags) {
    byte[] colours = new byte[768]; // black beyond what is named
    int length = 3 << (flags & 7) + 1;
    if (at + length > bytes.length) throw new IndexOutOfBoundsException();
    System.arraycopy(bytes, at, colours, 0, length);
    return colours;
  }

  private static boolean ramp(byte[] palette, int size) {
    for (int i = 0; i < 3 * size; i++) if ((palette[i] & 255) != i / 3) return false;
    return true;
  }

  Picture decode(Images.Options options) throws IOException {
    int width = Math.max(word(6), left + frameWidth), height = Math.max(word(8), top + frameHeight);
    Images.checkSize(width, height, name, options);
    Images.checkSize(frameWidth, frameHeight, name, options);
    Raster frame = Decoder.GIF.image(bytes, name, options).getRaster();
    byte[] indices = Rasters.bytes(frame, 0, 1, false), screen = new byte[width * height];
    Arrays.fill(screen, (byte) background);
    for (int y = 0; y < frameHeight; y++) System.arraycopy(indices, y * frameWidth, screen, (top + y) * width + left, frameWidth);
    return palette == null ? Picture.of(Mode.GREY, width, height, screen) : new Picture(Mode.PALETTE, width, height, screen, palette);
  }

  private int word(int at) { return bytes[at] & 255 | (bytes[at + 1] & 255) << 8; }
}
