package jacquard.clip.image.decode.webp;

import jacquard.clip.image.decode.vp8l.Lossless;
import java.util.Arrays;

/// The opacity of a lossy WebP (RFC 9649, section 2.7.1.2): plain or packed without loss, each sample less what its
/// neighbours let expect.
final class AlphaPlane {
  private AlphaPlane() {}

  /// `[height, width]`.
  /// @throws IllegalArgumentException when the bytes are no whole opacity of this size
  static byte[] decode(byte[] data, int from, int to, int width, int height) {
    if (to - from < 1) throw new IllegalArgumentException("opacity without a header");
    int packing = data[from] & 3, filter = data[from] >> 2 & 3, size = Math.multiplyExact(width, height);
    if (packing > 1) throw new IllegalArgumentException("opacity packed by method " + packing + ", expected 0 or 1");
    byte[] out = new byte[size];
    if (packing == 0) {
      if (to - from - 1 < size)
        throw new IllegalArgumentException("opacity of " + (to - from - 1) + " bytes, expected " + size);
      out = Arrays.copyOfRange(data, from + 1, from + 1 + size);
    } else {
      int[] pixels = Lossless.headless(data, from + 1, to, width, height);
      for (int i = 0; i < size; i++) out[i] = (byte) (pixels[i] >> 8);
    }
    if (filter != 0) unfilter(out, width, height, filter);
    return out;
  }

  /// 1: from the left, 2: from above, 3: left + above − corner. The first row is from the left, the first column from
  /// above.
  private static void unfilter(byte[] out, int width, int height, int filter) {
    for (int x = 1; x < width; x++) out[x] += out[x - 1];
    for (int y = 1, at = width; y < height; y++) {
      out[at] += out[at - width];
      at++;
      for (int x = 1; x < width; x++, at++) {
        out[at] += switch (filter) {
          case 1 -> out[at - 1];
          case 2 -> out[at - width];
          default -> (byte) Math.clamp((out[at - 1] & 255) + (out[at - width] & 255) - (out[at - width - 1] & 255), 0,
              255);
        };
      }
    }
  }
}
