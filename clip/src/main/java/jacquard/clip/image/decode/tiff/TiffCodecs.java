package jacquard.clip.image.decode.tiff;


import jacquard.clip.image.ImageException;
import jacquard.clip.image.decode.FileBytes;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// How TIFF packs bytes (TIFF 6.0, sections 9, 13 and 14). A strip that holds too little is refused.
final class TiffCodecs {
  private TiffCodecs() {}

  private static ImageException truncated(FileBytes source, int found, int expected) {
    return source.refusal("truncated TIFF: a strip unpacks to %,d bytes, expected %,d", found, expected);
  }

  /// A strip as a library unpacked it.
  static byte[] whole(FileBytes source, byte[] unpacked, int size) throws ImageException {
    if (unpacked.length < size) throw truncated(source, unpacked.length, size);
    return unpacked;
  }

  /// The lowest bit of each byte first.
  static void reverse(byte[] bytes) {
    for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) (Integer.reverse(bytes[i]) >>> 24);
  }

  static byte[] packBits(FileBytes source, byte[] in, int size) throws ImageException {
    byte[] out = new byte[size];
    int at = 0, to = 0;
    while (to < size && at < in.length) {
      int n = in[at++];
      if (n == -128) continue;
      int count = Math.min(n >= 0 ? n + 1 : 1 - n, size - to);
      if (n >= 0) {
        if (count > in.length - at) break;
        System.arraycopy(in, at, out, to, count);
        at += n + 1;
      } else {
        if (at == in.length) break;
        Arrays.fill(out, to, to + count, in[at++]);
      }
      to += count;
    }
    if (to < size) throw truncated(source, to, size);
    return out;
  }

  static byte[] deflate(FileBytes source, byte[] in, int size) throws ImageException {
    byte[] out = new byte[size];
    try (var inflater = new Inflater()) {
      inflater.setInput(in);
      int to = 0;
      while (to < size) {
        int count = inflater.inflate(out, to, size - to);
        if (count == 0) throw truncated(source, to, size);
        to += count;
      }
      // the checksum counts
      if (inflater.inflate(new byte[1]) == 0 && !inflater.finished()) throw truncated(source, to, size);
      return out;
    } catch (DataFormatException broken) {
      throw new ImageException(source.name(), "broken TIFF (" + broken.getMessage() + ")", broken);
    }
  }

  /// Codes of 9 to 12 bits, the high bit first; 256 begins anew, 257 ends; a code grows one entry before it must
  /// (section 13).
  static byte[] lzw(FileBytes source, byte[] in, int size) throws ImageException {
    if (in.length > 1 && in[0] == 0 && (in[1] & 1) != 0)
      throw source.refusal("a TIFF packed by LZW of the old style, which is not read");
    byte[] out = new byte[size];
    int[] start = new int[4096], length = new int[4096]; // where in `out` the words lie
    int next = 258, bits = 9, to = 0, previousAt = -1, previousLength = 0;
    long held = 0;
    boolean cleared = false;
    for (int at = 0, count = 0; to < size; ) {
      while (count < bits) {
        if (at == in.length) throw truncated(source, to, size);
        held = held << 8 | in[at++] & 255;
        count += 8;
      }
      int code = (int) (held >> count - bits) & (1 << bits) - 1;
      count -= bits;
      if (code == 257) throw truncated(source, to, size);
      if (code == 256) {
        next = 258;
        bits = 9;
        previousAt = -1;
        cleared = true;
        continue;
      }
      if (!cleared || code > (previousAt < 0 ? 255 : next))
        throw source.refusal("broken TIFF: LZW code %d where %d are known", code, next);
      int here = to;
      if (code < 256) out[to++] = (byte) code;
      else {
        int from = code == next ? previousAt : start[code], n = code == next ? previousLength + 1 : length[code];
        for (int i = 0; i < n && to < size; i++) out[to++] = out[from + i];
      }
      if (previousAt >= 0 && next < 4095) {
        start[next] = previousAt;
        length[next++] = previousLength + 1;
        if (next == (1 << bits) - 1 && bits < 12) bits++;
      }
      previousAt = here;
      previousLength = to - here;
    }
    return out;
  }

  /// Each sample is the difference from the pixel to its left.
  static void accumulate(byte[] rows, int stride, int samples, int bytes, boolean lowFirst) {
    for (int row = 0; row < rows.length; row += stride) {
      for (int at = row + samples * bytes; at + bytes <= row + stride; at += bytes) {
        for (int i = 0, carry = 0; i < bytes; i++) {
          int place = at + (lowFirst ? i : bytes - 1 - i), sum =
              (rows[place] & 255) + (rows[place - samples * bytes] & 255) + carry;
          rows[place] = (byte) sum;
          carry = sum >> 8;
        }
      }
    }
  }

  /// Bytes of floats, all highest ones first, each the difference from that of the pixel to its left (Adobe, TIFF
  /// technote 3).
  static void floats(byte[] rows, int stride, int samples, boolean lowFirst) {
    byte[] mixed = new byte[stride];
    int count = stride / 4;
    for (int row = 0; row < rows.length; row += stride) {
      for (int i = samples; i < stride; i++) rows[row + i] += rows[row + i - samples];
      System.arraycopy(rows, row, mixed, 0, stride);
      for (int i = 0; i < count; i++)
        for (int b = 0; b < 4; b++) rows[row + 4 * i + (lowFirst ? 3 - b : b)] = mixed[b * count + i];
    }
  }
}
