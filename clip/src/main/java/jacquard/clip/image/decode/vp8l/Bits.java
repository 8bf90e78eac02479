package jacquard.clip.image.decode.vp8l;

/// Bits of a file, the lowest of a byte first. Past the end they are zeros, and [#exhausted] says so.
final class Bits {
  private final byte[] data;
  private final int end;
  private int at, held;
  private long value, missing;

  Bits(byte[] data, int from, int to) {
    this.data = data;
    this.at = from;
    this.end = to;
  }

  /// The next 32 bits at least, not taken.
  long peek() {
    while (held <= 56) {
      if (at < end) value |= (data[at++] & 255L) << held;
      else missing += 8;
      held += 8;
    }
    return value;
  }

  void skip(int bits) {
    value >>>= bits;
    held -= bits;
  }

  int read(int bits) {
    int number = (int) (peek() & (1L << bits) - 1);
    skip(bits);
    return number;
  }

  boolean flag() { return read(1) != 0; }

  /// Whether bits were taken that are not there.
  boolean exhausted() { return missing > held; }
}
