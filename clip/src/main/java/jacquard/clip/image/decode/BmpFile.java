package jacquard.clip.image.decode;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import java.util.Arrays;

/// A BMP file of Windows or OS/2, or the part of it that an icon holds, as Pillow reads it: what the header says of
/// sizes in bytes is not looked at, and a palette of greys makes the picture grey or bilevel.
final class BmpFile {
  private static final int PLAIN = 0, RUNS8 = 1, RUNS4 = 2, MASKS = 3;
  /// Masks of red, green, blue and opacity of 32-bit pixels, and the bytes where these lie; −1 for none.
  private static final int[][] LAYOUTS =
      {{0xFF0000, 0xFF00, 0xFF, 0, 2, 1, 0, -1}, {0xFF000000, 0xFF0000, 0xFF00, 0, 3, 2, 1, -1},
      {0xFF000000, 0xFF00, 0xFF, 0, 3, 1, 0, -1}, {0xFF000000, 0xFF0000, 0xFF00, 0xFF, 3, 2, 1, 0},
      {0xFF, 0xFF00, 0xFF0000, 0xFF000000, 0, 1, 2, 3}, {0xFF0000, 0xFF00, 0xFF, 0xFF000000, 2, 1, 0, 3},
      {0xFF000000, 0xFF00, 0xFF, 0xFF0000, 3, 1, 0, 2}, {0, 0, 0, 0, 2, 1, 0, 3}};

  private final FileBytes source;
  private long width, height, data;
  private int bits, packing;
  private boolean downwards;
  private final int[] masks = new int[4];
  private byte[] palette;
  private Mode mode = Mode.RGB;

  private BmpFile(FileBytes source) { this.source = source; }

  static Picture decode(FileBytes source) throws ImageException {
    BmpFile file = new BmpFile(source);
    file.header(14, source.u32(10));
    return file.picture();
  }

  /// A file without its first header, which `.dib` files lack.
  static Picture bare(FileBytes source) throws ImageException {
    BmpFile file = new BmpFile(source);
    file.header(0, 0);
    return file.picture();
  }

  /// The picture of an icon that begins at `at`: its header counts the rows of a mask too.
  /// @param place the first byte of its pixels is put there
  static Picture inIcon(FileBytes source, int at, long[] place) throws ImageException {
    BmpFile file = new BmpFile(source);
    file.header(at, 0);
    file.height /= 2;
    place[0] = file.data;
    return file.picture();
  }

  private void header(int at, long offset) throws ImageException {
    long size = source.u32(at), colours = 0, next = at + size;
    int entry = 4;
    if (size == 12) {
      width = source.u16(at + 4);
      height = source.u16(at + 6);
      bits = source.u16(at + 10);
      entry = 3;
    } else if (size == 40 || size == 52 || size == 56 || size == 64 || size == 108 || size == 124) {
      source.require(at, size);
      downwards = source.u8(at + 11) == 0xFF;
      width = source.u32(at + 4);
      height = downwards ? (1L << 32) - source.u32(at + 8) : source.u32(at + 8);
      bits = source.u16(at + 14);
      packing = (int) Math.min(source.u32(at + 16), 1 << 16);
      colours = source.u32(at + 32);
      if (packing == MASKS) {
        int count = size == 52 || size == 40 ? 3 : 4;
        for (int i = 0; i < count; i++) masks[i] = (int) source.u32(at + 40 + 4 * i);
        if (size == 40) next += 12;
      }
    } else {
      throw source.refusal("a BMP header of %d bytes, expected 12, 40, 52, 56, 64, 108 or 124", size);
    }
    source.checkSize(width, height);
    if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
      throw source.refusal("a BMP of %d bits a pixel, expected 1, 4, 8, 16, 24 or 32", bits);
    if (packing > MASKS) throw source.refusal("a BMP packed by method %d, expected 0 to 3", packing);
    if (colours == 0) colours = bits < 32 ? 1L << bits : 0;
    if (offset == at + size && bits <= 8) offset += entry * colours;
    if (bits <= 8) {
      if (colours > 65536) throw source.refusal("a BMP palette of %d colours, expected at most 65536", colours);
      palette((int) next, (int) colours, entry);
      next = Math.min(next + entry * colours, source.length());
    }
    data = offset != 0 ? offset : next;
  }

  /// Blue, green, red, and a byte that says nothing where entries have four.
  private void palette(int at, int colours, int entry) throws ImageException {
    byte[] b = source.bytes();
    palette = new byte[768];
    boolean grey = true;
    for (int i = 0; i < colours; i++) {
      int from = at + i * entry, level = colours == 2 ? i * 255 : i;
      boolean whole = from + 3 <= b.length;
      for (int c = 0; c < 3; c++) {
        if (whole && i < 256) palette[3 * i + c] = b[from + 2 - c];
        grey &= whole && b[from + c] == (byte) level;
      }
    }
    if (!grey && Math.min(colours, (b.length - at) / entry) > 256)
      throw source.refusal("a BMP palette of %d colours, expected at most 256", colours);
    mode = !grey ? Mode.PALETTE : colours <= 2 ? Mode.BILEVEL : Mode.GREY;
  }

  private Picture picture() throws ImageException {
    source.checkSize(width, height);
    int w = (int) width, h = (int) height;
    byte[] samples;
    if (packing == RUNS8 || packing == RUNS4) {
      if (bits > 8 || mode == Mode.BILEVEL) throw source.refusal("runs in a BMP of %d bits a pixel", bits);
      samples = runs(w, h);
    } else if (bits <= 8) {
      samples = indices(w, h);
    } else {
      samples = colours(w, h);
    }
    return mode == Mode.PALETTE ? new Picture(mode, w, h, samples, palette) : Picture.of(mode, w, h, samples);
  }

  private long row(int y, long stride) { return data + (downwards ? y : height - 1 - y) * stride; }

  private byte[] indices(int w, int h) throws ImageException {
    // as Pillow, whatever the header says of greys
    int each = mode == Mode.PALETTE ? bits : mode.equals(Mode.GREY) ? 8 : 1;
    long stride = (width * bits + 31 >> 3) & ~3L, used = (width * each + 7) / 8;
    if (used > stride) throw source.refusal("a BMP of %d bits a pixel whose palette is %d greys", bits, 256);
    source.require(data, stride * (h - 1) + used);
    byte[] b = source.bytes(), out = new byte[w * h];
    int inByte = 8 / each, mask = (1 << each) - 1;
    for (int y = 0, to = 0; y < h; y++) {
      int from = (int) row(y, stride);
      for (int x = 0; x < w; x++) {
        int index = b[from + x / inByte] >> 8 - each * (x % inByte + 1) & mask;
        out[to++] = (byte) (mode == Mode.BILEVEL ? -index : index);
      }
    }
    return out;
  }

  private byte[] colours(int w, int h) throws ImageException {
    long stride = (width * bits + 31 >> 3) & ~3L;
    int step = bits / 8, green = 5;
    int[] places = {2, 1, 0, -1};
    if (packing == MASKS && bits == 32) places = layout();
    else if (packing == MASKS && bits == 16 && Arrays.equals(masks, 0, 3, new int[] {0xF800, 0x7E0, 0x1F}, 0, 3))
      green = 6;
    else if (packing == MASKS && !Arrays.equals(masks, 0, 3, bits == 24 ? new int[] {0xFF0000, 0xFF00, 0xFF}
        : new int[] {0x7C00, 0x3E0, 0x1F}, 0, 3)) throw masks();
    if (places[3] >= 0) mode = Mode.RGBA;
    source.require(data, stride * (h - 1) + width * step);
    int bands = mode.bytes();
    byte[] b = source.bytes(), out = new byte[Math.multiplyExact(w * h, bands)];
    for (int y = 0, to = 0; y < h; y++) {
      int from = (int) row(y, stride);
      for (int x = 0; x < w; x++, from += step, to += bands) {
        if (bits == 16) {
          int pixel = b[from] & 255 | (b[from + 1] & 255) << 8, mask = (1 << green) - 1;
          out[to] = (byte) ((pixel >> 5 + green & 31) * 255 / 31);
          out[to + 1] = (byte) ((pixel >> 5 & mask) * 255 / mask);
          out[to + 2] = (byte) ((pixel & 31) * 255 / 31);
        } else {
          for (int c = 0; c < bands; c++) out[to + c] = b[from + places[c]];
        }
      }
    }
    return out;
  }

  private int[] layout() throws ImageException {
    for (int[] known : LAYOUTS) if (Arrays.equals(known, 0, 4, masks, 0, 4)) return Arrays.copyOfRange(known, 4, 8);
    throw masks();
  }

  private ImageException masks() {
    return source.refusal("a BMP of %d bits with the masks %08X %08X %08X %08X, which Pillow does not know either",
        bits, masks[0], masks[1],
        masks[2], masks[3]);
  }

  /// Runs of one index, or of two in turn, and stretches as they are; rows from the bottom.
  private byte[] runs(int w, int h) throws ImageException {
    byte[] b = source.bytes(), flat = new byte[w * h];
    int at = (int) Math.min(data, b.length), to = 0, x = 0;
    while (to < flat.length && at + 2 <= b.length) {
      int count = b[at++] & 255, value = b[at++] & 255;
      if (count > 0) {
        count = Math.clamp(w - x, 0, count);
        for (int i = 0; i < count && to + i < flat.length; i++)
          flat[to + i] = (byte) (packing == RUNS8 ? value : i % 2 == 0 ? value >> 4 : value & 15);
        to += count;
        x += count;
      } else if (value == 0) {
        to = (to + w - 1) / w * w;
        x = 0;
      } else if (value == 1) {
        break;
      } else if (value == 2) {
        if (at + 2 > b.length) break;
        to = Math.min(flat.length, to + (b[at] & 255) + (b[at + 1] & 255) * w);
        at += 2;
        x = to % w;
      } else {
        int there = Math.min(flat.length - to, value), stored = packing == RUNS8 ? there : (there + 1) / 2;
        int read = Math.min(stored, b.length - at);
        for (int i = 0; i < (packing == RUNS8 ? read : Math.min(there, 2 * read)); i++)
          flat[to++] = (byte) (packing == RUNS8 ? b[at + i] : i % 2 == 0 ? b[at + i / 2] >> 4 & 15
              : b[at + i / 2] & 15);
        if (read < stored || to == flat.length) break;
        at += stored;
        x += value;
        at += at & 1;
      }
    }
    if (to < flat.length) throw source.refusal("truncated BMP: its runs end after %,d of %,d pixels", to, flat.length);
    if (downwards) return flat;
    byte[] out = new byte[flat.length];
    for (int y = 0; y < h; y++) System.arraycopy(flat, (h - 1 - y) * w, out, y * w, w);
    return out;
  }
}
