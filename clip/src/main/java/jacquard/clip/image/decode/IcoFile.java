package jacquard.clip.image.decode;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import java.util.Arrays;

/// The largest picture of a Windows icon: a PNG file, or a BMP without its first header followed by a mask.
final class IcoFile {
  private IcoFile() {}

  private record Entry(int width, int height, int bits, int depth, long size, long offset) {}

  static Picture decode(FileBytes source) throws ImageException {
    int count = source.u16(4);
    Entry best = null;
    for (int i = 0, at = 6; i < count; i++, at += 16) {
      int colours = source.u8(at + 2), bits = source.u16(at + 6);
      int depth = bits != 0 ? bits : colours != 0 ? 32 - Integer.numberOfLeadingZeros(colours - 1) : 256;
      var entry = new Entry(side(source.u8(at)), side(source.u8(at + 1)), bits, depth == 0 ? 256 : depth,
          source.u32(at + 8),
          source.u32(at + 12));
      int area = entry.width * entry.height, most = best == null ? -1 : best.width * best.height;
      if (area > most || area == most && entry.depth < best.depth) best = entry;
    }
    if (best == null) throw source.refusal("an icon without pictures");
    source.require(best.offset, 8);
    int from = (int) best.offset;
    if (source.big16(from) == 0x8950 && source.big16(from + 2) == 0x4E47 && source.big16(from + 4) == 0x0D0A
        && source.big16(from + 6) == 0x1A0A)
      return PngFile.decode(source.with(Arrays.copyOfRange(source.bytes(), from, source.length())));
    long[] place = new long[1];
    Picture picture = BmpFile.inIcon(source, from, place);
    return masked(source, best, picture, place[0]);
  }

  private static int side(int stored) { return stored == 0 ? 256 : stored; }

  /// The fourth byte of 32-bit pixels is their opacity; with others a set bit of the mask, which ends the entry, is
  /// clear.
  private static Picture masked(FileBytes source, Entry entry, Picture picture, long pixels) throws ImageException {
    int w = picture.width(), h = picture.height(), stride = (w + 31) / 32 * 4;
    boolean deep = entry.bits == 32;
    long at = deep ? pixels + 3 : entry.offset + entry.size - (long) stride * h;
    source.require(at, deep ? 4L * w * h - 3 : (long) stride * h);
    byte[] rgb = picture.pixels().rgb(), b = source.bytes(), out = new byte[Math.multiplyExact(4, w * h)];
    for (int y = 0, to = 0, in = 0; y < h; y++) {
      long row = at + (h - 1L - y) * (deep ? 4L * w : stride);
      for (int x = 0; x < w; x++) {
        for (int c = 0; c < 3; c++) out[to++] = rgb[in++];
        out[to++] = deep ? b[(int) row + 4 * x] : (byte) ((b[(int) row + x / 8] >> 7 - x % 8 & 1) - 1);
      }
    }
    return Picture.of(Mode.RGBA, w, h, out);
  }
}
