package jacquard.clip.image.decode.vp8;

import java.util.Arrays;

/// One plane of a frame in whole macroblocks, with the row above it (127) and the column to its left (129, the corner
/// 127) that prediction sees beyond the edge (RFC 6386, section 12.2). Sample (0, 0) is at [#at]`(0, 0)`.
final class Plane {
  final int stride;
  final byte[] samples;

  Plane(int width, int height) {
    stride = width + 1;
    samples = new byte[Math.multiplyExact(stride, height + 1)];
    Arrays.fill(samples, 0, stride, (byte) 127);
    for (int y = 1; y <= height; y++) samples[y * stride] = (byte) 129;
  }

  int at(int x, int y) { return (y + 1) * stride + x + 1; }

  static byte clip(int sample) { return (byte) Math.max(0, Math.min(255, sample)); }

  /// Predicts a square of 16 (luma) or 8 (chroma) at (`x`, `y`): 0 mean, 1 from above, 2 from the left, 3 true motion.
  void predict(int mode, int x, int y, int size) {
    int at = at(x, y);
    switch (mode) {
      case 0 -> {
        int mean = mean(at, x > 0, y > 0, size);
        for (int j = 0; j < size; j++) Arrays.fill(samples, at + j * stride, at + j * stride + size, (byte) mean);
      }
      case 1 -> {
        for (int j = 0; j < size; j++) System.arraycopy(samples, at - stride, samples, at + j * stride, size);
      }
      case 2 -> { for (int j = 0; j < size; j++) Arrays.fill(samples, at + j * stride, at + j * stride + size,
          samples[at + j * stride - 1]); }
      default -> trueMotion(at, size);
    }
  }

  private int mean(int at, boolean left, boolean above, int size) {
    if (!left && !above) return 128;
    int sum = 0, count = (left ? size : 0) + (above ? size : 0);
    for (int i = 0; i < size; i++) {
      if (above) sum += samples[at - stride + i] & 255;
      if (left) sum += samples[at + i * stride - 1] & 255;
    }
    return (sum + count / 2) / count;
  }

  /// left + above − corner.
  private void trueMotion(int at, int size) {
    int corner = samples[at - stride - 1] & 255;
    for (int j = 0; j < size; j++) {
      int left = (samples[at + j * stride - 1] & 255) - corner;
      for (int i = 0; i < size; i++) samples[at + j * stride + i] = clip(left + (samples[at - stride + i] & 255));
    }
  }

  /// Predicts a 4×4 block by one of the ten modes in the order of the RFC. `edge` is room for 13: from the lower left
  /// over the corner [4] to the upper right, of which the last four (above right) the caller has set.
  void predictBlock(int mode, int at, int[] edge) {
    for (int i = 0; i < 4; i++) {
      edge[3 - i] = samples[at + i * stride - 1] & 255;
      edge[5 + i] = samples[at - stride + i] & 255;
    }
    edge[4] = samples[at - stride - 1] & 255;
    if (mode == 1) {
      trueMotion(at, 4);
      return;
    }
    int mean = 4;
    if (mode == 0) for (int i = 0; i < 4; i++) mean += edge[i] + edge[5 + i];
    for (int y = 0; y < 4; y++) {
      for (int x = 0; x < 4; x++) {
        samples[at + y * stride + x] = (byte) switch (mode) {
          case 0 -> mean >> 3;
          case 2 -> three(edge, 5 + x);
          case 3 -> y == 3 ? edge[1] + 3 * edge[0] + 2 >> 2 : three(edge, 3 - y);
          case 4 -> x + y == 6 ? edge[11] + 3 * edge[12] + 2 >> 2 : three(edge, 6 + x + y);
          case 5 -> three(edge, 4 + x - y);
          case 6 -> verticalRight(edge, x, y);
          case 7 -> verticalLeft(edge, x, y);
          case 8 -> horizontalDown(edge, x, y);
          default -> horizontalUp(edge, x, y);
        };
      }
    }
  }

  private static int two(int[] edge, int i) { return edge[i] + edge[i + 1] + 1 >> 1; }

  private static int three(int[] edge, int i) { return edge[i - 1] + 2 * edge[i] + edge[i + 1] + 2 >> 2; }

  private static int verticalRight(int[] edge, int x, int y) {
    int step = 2 * x - y;
    if (step < 0) return three(edge, 5 + step); // −1: at the corner, −2 and −3 down the left
    return (step & 1) == 0 ? two(edge, 4 + step / 2) : three(edge, 4 + (step + 1) / 2);
  }

  private static int horizontalDown(int[] edge, int x, int y) {
    int step = 2 * y - x;
    if (step < 0) return three(edge, 3 - step); // −1: at the corner, −2 and −3 along the top
    return (step & 1) == 0 ? two(edge, 3 - step / 2) : three(edge, 4 - (step + 1) / 2);
  }

  private static int verticalLeft(int[] edge, int x, int y) {
    if (x == 3 && y >= 2) return three(edge, y == 2 ? 10 : 11);
    int i = 5 + x + y / 2;
    return (y & 1) == 0 ? two(edge, i) : three(edge, i + 1);
  }

  private static int horizontalUp(int[] edge, int x, int y) {
    int step = x + 2 * y;
    if (step > 5) return edge[0];
    if (step == 5) return edge[1] + 3 * edge[0] + 2 >> 2;
    return (step & 1) == 0 ? two(edge, 2 - step / 2) : three(edge, 2 - step / 2);
  }

  /// [#addTransformed] for luma, whose reference code does not wrap where only the coefficients 0, 1 and 4 are there:
  /// damaged data show it.
  void addLuma(int at, int[] coefficients, int from, int[] columns) {
    int right = coefficients[from + 1], down = coefficients[from + 4], others = 0;
    for (int i = 1; i < 16; i++) if (i != 1 && i != 4) others |= coefficients[from + i];
    if (others != 0) {
      addTransformed(at, coefficients, from, columns);
      return;
    }
    int mean = coefficients[from] + 4;
    for (int y = 0; y < 4; y++, at += stride) {
      int row = mean + part(down, y);
      for (int x = 0; x < 4; x++) samples[at + x] = clip((samples[at + x] & 255) + (row + part(right, x) >> 3));
    }
  }

  /// What the first wave's coefficient is worth at the sample `i` of four.
  private static int part(int coefficient, int i) {
    return switch (i) {
      case 0 -> cosine(coefficient);
      case 1 -> sine(coefficient);
      case 2 -> -sine(coefficient);
      default -> -cosine(coefficient);
    };
  }

  /// Adds the inverse transform of `coefficients` `[16]` to the 4×4 block (RFC 6386, section 14.4).
  void addTransformed(int at, int[] coefficients, int from, int[] columns) {
    int others = 0;
    for (int i = 1; i < 16; i++) others |= coefficients[from + i];
    if (others == 0) {
      addMean(at, coefficients[from]);
      return;
    }
    for (int i = 0; i < 4; i++) {
      int c0 = coefficients[from + i], c1 = coefficients[from + 4 + i], c2 = coefficients[from + 8 + i], c3 =
          coefficients[from + 12 + i];
      int a = c0 + c2, b = c0 - c2, c = sine(c1) - cosine(c3), d = cosine(c1) + sine(c3);
      columns[i] = (short) (a + d); // sums wrap at 16 bits, as in vector code
      columns[4 + i] = (short) (b + c);
      columns[8 + i] = (short) (b - c);
      columns[12 + i] = (short) (a - d);
    }
    for (int y = 0; y < 4; y++) {
      int c0 = columns[4 * y] + 4, c1 = columns[4 * y + 1], c2 = columns[4 * y + 2], c3 = columns[4 * y + 3], to =
          at + y * stride;
      int a = c0 + c2, b = c0 - c2, c = sine(c1) - cosine(c3), d = cosine(c1) + sine(c3);
      samples[to] = clip((samples[to] & 255) + ((short) (a + d) >> 3));
      samples[to + 1] = clip((samples[to + 1] & 255) + ((short) (b + c) >> 3));
      samples[to + 2] = clip((samples[to + 2] & 255) + ((short) (b - c) >> 3));
      samples[to + 3] = clip((samples[to + 3] & 255) + ((short) (a - d) >> 3));
    }
  }

  /// The same where only the first coefficient counts.
  private void addMean(int at, int first) {
    if (first == 0) return;
    int mean = (short) (first + 4) >> 3;
    for (int y = 0; y < 4; y++, at += stride)
      for (int x = at; x < at + 4; x++) samples[x] = clip((samples[x] & 255) + mean);
  }

  /// √2·cos(π/8)·x.
  private static int cosine(int x) { return (x * 20091 >> 16) + x; }

  /// √2·sin(π/8)·x.
  private static int sine(int x) { return x * 35468 >> 16; }
}
