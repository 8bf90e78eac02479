package jacquard.clip.image.decode.vp8;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// The boolean entropy decoder (RFC 6386, section 7). Past its end it yields zeros and remembers that it did. Bytes
/// that no encoder writes make a value beyond the range; it then decides as in the reference decoder, which takes seven
/// bytes at once.
final class Bits {
  private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private final byte[] data;
  private final int end;
  private int at;
  private boolean exhausted;
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
    if (held < 0) load();
    int split = range * probability >> 8;
    return decided(split, Integer.compareUnsigned((int) (value >>> held), split) > 0);
  }

  /// A bit of even odds, which says a coefficient's sign; the reference decoder compares by the difference.
  boolean sign() {
    if (held < 0) load();
    int split = range >> 1;
    return decided(split, split - (int) (value >>> held) < 0);
  }

  private boolean decided(int split, boolean bit) {
    int wide = bit ? range - split : split + 1;
    if (bit) value -= (long) (split + 1) << held;
    int shift = Integer.numberOfLeadingZeros(wide) - 24;
    range = (wide << shift) - 1;
    held -= shift;
    return bit;
  }

  private void load() {
    if (end - at >= 8) {
      value = value << 56 | (long) LONGS.get(data, at) >>> 8;
      held += 56;
      at += 7;
    } else if (at < end || !exhausted) {
      exhausted = at == end;
      value = value << 8 | (exhausted ? 0 : data[at++] & 255);
      held += 8;
    } else held = 0;
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
  boolean exhausted() { return exhausted; }
}
