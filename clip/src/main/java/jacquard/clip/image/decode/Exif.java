package jacquard.clip.image.decode;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// The first directory of EXIF data, which is laid out as a TIFF file (TIFF 6.0, section 2). Broken data have no tags.
public final class Exif {
  private static final int ORIENTATION = 274, SHORT = 3;
  private static final int[] NOTHING = {};

  private Exif() {}

  /// The orientation (tag 274) in the TIFF structure in `length` bytes from `from`; 1, upright, where it says nothing.
  public static int orientation(byte[] bytes, int from, int length) {
    int[] values = shorts(bytes, from, length, ORIENTATION, 1);
    return values.length == 0 ? 1 : values[0];
  }

  /// The 16-bit values of a tag, at most `most`; none where it is absent or of another type.
  static int[] shorts(byte[] bytes, int from, int length, int tag, int most) {
    if (from < 0 || length < 8 || from > bytes.length - length) return NOTHING;
    ByteBuffer data = ByteBuffer.wrap(bytes, from, length).slice();
    if (data.get(0) == 'I') data.order(ByteOrder.LITTLE_ENDIAN);
    long at = data.getInt(4) & 0xFFFFFFFFL;
    if (data.getShort(0) != (data.order() == ByteOrder.LITTLE_ENDIAN ? 0x4949 : 0x4D4D) || data.getShort(2) != 42
        || at + 2 > length)
      return NOTHING;
    int entries = data.getShort((int) at) & 0xFFFF;
    for (long entry = at + 2; entries-- > 0 && entry + 12 <= length; entry += 12) {
      if ((data.getShort((int) entry) & 0xFFFF) != tag || data.getShort((int) entry + 2) != SHORT) continue;
      long count = Math.min(data.getInt((int) entry + 4) & 0xFFFFFFFFL, most);
      long values = count > 2 ? data.getInt((int) entry + 8) & 0xFFFFFFFFL : entry + 8;
      if (values + 2 * count > length) return NOTHING;
      int[] found = new int[(int) count];
      for (int i = 0; i < found.length; i++) found[i] = data.getShort((int) values + 2 * i) & 0xFFFF;
      return found;
    }
    return NOTHING;
  }

  /// 6 where the data begin with `Exif` and two zeros, else 0.
  public static int prefix(byte[] bytes, int from, int length) {
    return length >= 6 && bytes[from] == 'E' && bytes[from + 1] == 'x' && bytes[from + 2] == 'i'
        && bytes[from + 3] == 'f'
        && bytes[from + 4] == 0 ? 6 : 0;
  }
}
