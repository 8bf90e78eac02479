package jacquard.clip.image.decode.vp8;

import java.util.Arrays;

/// Decodes a VP8 key frame (RFC 6386), which is what a lossy WebP file holds, to the bits of the reference decoder for
/// WebP.
public final class KeyFrame {
  // luma modes: mean, from above, from the left, true motion, each 4×4 block by its own
  private static final int FOUR_BY_FOUR = 4;
  private static final int[] BLOCK_TREE = {0, 2, -1, 4, -2, 6, 8, 12, -3, 10, -5, -6, -4, 14, -7, 16, -8, -9};
  private static final int[] AS_BLOCK_MODE = {0, 2, 3, 1}; // what a whole macroblock's mode is to the blocks beside it
  private static final int[] ZIGZAG = {0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15};
  private static final int[] BANDS = {0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0};
  private static final int[][] LARGE = {{173, 148, 140}, {176, 155, 140, 135}, {180, 157, 141, 134, 130},
      {254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129}};

  private final Header header;
  private final int columns, rows;
  private final Plane luma, cb, cr;
  // loop filter level of each macroblock, negative (−1 − level) where its inner edges are left alone
  private final byte[] strength;

  private final int[] above, left = new int[4]; // modes of the 4×4 blocks above and to the left
  // whether blocks had coefficients: 4 luma, 2 + 2 chroma, Y2
  private final boolean[] aboveFull, leftFull = new boolean[9];
  private final int[] coefficients = new int[25 * 16], modes = new int[16], edge = new int[13], scratch = new int[16];

  private KeyFrame(byte[] data, int from, int to) {
    header = new Header(data, from, to);
    columns = header.width + 15 >> 4;
    rows = header.height + 15 >> 4;
    luma = new Plane(columns * 16, rows * 16);
    cb = new Plane(columns * 8, rows * 8);
    cr = new Plane(columns * 8, rows * 8);
    strength = new byte[columns * rows];
    above = new int[columns * 4];
    aboveFull = new boolean[columns * 9];
  }

  /// What was decoded: `rgb` is `[height, width, 3]`.
  public record Image(int width, int height, byte[] rgb) {}

  /// Width and height, from the frame's header alone.
  /// @throws IllegalArgumentException when the bytes are no key frame
  public static int[] size(byte[] data, int from, int to) {
    Header.check(data, from, to);
    return new int[] {(data[from + 6] & 255 | (data[from + 7] & 255) << 8) & 0x3FFF,
        (data[from + 8] & 255 | (data[from + 9] & 255) << 8) & 0x3FFF};
  }

  /// Decodes the frame in bytes `from` to `to`.
  /// @throws IllegalArgumentException when they are no whole key frame
  public static Image decode(byte[] data, int from, int to) {
    var frame = new KeyFrame(data, from, to);
    for (int y = 0; y < frame.rows; y++) frame.row(y);
    frame.filter();
    return new Image(frame.header.width, frame.header.height,
        Colours.rgb(frame.luma, frame.cb, frame.cr, frame.header.width, frame.header.height));
  }

  private void row(int y) {
    Bits modeBits = header.first, tokens = header.partitions[y % header.partitions.length];
    Arrays.fill(left, 0);
    Arrays.fill(leftFull, false);
    for (int x = 0; x < columns; x++) {
      int segment = 0;
      if (header.segmentMap)
        segment = !modeBits.next(header.segmentProbabilities[0])
            ? (modeBits.next(header.segmentProbabilities[1]) ? 1 : 0)
            : (modeBits.next(header.segmentProbabilities[2]) ? 3 : 2);
      boolean skip = header.skipProbability >= 0 && modeBits.next(header.skipProbability);
      int mode = lumaMode(modeBits, x), chroma = !modeBits.next(142) ? 0 : !modeBits.next(114) ? 1 : modeBits.next(183)
          ? 3 : 2;
      Arrays.fill(coefficients, 0);
      boolean empty = true;
      if (skip) clear(x, mode); else empty = residuals(tokens, x, mode, header.steps[segment]);
      predict(x, y, mode, chroma);
      boolean each = mode == FOUR_BY_FOUR;
      int level = header.levels[segment][each ? 1 : 0];
      strength[y * columns + x] = (byte) (each || !empty ? level : -1 - level);
    }
    if (tokens.exhausted() || modeBits.exhausted())
      throw new IllegalArgumentException("the VP8 frame ends in row " + y + " of " + rows + " of its macroblocks");
  }

  private int lumaMode(Bits bits, int x) {
    if (bits.next(145)) {
      int mode = bits.next(156) ? (bits.next(128) ? 3 : 2) : bits.next(163) ? 1 : 0;
      Arrays.fill(left, AS_BLOCK_MODE[mode]);
      Arrays.fill(above, 4 * x, 4 * x + 4, AS_BLOCK_MODE[mode]);
      return mode;
    }
    for (int j = 0; j < 4; j++) {
      for (int i = 0; i < 4; i++) {
        int expected = (above[4 * x + i] * 10 + left[j]) * 9, node = 0;
        do node = BLOCK_TREE[node + (bits.next(Tables.BLOCK_MODES[expected + node / 2]) ? 1 : 0)]; while (node > 0);
        modes[4 * j + i] = above[4 * x + i] = left[j] = -node;
      }
    }
    return FOUR_BY_FOUR;
  }

  /// A macroblock without coefficients; one predicted by 4×4 blocks has no Y2 and leaves its neighbours' view of it.
  private void clear(int x, int mode) {
    int last = mode == FOUR_BY_FOUR ? 8 : 9;
    Arrays.fill(leftFull, 0, last, false);
    Arrays.fill(aboveFull, 9 * x, 9 * x + last, false);
  }

  /// Reads the coefficients: 16 luma blocks, 4 Cb, 4 Cr, and Y2, which holds the first ones of luma. Says whether all
  /// are zero.
  private boolean residuals(Bits bits, int x, int mode, int[] steps) {
    int top = 9 * x, first = 0, kind = 3;
    if (mode != FOUR_BY_FOUR) {
      int count = block(bits, 1, (aboveFull[top + 8] ? 1 : 0) + (leftFull[8] ? 1 : 0), 0, 384, steps[2], steps[3]);
      aboveFull[top + 8] = leftFull[8] = count > 0;
      hadamard();
      first = 1;
      kind = 0;
    }
    boolean empty = true;
    for (int n = 0; n < 24; n++) {
      boolean isLuma = n < 16;
      int j = isLuma ? n / 4 : 4 + (n - 16) / 4 * 2 + n / 2 % 2, i = isLuma ? n % 4 : 4 + (n - 16) / 4 * 2 + n % 2,
          from = isLuma ? first
          : 0;
      int context = (aboveFull[top + i] ? 1 : 0) + (leftFull[j] ? 1 : 0);
      int end = block(bits, isLuma ? kind : 2, context, from, n * 16, steps[isLuma ? 0 : 4], steps[isLuma ? 1 : 5]);
      aboveFull[top + i] = leftFull[j] = end > from;
      empty &= end <= 1 && coefficients[n * 16] == 0;
    }
    return empty;
  }

  /// Reads one block's coefficients from the `n`-th on into `to`; where it ends (RFC 6386, section 13).
  private int block(Bits bits, int kind, int context, int n, int to, int firstStep, int otherStep) {
    int[] p = header.probabilities;
    int at = at(kind, n, context);
    if (!bits.next(p[at])) return n;
    while (true) {
      if (!bits.next(p[at + 1])) { // zero, after which the block cannot end
        if (++n == 16) return 16;
        at = at(kind, n, 0);
        continue;
      }
      int value = 1;
      if (bits.next(p[at + 2])) value = large(bits, p, at);
      int scaled = value * (n > 0 ? otherStep : firstStep);
      coefficients[to + ZIGZAG[n]] = (short) (bits.sign() ? -scaled : scaled); // 16 bits, as in the reference decoder
      if (++n == 16) return 16;
      at = at(kind, n, value == 1 ? 1 : 2);
      if (!bits.next(p[at])) return n;
    }
  }

  private static int at(int kind, int n, int context) { return ((kind * 8 + BANDS[n]) * 3 + context) * 11; }

  private static int large(Bits bits, int[] p, int at) {
    if (!bits.next(p[at + 3])) return !bits.next(p[at + 4]) ? 2 : bits.next(p[at + 5]) ? 4 : 3;
    if (!bits.next(p[at + 6])) {
      if (!bits.next(p[at + 7])) return bits.next(159) ? 6 : 5;
      int high = bits.next(165) ? 2 : 0;
      return 7 + high + (bits.next(145) ? 1 : 0);
    }
    int high = bits.next(p[at + 8]) ? 1 : 0, category = 2 * high + (bits.next(p[at + 9 + high]) ? 1 : 0), extra = 0;
    for (int probability : LARGE[category]) extra = 2 * extra + (bits.next(probability) ? 1 : 0);
    return 3 + (8 << category) + extra;
  }

  /// Y2 → the first coefficient of each luma block (RFC 6386, section 14.3).
  private void hadamard() {
    int[] c = coefficients;
    for (int i = 384; i < 388; i++) {
      int a = c[i] + c[i + 12], b = c[i + 4] + c[i + 8], d = c[i + 4] - c[i + 8], e = c[i] - c[i + 12];
      scratch[i - 384] = a + b;
      scratch[i - 380] = e + d;
      scratch[i - 376] = a - b;
      scratch[i - 372] = e - d;
    }
    for (int j = 0; j < 16; j += 4) {
      int dc = scratch[j] + 3, a = dc + scratch[j + 3], b = scratch[j + 1] + scratch[j + 2], d =
          scratch[j + 1] - scratch[j + 2],
          e = dc - scratch[j + 3];
      c[16 * j] = (short) (a + b >> 3);
      c[16 * j + 16] = (short) (e + d >> 3);
      c[16 * j + 32] = (short) (a - b >> 3);
      c[16 * j + 48] = (short) (e - d >> 3);
    }
  }

  private void predict(int x, int y, int mode, int chroma) {
    int corner = luma.at(16 * x, 16 * y);
    if (mode != FOUR_BY_FOUR) luma.predict(mode, 16 * x, 16 * y, 16);
    for (int n = 0; n < 16; n++) {
      int at = corner + n / 4 * 4 * luma.stride + n % 4 * 4;
      if (mode == FOUR_BY_FOUR) {
        aboveRight(corner, x, y, n, at);
        luma.predictBlock(modes[n], at, edge);
      }
      luma.addLuma(at, coefficients, 16 * n, scratch);
    }
    cb.predict(chroma, 8 * x, 8 * y, 8);
    cr.predict(chroma, 8 * x, 8 * y, 8);
    for (int n = 0; n < 4; n++) {
      int at = cb.at(8 * x + n % 2 * 4, 8 * y + n / 2 * 4);
      cb.addTransformed(at, coefficients, 256 + 16 * n, scratch);
      cr.addTransformed(at, coefficients, 320 + 16 * n, scratch);
    }
  }

  /// The four samples above and to the right of block `n`. Blocks of the last column see the row above the macroblock;
  /// beyond the right edge its last sample repeats.
  private void aboveRight(int corner, int x, int y, int n, int at) {
    boolean last = n % 4 == 3;
    int from = last ? corner - luma.stride + 16 : at - luma.stride + 4;
    for (int i = 0; i < 4; i++) {
      if (!last || x < columns - 1) edge[9 + i] = luma.samples[from + i] & 255;
      else edge[9 + i] = y == 0 ? 127 : luma.samples[from - 1] & 255;
    }
  }

  private void filter() {
    var lumaFilter = new LoopFilter(luma);
    var cbFilter = new LoopFilter(cb);
    var crFilter = new LoopFilter(cr);
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < columns; x++) {
        int stored = strength[y * columns + x], level = stored < 0 ? -1 - stored : stored;
        if (level == 0) continue;
        boolean inner = stored > 0;
        int interior = interior(level), limit = 2 * level + interior, variance = level >= 40 ? 2 : level >= 15 ? 1 : 0;
        if (header.simpleFilter) {
          lumaFilter.simple(luma.at(16 * x, 16 * y), x > 0, y > 0, inner, limit);
        } else {
          lumaFilter.normal(luma.at(16 * x, 16 * y), 16, x > 0, y > 0, inner, limit, interior, variance);
          cbFilter.normal(cb.at(8 * x, 8 * y), 8, x > 0, y > 0, inner, limit, interior, variance);
          crFilter.normal(cr.at(8 * x, 8 * y), 8, x > 0, y > 0, inner, limit, interior, variance);
        }
      }
    }
  }

  private int interior(int level) {
    int interior = level;
    if (header.sharpness > 0) interior = Math.min(interior >> (header.sharpness > 4 ? 2 : 1), 9 - header.sharpness);
    return Math.max(interior, 1);
  }
}
