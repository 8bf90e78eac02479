package jacquard.clip.image.decode;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import java.util.Arrays;

/// The first frame of a GIF file (GIF89a), laid on its logical screen as Pillow does: the screen is index 0, or the
/// transparent index where there is one; a palette in which each index is its own grey makes the picture grey. Stray
/// bytes between blocks are skipped, and blocks of no bytes inside the frame too; a frame whose codes do not fill it is
/// refused.
final class GifFile {
  private static final int TABLE = 4096, MOST_BITS = 12;
  private static final int[] FIRST_ROWS = {0, 4, 2, 1}, ROW_STEPS = {8, 8, 4, 2}; // interlaced

  private final FileBytes source;
  private final byte[] bytes;
  private int left, top, frameWidth, frameHeight, background, data;
  private boolean interlaced;
  private byte[] palette;

  private GifFile(FileBytes source) {
    this.source = source;
    this.bytes = source.bytes();
  }

  static Picture decode(FileBytes source) throws ImageException {
    GifFile file = new GifFile(source);
    file.walk();
    return file.screen();
  }

  private void walk() throws ImageException {
    int at = 13, flags = source.u8(10);
    byte[] shared = null;
    int sharedSize = 0;
    if ((flags & 0x80) != 0) {
      shared = colours(at, flags);
      sharedSize = 2 << (flags & 7);
      at += 3 * sharedSize;
    }
    while (source.u8(at) != 0x2C) {
      int introducer = source.u8(at++);
      if (introducer == 0x3B) throw source.refusal("the GIF ends at byte %d without a frame", at);
      if (introducer != 0x21) continue; // a stray byte
      int label = source.u8(at++), size = source.u8(at);
      if (label == 0xF9 && size > 0 && (source.u8(at + 1) & 1) != 0) background = source.u8(at + 4);
      while (source.u8(at) != 0) at += source.u8(at) + 1;
      at++;
    }
    left = source.u16(at + 1);
    top = source.u16(at + 3);
    frameWidth = source.u16(at + 5);
    frameHeight = source.u16(at + 7);
    int own = source.u8(at + 9), size = sharedSize;
    interlaced = (own & 0x40) != 0;
    data = at + 10;
    palette = shared;
    if ((own & 0x80) != 0) {
      palette = colours(data, own);
      size = 2 << (own & 7);
      data += 3 * size;
    }
    if (palette != null && ramp(palette, size)) palette = null;
  }

  private byte[] colours(int at, int flags) throws ImageException {
    byte[] colours = new byte[768]; // black beyond what is named
    int length = 3 << (flags & 7) + 1;
    source.require(at, length);
    System.arraycopy(bytes, at, colours, 0, length);
    return colours;
  }

  private static boolean ramp(byte[] palette, int size) {
    for (int i = 0; i < 3 * size; i++) if ((palette[i] & 255) != i / 3) return false;
    return true;
  }

  private Picture screen() throws ImageException {
    int width = Math.max(source.u16(6), left + frameWidth), height = Math.max(source.u16(8), top + frameHeight);
    source.checkSize(width, height);
    source.checkSize(frameWidth, frameHeight);
    if ((long) frameWidth * frameHeight / TABLE > 8L * bytes.length) throw incomplete();
    byte[] screen = new byte[width * height];
    if (background != 0) Arrays.fill(screen, (byte) background);
    frame(screen, width);
    return palette == null ? Picture.of(Mode.GREY, width, height, screen)
        : new Picture(Mode.PALETTE, width, height, screen, palette);
  }

  private ImageException incomplete() {
    return source.refusal("truncated GIF: its codes end before the frame of %dx%d is full", frameWidth, frameHeight);
  }

  /// Where the next pixel goes: rows from the top, or each eighth, the eighths between, the fourths, the others.
  private final class Cursor {
    private final byte[] screen;
    private final int width;
    private int pass = interlaced ? 0 : 3, x, y;

    Cursor(byte[] screen, int width) {
      this.screen = screen;
      this.width = width;
    }

    /// Says whether the frame is full.
    boolean put(byte index) {
      screen[(top + y) * width + left + x] = index;
      if (++x < frameWidth) return false;
      x = 0;
      y += interlaced ? ROW_STEPS[pass] : 1;
      while (y >= frameHeight) {
        if (pass == 3) return true;
        y = FIRST_ROWS[++pass];
      }
      return false;
    }
  }

  private void frame(byte[] screen, int width) throws ImageException {
    int least = source.u8(data), clear = 1 << least, at = data + 1, inBlock = 0;
    if (least >= MOST_BITS) throw source.refusal("GIF codes of %d bits, expected at most %d", least, MOST_BITS - 1);
    var cursor = new Cursor(screen, width);
    byte[] last = new byte[TABLE], word = new byte[TABLE + 1];
    short[] before = new short[TABLE];
    int next = clear + 2, size = least + 1, previous = -1, first = 0, held = 0, value = 0;
    while (true) {
      while (held < size) {
        if (inBlock == 0) {
          if (at >= bytes.length || at + 1 + (bytes[at] & 255) > bytes.length) throw incomplete();
          inBlock = bytes[at++] & 255;
          continue;
        }
        value |= (bytes[at++] & 255) << held;
        held += 8;
        inBlock--;
      }
      int code = value & (1 << size) - 1;
      value >>>= size;
      held -= size;
      if (code == clear) {
        next = clear + 2;
        size = least + 1;
        previous = -1;
        continue;
      }
      if (code == clear + 1) throw incomplete();
      if (code > (previous < 0 ? clear : next))
        throw source.refusal("broken GIF: code %d where %d are known", code, next);
      if (previous < 0) {
        first = previous = code;
        if (cursor.put((byte) code)) return;
        continue;
      }
      int known = code, from = word.length;
      if (code == next) {
        word[--from] = (byte) first;
        known = previous;
      }
      for (; known >= clear; known = before[known]) {
        if (from == 0 || known == clear || known == clear + 1)
          throw source.refusal("broken GIF: code %d has no end", code);
        word[--from] = last[known];
      }
      first = known;
      if (next < TABLE) {
        last[next] = (byte) first;
        before[next] = (short) previous;
        if (next == (1 << size) - 1 && size < MOST_BITS) size++;
        next++;
      }
      previous = code;
      if (cursor.put((byte) first)) return;
      for (; from < word.length; from++) if (cursor.put(word[from])) return;
    }
  }
}
