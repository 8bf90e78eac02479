package jacquard.clip.image.decode.vp8;

/// The boolean entropy decoder (RFC 6386, section 7). Past its end it yields zeros and remembers that it did.
final class Bits {
  private final byte[] data;
  private final int end;
  private int at, missing;
  private long value;
  private int held = -8; // bits of value below the byte that is compared
  private int range = 254; // less one

  Bits(byte[] data, int from, int to) {
    this.data = data;
    this.at = from;
    this.end = to;
  }

  /// One bit that is 0 with probability `probability`/256.
  boolean next(int probability) {
    while (held < 0) {
      value <<= 8;
      held += 8;
      if (at < end) value |= data[at++] & 255; else missing++;
    }
    int split = range * probability >> 8, wide;
    boolean bit = (int) (value >> held) > split;
    if (bit) {
      value -= (long) (split + 1) << held;
      wide = range - split;
    } else {
      wide = split + 1;
    }
    int shift = Integer.numberOfLeadingZeros(wide) - 24;
    range = (wide << shift) - 1;
    held -= shift;
    return bit;
  }

  boolean flag() { return next(128); }

  /// `bits` bits, the highest first.
  int literal(int bits) {
    int number = 0;
    for (int i = 0; i < bits; i++) number = number << 1 | (flag() ? 1 : 0);
    return number;
  }

  /// `bits` bits and a sign.
  int signed(int bits) {
    int number = literal(bits);
    return flag() ? -number : number;
  }

  /// A flag, and where it is set a signed number; else 0.
  int optional(int bits) { return flag() ? signed(bits) : 0; }

  /// Whether bytes were needed that are not there.
  boolean exhausted() { return missing > 0; }
}
