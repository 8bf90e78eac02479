package jacquard.clip.image.decode.jpeg;

/// The bits of a JPEG file's scans: a byte FF of data is followed by 00, and another ends them (ITU-T T.81, F.2.2.5).
final class CoefficientBits {
  private final byte[] bytes;
  private long held;
  private int at, count, missing; // bits that are held, and how many of them are beyond the end

  CoefficientBits(byte[] bytes) { this.bytes = bytes; }

  void start(int at) {
    this.at = at;
    held = 0;
    count = missing = 0;
  }

  /// Goes on behind a restart's marker of this number, which must come next.
  void restart(int number) {
    int marker = end();
    while (bytes[marker + 1] == -1) marker++;
    if ((bytes[marker + 1] & 255) != 0xD0 + number) throw new IllegalArgumentException("no restart " + number);
    start(marker + 2);
  }

  /// Where the marker behind the bits is, none of which but a last byte's may be left.
  int end() {
    if (bytes[at] != -1 || count - missing > 7) throw new IllegalArgumentException("bytes too many before " + at);
    return at;
  }

  private int peek() {
    while (count < 16) {
      boolean data = at + 1 < bytes.length && (bytes[at] != -1 || bytes[at + 1] == 0);
      held = held << 8 | (data ? bytes[at] & 255 : 0);
      if (data) at += bytes[at] == -1 ? 2 : 1; else missing += 8;
      count += 8;
    }
    return (int) (held >> count - 16) & 0xFFFF;
  }

  private void drop(int bits) {
    count -= bits;
    if (count < missing) throw new IllegalArgumentException("too few bits before " + at);
  }

  /// Up to 16 bits as a number.
  int next(int bits) {
    int value = peek() >> 16 - bits;
    drop(bits);
    return value;
  }

  /// The next symbol of a table by 16 bits: the code's length, and the symbol in the low byte.
  int symbol(int[] table) {
    int entry = table[peek()];
    if (entry == 0) throw new IllegalArgumentException("no code before " + at);
    drop(entry >> 8);
    return entry & 255;
  }

  /// A number of so many bits, whose first says its sign (F.2.2.1).
  int value(int bits) {
    if (bits == 0) return 0;
    int value = next(bits);
    return value >> bits - 1 != 0 ? value : value - (1 << bits) + 1;
  }
}
