package jacquard.clip.image.decode.tiff;


import jacquard.clip.image.ImageException;
import jacquard.clip.image.decode.FileBytes;

/// Fax codes in TIFF files (ITU-T T.4 and T.6; TIFF 6.0, section 10 and 11): bilevel rows as run lengths, or as changes
/// against the row above. A row that does not fit its width is refused: each decoder mends it in its own way.
final class Fax {
  private static final String WHITE = """
      00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 101010 101011 0100111 0001100
      0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010 00000011 00011010 00011011 00010010 00010011
      00010100 00010101 00010110 00010111 00101000 00101001 00101010 00101011 00101100 00101101 00000100 00000101 00001010 00001011
      01010010 01010011 01010100 01010101 00100100 00100101 01011000 01011001 01011010 01011011 01001010 01001011 00110010 00110011
      00110100 11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010 011010011
      011010100 011010101 011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001 010011010 011000 010011011""";
  private static final String BLACK = """
      0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000 0000010111 0000011000
      0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 00000010111 00000011000 000011001010 000011001011
      000011001100 000011001101 000001101000 000001101001 000001101010 000001101011 000011010010 000011010011 000011010100 000011010101
      000011010110 000011010111 000001101100 000001101101 000011011010 000011011011 000001010100 000001010101 000001010110 000001010111
      000001100100 000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 000000101000 000001011000
      000001011001 000000101011 000000101100 000001011010 000001100110 000001100111 0000001111 000011001000 000011001001 000001011011
      000000110011 000000110100 000000110101 0000001101100 0000001101101 0000001001010 0000001001011 0000001001100 0000001001101
      0000001110010 0000001110011 0000001110100 0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 0000001010100
      0000001010101 0000001011010 0000001011011 0000001100100 0000001100101""";
  private static final String LONG = """
      00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110 000000010111 000000011100
      000000011101 000000011110 000000011111""";
  private static final int BITS = 13, PASS = 3, HORIZONTAL = 4;
  /// By colour and the next 13 bits: run length << 4 | bits of the word; 0 where there is none.
  private static final int[][] RUNS = {runs(WHITE), runs(BLACK)};
  /// The same for two-dimensional rows: offset −3 … 3, pass or horizontal, plus 8.
  private static final int[] CHANGES = changes();

  private final FileBytes source;
  private final byte[] in;
  private final int width;
  private int at; // in bits
  private int[] above, row;
  private int count;

  private Fax(FileBytes source, byte[] in, int width) {
    this.source = source;
    this.in = in;
    this.width = width;
    above = new int[width + 4];
    row = new int[width + 4];
  }

  private static int[] runs(String words) {
    int[] table = new int[1 << BITS];
    String[] each = words.split("\\s+"), more = LONG.split("\\s+");
    for (int i = 0; i < each.length; i++) put(table, each[i], i < 64 ? i : 64 * (i - 63));
    for (int i = 0; i < more.length; i++) put(table, more[i], 1792 + 64 * i);
    return table;
  }

  private static int[] changes() {
    int[] table = new int[1 << BITS];
    String[] words = {"0000010", "000010", "010", "1", "011", "000011", "0000011"};
    for (int i = 0; i < words.length; i++) put(table, words[i], i - 3 + 8);
    put(table, "0001", 8 + PASS + 1);
    put(table, "001", 8 + HORIZONTAL + 1);
    return table;
  }

  private static void put(int[] table, String word, int value) {
    int free = BITS - word.length(), from = Integer.parseInt(word, 2) << free;
    for (int i = from; i < from + (1 << free); i++) table[i] = value << 4 | word.length();
  }

  /// Rows of packed bits, white 0, black 1. The shape is compression (2, 3 or 4), width, rows, and the options of T.4
  /// (1: rows against the row above).
  static byte[] decode(FileBytes source, byte[] in, int[] shape) throws ImageException {
    int width = shape[1], lines = shape[2], stride = (width + 7) / 8;
    var fax = new Fax(source, in, width);
    byte[] out = new byte[stride * lines];
    fax.end(fax.row, 0);
    for (int y = 0; y < lines; y++) {
      int[] swapped = fax.above;
      fax.above = fax.row;
      fax.row = swapped;
      fax.count = 0;
      boolean alone = shape[0] != TiffStrips.FAX4;
      if (shape[0] == TiffStrips.FAX3) alone = fax.mark((shape[3] & 1) != 0);
      if (shape[0] == TiffStrips.FAX_RUNS) fax.at = fax.at + 7 & ~7;
      if (alone) fax.runs(y);
      else fax.differences(y);
      fax.end(fax.row, fax.count);
      fax.paint(out, y * stride);
    }
    return out;
  }

  private void end(int[] changes, int count) {
    for (int i = count; i < Math.min(count + 4, changes.length); i++) changes[i] = width;
  }

  private int peek() {
    int word = 0;
    for (int i = at >> 3, end = i + 3; i < end; i++) word = word << 8 | (i < in.length ? in[i] & 255 : 0);
    return word >> 24 - BITS - (at & 7) & (1 << BITS) - 1;
  }

  private ImageException broken(int y) {
    return source.refusal("a fax TIFF that is damaged in row %d: %s", y, at > 8L * in.length ? "its data end"
        : "its codes are none");
  }

  /// Skips the mark before a row (zeros, then 1) where there is one; says whether the row stands alone.
  private boolean mark(boolean mixed) throws ImageException {
    if (peek() >> 2 == 0) {
      while (peek() >> 1 == 0 && at < 8L * in.length) at++;
      while (at < 8L * in.length && peek() >> BITS - 1 == 0) at++;
      at++;
    } else if (mixed) {
      throw source.refusal("a fax TIFF without marks between its rows, at bit %d", at);
    }
    return !mixed || (peek() >> BITS - 1 & 1) == 1 & at++ >= 0;
  }

  private int run(int colour, int y) throws ImageException {
    for (int sum = 0; ; ) {
      int entry = RUNS[colour][peek()];
      at += entry & 15;
      if (entry == 0 || at > 8L * in.length) throw broken(y);
      sum += entry >> 4;
      if (sum > width) throw broken(y);
      if (entry >> 4 < 64) return sum;
    }
  }

  private void change(int place, int y) throws ImageException {
    if (place > width || count > 0 && place < row[count - 1]) throw broken(y);
    row[count++] = place;
  }

  private void runs(int y) throws ImageException {
    for (int x = 0, colour = 0; x < width; colour ^= 1) change(x += run(colour, y), y);
  }

  private void differences(int y) throws ImageException {
    int x = -1, colour = 0, near = 0;
    while (x < width) {
      int entry = CHANGES[peek()];
      at += entry & 15;
      if (entry == 0 || at > 8L * in.length) throw broken(y);
      near = Math.max(0, near - 2); // the first change above to the right of x, to the other colour
      if ((near & 1) != colour) near ^= 1;
      while (above[near] <= x && above[near] < width) near += 2;
      int kind = (entry >> 4) - 8;
      if (kind == PASS + 1) {
        x = above[near + 1];
      } else if (kind == HORIZONTAL + 1) {
        int first = run(colour, y), second = run(colour ^ 1, y);
        change(Math.max(x, 0) + first, y);
        change(x = Math.max(x, 0) + first + second, y);
      } else {
        int place = above[near] + kind;
        if (place < Math.max(x, 0) || place == x && x > 0) throw broken(y);
        change(x = place, y);
        colour ^= 1;
      }
      if (count > width + 1) throw broken(y);
    }
  }

  private void paint(byte[] out, int to) {
    for (int i = 0; i < count; i += 2)
      for (int x = row[i], end = i + 1 < count ? row[i + 1] : width; x < end; x++)
        out[to + (x >> 3)] |= (byte) (128 >> (x & 7));
  }
}
