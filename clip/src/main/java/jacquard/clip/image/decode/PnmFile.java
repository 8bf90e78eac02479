package jacquard.clip.image.decode;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;

/// Netpbm's portable bitmaps, greymaps and pixmaps, as text (P1 to P3) and as bytes (P4 to P6), and the grey floats of
/// Pf.
final class PnmFile {
  private static final int LONGEST = 10; // digits of a number

  private final FileBytes source;
  private int at = 2;

  private PnmFile(FileBytes source) { this.source = source; }

  static boolean begins(byte[] b) {
    return b.length > 2 && b[0] == 'P' && (b[1] >= '1' && b[1] <= '6' || b[1] == 'f') && space(b[2]);
  }

  static Picture decode(FileBytes source) throws ImageException { return new PnmFile(source).read(source.u8(1)); }

  private static boolean space(int c) { return c == ' ' || c >= 9 && c <= 13; }

  private Picture read(int kind) throws ImageException {
    int width = number(), height = number();
    source.checkSize(width, height);
    if (kind == 'f') return floats(width, height);
    if (kind == '1' || kind == '4') return Picture.of(Mode.BILEVEL, width, height, kind == '1' ? digits(width * height)
        : bits(width, height));
    int most = number(), bands = kind == '3' || kind == '6' ? 3 : 1;
    if (most < 1 || most > 65535) throw source.refusal("a largest sample of %d, expected 1 to 65535", most);
    boolean wide = most > 255 && bands == 1;
    int count = Math.multiplyExact(width * height, bands), scale = wide ? 65535 : 255, stored = most > 255 ? 2 : 1;
    if (kind >= '5') source.require(at, (long) count * stored);
    byte[] out = new byte[wide ? Math.multiplyExact(4, count) : count];
    for (int i = 0; i < count; i++) {
      int sample = kind < '5' ? number() : stored == 1 ? source.u8(at++) : source.big16((at += 2) - 2);
      if (kind < '5' && sample > most) throw source.refusal("a sample of %d, expected at most %d", sample, most);
      int level = (int) Math.min(scale, Math.rint((double) sample / most * scale));
      if (wide) {
        out[4 * i] = (byte) level;
        out[4 * i + 1] = (byte) (level >> 8);
      } else {
        out[i] = (byte) level;
      }
    }
    return Picture.of(wide ? Mode.INT32 : bands == 1 ? Mode.GREY : Mode.RGB, width, height, out);
  }

  /// The next word; a comment lasts to the end of its line.
  private String word() throws ImageException {
    var word = new StringBuilder();
    while (at < source.length()) {
      int c = source.bytes()[at++];
      if (c == '#') {
        while (at < source.length() && source.bytes()[at] != '\n' && source.bytes()[at] != '\r') at++;
        at++;
      } else if (!space(c)) {
        word.append((char) (c & 255));
        if (word.length() > LONGEST) throw source.refusal("a number of more than %d digits: %s", LONGEST, word);
      } else if (!word.isEmpty()) {
        break;
      }
    }
    if (word.isEmpty()) throw source.refusal("truncated: the file ends after %,d bytes", source.length());
    return word.toString();
  }

  private int number() throws ImageException {
    String word = word();
    try {
      int number = Integer.parseInt(word);
      if (number >= 0) return number;
    } catch (NumberFormatException stated) {
      // said below
    }
    throw source.refusal("'%s' where a number is expected", word);
  }

  /// 1 is black; digits need no space between them.
  private byte[] digits(int count) throws ImageException {
    byte[] out = new byte[count];
    for (int i = 0; i < count; ) {
      int c = source.u8(at++);
      if (c == '#') while (at < source.length() && source.bytes()[at] != '\n' && source.bytes()[at] != '\r') at++;
      else if (c == '0' || c == '1') out[i++] = (byte) (c == '0' ? 255 : 0);
      else if (!space(c)) throw source.refusal("byte %02X where 0 or 1 is expected", c);
    }
    return out;
  }

  private byte[] bits(int width, int height) throws ImageException {
    int stride = (width + 7) / 8;
    source.require(at, (long) stride * height);
    byte[] out = new byte[width * height];
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x++)
        out[y * width + x] = (byte) ((source.bytes()[at + y * stride + x / 8] >> 7 - x % 8 & 1) - 1);
    return out;
  }

  /// Rows from the bottom; a negative scale says that the low byte is first.
  private Picture floats(int width, int height) throws ImageException {
    double scale;
    try {
      scale = Double.parseDouble(word());
    } catch (NumberFormatException none) {
      throw new ImageException(source.name(), "a scale that is no number", none);
    }
    if (scale == 0 || !Double.isFinite(scale)) throw source.refusal("a scale of %s", scale);
    source.require(at, 4L * width * height);
    byte[] out = new byte[Math.multiplyExact(4, width * height)], b = source.bytes();
    for (int y = 0, to = 0; y < height; y++)
      for (int x = 0; x < width; x++, to += 4)
        for (int i = 0; i < 4; i++) out[to + (scale < 0 ? i : 3 - i)] = b[at + ((height - 1 - y) * width + x) * 4 + i];
    return Picture.of(Mode.FLOAT32, width, height, out);
  }

}
