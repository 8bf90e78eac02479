package jacquard.clip.image.decode.vp8l;

/// A canonical prefix code (section 3.7): short words by a table, longer ones bit by bit. Its memory is in proportion
/// to what the file spends on it.
final class Code {
  private static final int SHORT = 8, LONGEST = 15;
  private static final int[] LENGTHS_ORDER = {17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

  private final int only; // the one symbol of a code without bits, −1 where there are more
  private final int mask;
  private final short[] table; // symbol << 4 | bits, 0 where the word is longer
  private final int[] counts, symbols;

  private Code(int[] lengths) {
    int[] counts = new int[LONGEST + 1];
    int used = 0, last = -1, longest = 0;
    for (int s = 0; s < lengths.length; s++) {
      if (lengths[s] == 0) continue;
      counts[lengths[s]]++;
      used++;
      last = s;
      longest = Math.max(longest, lengths[s]);
    }
    if (used == 0) throw new IllegalArgumentException("a prefix code without symbols");
    only = used == 1 ? last : -1;
    if (used == 1) {
      mask = 0;
      table = null;
      this.counts = symbols = null;
      return;
    }
    int open = 1;
    for (int bits = 1; bits <= LONGEST; bits++) open = 2 * open - counts[bits];
    if (open != 0) throw new IllegalArgumentException("a prefix code that is not complete");
    this.counts = counts;
    symbols = new int[used];
    int[] next = new int[LONGEST + 2], code = new int[LONGEST + 2];
    for (int bits = 1; bits <= LONGEST; bits++) {
      next[bits + 1] = next[bits] + counts[bits];
      code[bits + 1] = code[bits] + counts[bits] << 1;
    }
    int direct = Math.min(longest, SHORT);
    mask = (1 << direct) - 1;
    table = new short[1 << direct];
    for (int s = 0; s < lengths.length; s++) {
      int bits = lengths[s];
      if (bits == 0) continue;
      symbols[next[bits]++] = s;
      int word = Integer.reverse(code[bits]++) >>> 32 - bits;
      if (bits <= direct) for (int i = word; i < table.length; i += 1 << bits) table[i] = (short) (s << 4 | bits);
    }
  }

  /// Reads a code of `size` symbols.
  static Code read(Bits bits, int size) {
    int[] lengths = new int[size];
    if (bits.flag()) {
      boolean two = bits.flag();
      int first = bits.read(bits.flag() ? 8 : 1), second = two ? bits.read(8) : first;
      if (first < size) lengths[first] = 1;
      if (second < size) lengths[second] = 1;
      return new Code(lengths);
    }
    int[] outer = new int[19];
    for (int i = 0, n = 4 + bits.read(4); i < n; i++) outer[LENGTHS_ORDER[i]] = bits.read(3);
    Code code = new Code(outer);
    int left = size;
    if (bits.flag()) {
      left = 2 + bits.read(2 + 2 * bits.read(3));
      if (left > size)
        throw new IllegalArgumentException("a prefix code of " + left + " symbols, expected at most " + size);
    }
    for (int s = 0, previous = 8; s < size && left-- > 0; ) {
      int length = code.next(bits);
      if (length < 16) {
        lengths[s++] = length;
        if (length != 0) previous = length;
        continue;
      }
      int repeat = length == 16 ? 3 + bits.read(2) : length == 17 ? 3 + bits.read(3) : 11 + bits.read(7);
      if (repeat > size - s)
        throw new IllegalArgumentException("a prefix code with lengths beyond its " + size + " symbols");
      while (repeat-- > 0) lengths[s++] = length == 16 ? previous : 0;
    }
    return new Code(lengths);
  }

  int next(Bits bits) {
    if (only >= 0) return only;
    long word = bits.peek();
    int entry = table[(int) word & mask];
    if (entry != 0) {
      bits.skip(entry & 15);
      return (entry & 0xFFFF) >> 4;
    }
    int code = 0, first = 0, index = 0;
    for (int length = 1; length <= LONGEST; length++, word >>>= 1) {
      code |= (int) word & 1;
      int count = counts[length];
      if (code - count < first) {
        bits.skip(length);
        return symbols[index + code - first];
      }
      index += count;
      first = first + count << 1;
      code <<= 1;
    }
    throw new IllegalArgumentException("a word that is not in its prefix code");
  }

  /// The symbol of a code without bits, else −1.
  int only() { return only; }
}
