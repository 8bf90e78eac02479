package jacquard.clip.image.decode.jpeg;


import jacquard.clip.image.ImageException;
import jacquard.clip.image.decode.FileBytes;
import java.util.Arrays;

/// What the scans of a JPEG file say beside their samples: how many there are, whether the file ends as it should,
/// whether a progressive picture is whole (ITU-T T.81, B.2.3 and G.1.1.1).
final class JpegScans {
  private static final int MOST = 500; // libjpeg-turbo's own guard for what comes from strangers
  private static final long MOST_SAMPLES = 4_000_000_000L; // scans × pixels: some seconds

  private static final int SMOOTHED = 10; // coefficients that are guessed where they are missing

  private final int[][] missing; // [component][coefficient] bits that are still to come; −1 where none came
  private int count;
  private boolean ends, defined;

  private JpegScans(int components) {
    missing = new int[components][64];
    for (int[] component : missing) Arrays.fill(component, -1);
  }

  /// Reads on from the first scan's marker at `at`.
  static JpegScans read(FileBytes source, int at, int[] components, long pixels) throws ImageException {
    var scans = new JpegScans(components.length);
    byte[] b = source.bytes();
    int start = at;
    int end = b.length;
    while (at < end) {
      int marker = b[at + 1] & 255, length = at + 4 <= end ? source.big16(at + 2) : 0;
      if (marker == 0xD9) {
        scans.ends = true;
        return scans;
      }
      if (marker == 0xDA) {
        scans.scan(b, at + 4, Math.min(end, at + 2 + length), components);
        if (++scans.count > MOST || scans.count * pixels > MOST_SAMPLES)
          throw source.refusal("a JPEG of more than %d scans of %,d pixels, which would take long", scans.count - 1,
              pixels);
      }
      if (marker == 0xC4) scans.defined = true;
      at = next(b, marker == 0xDA || length < 2 || !segment(marker) ? at + 2 : at + 2 + length);
    }
    // broken data may look like a segment that swallows the end
    for (int i = start; scans.count == 1 && i + 1 < end && !scans.ends; i++)
      scans.ends = b[i] == -1 && (b[i + 1] & 255) == 0xD9;
    return scans;
  }

  /// Whether a length follows; what else looks like a marker is broken data.
  private static boolean segment(int marker) {
    return marker == 0xC4 || marker == 0xCC || marker >= 0xDB && marker <= 0xEF || marker == 0xFE;
  }

  /// The next marker that is no restart, or the end.
  private static int next(byte[] b, int at) {
    for (; at + 1 < b.length; at++) {
      if (b[at] != -1) continue;
      int marker = b[at + 1] & 255;
      if (marker == 0 || marker == 1 || marker == 0xFF || marker >= 0xD0 && marker <= 0xD8) continue;
      return at;
    }
    return b.length;
  }

  private void scan(byte[] b, int at, int end, int[] components) {
    int n = at < end ? b[at] & 255 : 0, rest = at + 1 + 2 * n;
    if (rest + 3 > end) return;
    int first = Math.min(b[rest] & 255, 63), last = Math.min(b[rest + 1] & 255, 63), low = b[rest + 2] & 15;
    for (int i = 0; i < n; i++)
      for (int c = 0; c < components.length; c++)
        if (components[c] == (b[at + 1 + 2 * i] & 255)) for (int k = first; k <= last; k++) missing[c][k] = low;
  }

  int count() { return count; }

  /// Whether an end marker was found.
  boolean ends() { return ends; }

  /// Whether a Huffman table was found after the first scan's marker.
  boolean definesTables() { return defined; }

  /// Whether the coefficients came to their last bit; where not, decoders smooth what is there, each in its own way.
  boolean whole() {
    for (int[] component : missing) for (int k = 0; k < SMOOTHED; k++) if (component[k] != 0) return false;
    return true;
  }
}
