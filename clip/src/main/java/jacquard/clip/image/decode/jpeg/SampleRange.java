package jacquard.clip.image.decode.jpeg;

import java.util.Arrays;

/// Whether the samples of a JPEG file stay where all decoders agree. Damaged data that still are codes make
/// coefficients that no encoder writes: the IJG library's version 6b takes samples modulo 1,024, vector code keeps them
/// at the ends. So the coefficients are read once more here (ITU-T T.81, annexes F and G); what is no code, or too
/// little, says no.
final class SampleRange {
  private static final int FURTHEST = 500; // of 512 to either side of the middle; the rest is for rounding
  private static final int MOST = Short.MAX_VALUE;
  private static final int[] ROW_BY_ROW = {0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40,
      48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
      52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};
  private static final double[][] WAVES = new double[8][8]; // [frequency][place]

  static {
    for (int u = 0; u < 8; u++)
      for (int x = 0; x < 8; x++)
        WAVES[u][x] = (u == 0 ? Math.sqrt(0.125) : 0.5) * Math.cos((2 * x + 1) * u * Math.PI / 16);
  }

  /// A component: blocks across and down in whole units of an interleaved scan, and what its scans say.
  private static final class Component {
    int id, across, down, table, columns, rows, stride, expected;
    int[] steps, dc, ac;
    short[] coefficients; // of a progressive picture
  }

  private final byte[] b;
  private final int[][] steps = new int[4][], codes = new int[8][]; // of DC, then of AC, by their next 16 bits
  private final int[] block = new int[64], values = new int[64];
  private final CoefficientBits bits;
  private Component[] components;
  private boolean progressive;
  private int width, height, interval, widest, tallest, first, last, high, low, run;

  private SampleRange(byte[] b) {
    this.b = b;
    bits = new CoefficientBits(b);
  }

  /// Whether every block of the file does.
  static boolean holds(byte[] file) {
    try {
      return new SampleRange(file).read();
    } catch (IllegalArgumentException | IndexOutOfBoundsException | NullPointerException damaged) {
      return false;
    }
  }

  private boolean read() {
    for (int at = 2; ; ) {
      while (b[at] != -1 || b[at + 1] == 0 || b[at + 1] == -1 || (b[at + 1] & 0xF8) == 0xD0) at++;
      int marker = b[at + 1] & 255, from = at + 4;
      if (marker == 0xD9) break;
      int end = at + 2 + word(at + 2);
      switch (marker) {
        case 0xC0, 0xC1, 0xC2 -> frame(from, marker == 0xC2);
        case 0xC4 -> codes(from, end);
        case 0xDB -> steps(from, end);
        case 0xDD -> interval = word(from);
        case 0xDA -> end = scan(from, end);
        default -> { }
      }
      if (end < 0) return false;
      at = end;
    }
    if (!progressive) return true;
    for (Component c : components)
      for (int i = 0; i < c.coefficients.length; i += 64) {
        for (int k = 0; k < 64; k++) block[k] = c.coefficients[i + k];
        if (!holds(c.steps)) return false;
      }
    return true;
  }

  private int word(int at) { return (b[at] & 255) << 8 | b[at + 1] & 255; }

  private void frame(int from, boolean progressive) {
    this.progressive = progressive;
    height = word(from + 1);
    width = word(from + 3);
    components = new Component[b[from + 5]];
    for (int i = 0; i < components.length; i++) {
      var c = components[i] = new Component();
      c.id = b[from + 6 + 3 * i];
      c.across = b[from + 7 + 3 * i] >> 4;
      c.down = b[from + 7 + 3 * i] & 15;
      c.table = b[from + 8 + 3 * i];
      widest = Math.max(widest, c.across);
      tallest = Math.max(tallest, c.down);
    }
    for (var c : components) {
      c.columns = blocks(width * c.across, widest);
      c.rows = blocks(height * c.down, tallest);
      c.stride = blocks(width, widest) * c.across;
      if (progressive) c.coefficients =
          new short[Math.multiplyExact(64 * c.stride, blocks(height, tallest) * c.down)];
    }
  }

  private static int blocks(int samples, int most) { return (samples + 8 * most - 1) / (8 * most); }

  private void steps(int at, int end) {
    while (at < end) {
      int kind = b[at++];
      int[] table = steps[kind & 15] = new int[64];
      for (int k = 0; k < 64; k++, at += kind > 15 ? 2 : 1) table[k] = kind > 15 ? word(at) : b[at] & 255;
    }
  }

  private void codes(int at, int end) {
    while (at < end) {
      int kind = b[at], code = 0, symbol = at + 17;
      int[] table = codes[(kind >> 4) * 4 + (kind & 15)] = new int[1 << 16];
      for (int length = 1; length <= 16; length++, code <<= 1)
        for (int n = b[at + length] & 255; n > 0; n--, code++)
          Arrays.fill(table, code << 16 - length, code + 1 << 16 - length, length << 8 | b[symbol++] & 255);
      at = symbol;
    }
  }

  /// Reads a scan; where it ends, or −1 where a block of it does not hold.
  private int scan(int from, int start) {
    var of = new Component[b[from]];
    for (int i = 0; i < of.length; i++) {
      int id = b[from + 1 + 2 * i], tables = b[from + 2 + 2 * i];
      for (var c : components) if (c.id == id) of[i] = c;
      of[i].dc = codes[tables >> 4 & 3];
      of[i].ac = codes[4 + (tables & 3)];
      if (of[i].steps == null) of[i].steps = steps[of[i].table];
    }
    first = progressive ? b[from + 1 + 2 * of.length] : 0;
    last = progressive ? b[from + 2 + 2 * of.length] : 63;
    high = progressive ? b[from + 3 + 2 * of.length] >> 4 & 15 : 0;
    low = progressive ? b[from + 3 + 2 * of.length] & 15 : 0;
    boolean alone = of.length == 1;
    int across = alone ? of[0].columns : blocks(width, widest), units =
        across * (alone ? of[0].rows : blocks(height, tallest));
    bits.start(start);
    restart(of);
    for (int unit = 0; unit < units; unit++) {
      if (interval > 0 && unit > 0 && unit % interval == 0) {
        bits.restart(unit / interval - 1 & 7);
        restart(of);
      }
      for (var c : of)
        for (int n = 0, count = alone ? 1 : c.across * c.down; n < count; n++) {
          int x = alone ? unit % across : unit % across * c.across + n % c.across;
          int y = alone ? unit / across : unit / across * c.down + n / c.across;
          if (progressive) part(c, (y * c.stride + x) * 64);
          else if (!whole(c)) return -1;
        }
    }
    return bits.end();
  }

  private void restart(Component[] of) {
    for (var c : of) c.expected = 0;
    run = 0;
  }

  private boolean whole(Component c) {
    Arrays.fill(block, 0);
    block[0] = c.expected += bits.value(bits.symbol(c.dc));
    for (int k = 1; k < 64; k++) {
      int symbol = bits.symbol(c.ac), size = symbol & 15;
      if (size == 0 && symbol != 0xF0) break;
      k += symbol >> 4;
      if (size != 0) block[Math.min(k, 63)] = bits.value(size);
    }
    return holds(c.steps);
  }

  /// Adds what a progressive scan says of the block at `at`.
  private void part(Component c, int at) {
    if (first == 0) {
      if (high == 0) c.coefficients[at] = fitting((c.expected += bits.value(bits.symbol(c.dc))) << low);
      else if (bits.next(1) != 0) c.coefficients[at] |= (short) (1 << low);
    } else if (high == 0) begun(c, at);
    else refined(c, at);
  }

  private void begun(Component c, int at) {
    if (run > 0) {
      run--;
      return;
    }
    for (int k = first; k <= last; k++) {
      int symbol = bits.symbol(c.ac), zeros = symbol >> 4, size = symbol & 15;
      if (size == 0 && zeros < 15) {
        run = (1 << zeros) - 1 + bits.next(zeros);
        return;
      }
      k += zeros;
      if (size != 0) c.coefficients[at + Math.min(k, 63)] = fitting(bits.value(size) << low);
    }
  }

  private void refined(Component c, int at) {
    int k = first;
    if (run == 0) {
      for (; k <= last; k++) {
        int symbol = bits.symbol(c.ac), zeros = symbol >> 4, size = symbol & 15, value = 0;
        if (size == 0 && zeros < 15) {
          run = (1 << zeros) + bits.next(zeros);
          break;
        }
        if (size != 0) value = bits.next(1) != 0 ? 1 << low : -1 << low;
        for (; k <= last; k++) {
          if (c.coefficients[at + k] != 0) corrected(c.coefficients, at + k);
          else if (zeros-- == 0) break;
        }
        if (value != 0 && k <= last) c.coefficients[at + k] = (short) value;
      }
    }
    if (run > 0) {
      for (; k <= last; k++) if (c.coefficients[at + k] != 0) corrected(c.coefficients, at + k);
      run--;
    }
  }

  private void corrected(short[] coefficients, int at) {
    if (bits.next(1) != 0 && (coefficients[at] & 1 << low) == 0)
      coefficients[at] += (short) (coefficients[at] > 0 ? 1 << low : -1 << low);
  }

  private static short fitting(int value) {
    if (Math.abs(value) > MOST) throw new IllegalArgumentException("a coefficient of " + value);
    return (short) value;
  }

  /// Whether the samples of `block` do. Their sum of magnitudes mostly says so, else their waves.
  private boolean holds(int[] steps) {
    long sum = 0;
    for (int k = 0; k < 64; k++) {
      long value = (long) block[k] * steps[k];
      if (Math.abs(value) > MOST) return false;
      values[ROW_BY_ROW[k]] = (int) value;
      sum += k == 0 ? Math.abs(value) : 2 * Math.abs(value);
    }
    if (sum <= 8 * FURTHEST) return true;
    double[] rows = new double[64];
    for (int v = 0; v < 64; v += 8)
      for (int x = 0; x < 8; x++)
        for (int u = 0; u < 8; u++) rows[v + x] += WAVES[u][x] * values[v + u];
    for (int y = 0; y < 8; y++)
      for (int x = 0; x < 8; x++) {
        double sample = 0;
        for (int v = 0; v < 8; v++) sample += WAVES[v][y] * rows[8 * v + x];
        if (Math.abs(sample) > FURTHEST) return false;
      }
    return true;
  }
}
