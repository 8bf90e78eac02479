package jacquard.clip.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// The orientation tag (274) of EXIF data, which is laid out as a TIFF file. Broken data says 1, upright.
final class Exif {
  private static final int ORIENTATION = 274;

  private Exif() {}

  /// The orientation of the TIFF structure in `length` bytes from `from`.
  static int orientation(byte[] bytes, int from, int length) {
    if (from < 0 || length < 8 || from > bytes.length - length) return 1;
    ByteBuffer data = ByteBuffer.wrap(bytes, from, length).slice();
    if (data.get(0) == 'I') data.order(ByteOrder.LITTLE_ENDIAN);
    long at = data.getInt(4) & 0xFFFFFFFFL;
    if (data.getShort(0) != (data.order() == ByteOrder.LITTLE_ENDIAN ? 0x4949 : 0x4D4D) || data.getShort(2) != 42 || at + 2 > length) return 1;
    int entries = data.getShort((int) at) & 0xFFFF;
    for (long entry = at + 2; entries-- > 0 && entry + 12 <= length; entry += 12) {
      if ((data.getShort((int) entry) & 0xFFFF) == ORIENTATION && data.getShort((int) entry + 2) == 3) return data.getShort((int) entry + 8) & 0xFFFF;
    }
    return 1;
  }

  /// 6 where the data begin with `Exif` and two zeros, else 0.
  static int prefix(byte[] bytes, int from, int length) {
    return length >= 6 && bytes[from] == 'E' && bytes[from + 1] == 'x' && bytes[from + 2] == 'i' && bytes[from + 3] == 'f' && bytes[from + 4] == 0 ? 6 : 0;
  }
}
