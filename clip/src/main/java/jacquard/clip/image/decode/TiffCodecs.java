package jacquard.clip.image.decode;

import jacquard.clip.image.ImageException;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/// How TIFF packs bytes (TIFF 6.0, sections 9 to 14). A strip that holds too little is refused.
final class TiffCodecs {
  private TiffCodecs() {}

  private static ImageException truncated(Source source, int found, int expected) {
    return source.refusal("truncated TIFF: a strip unpacks to %,d bytes, expected %,d", found, expected);
  }

  /// The lowest bit of each byte first.
  static void reverse(byte[] bytes) {
    for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) (Integer.reverse(bytes[i]) >>> 24);
  }

  static byte[] packBits(Source source, byte[] in, int size) throws ImageException {
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

  static byte[] deflate(Source source, byte[] in, int size) throws ImageException {
    byte[] out = new byte[size];
    try (var inflater = new Inflater()) {
      inflater.setInput(in);
      int to = 0;
      while (to < size) {
        int count = inflater.inflate(out, to, size - to);
        if (count == 0) throw truncated(source, to, size);
        to += count;
      }
      return out;
    } catch (DataFormatException broken) {
      throw new ImageException(source.name(), "broken TIFF (" + broken.getMessage() + ")", broken);
    }
  }

  /// Codes of 9 to 12 bits, the high bit first; 256 begins anew, 257 ends; a code grows one entry before it must (section 13).
  static byte[] lzw(Source source, byte[] in, int size) throws ImageException {
    if (in.length > 1 && in[0] == 0 && (in[1] & 1) != 0) throw source.refusal("a TIFF packed by LZW of the old style, which is not read");
    byte[] out = new byte[size];
    int[] start = new int[4096], length = new int[4096]; // where in `out` the words lie
    int next = 258, bits = 9, to = 0, previousAt = -1, previousLength = 0;
    long held = 0;
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
        continue;
      }
      if (code >= (previousAt < 0 ? 256 : next + 1)) throw source.refusal("broken TIFF: LZW code %d where %d are known", code, next);
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
          int place = at + (lowFirst ? i : bytes - 1 - i), sum = (rows[place] & 255) + (rows[place - samples * bytes] & 255) + carry;
          rows[place] = (byte) sum;
          carry = sum >> 8;
        }
      }
    }
  }

  /// Bytes of floats, all highest ones first, each the difference from that of the pixel to its left (Adobe, TIFF technote 3).
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

  /// Bits of a fax, white 0, black 1, by the platform's TIFF decoder, which is given a file of this strip alone: its compression, width,
  /// rows and options.
  static byte[] fax(Source source, byte[] in, int[] shape) throws ImageException {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName("tiff");
    while (readers.hasNext()) {
      ImageReader reader = readers.next();
      if (reader.getClass().getModule() != ImageIO.class.getModule()) continue;
      try (var stream = new MemoryCacheImageInputStream(new ByteArrayInputStream(faxFile(in, shape)))) {
        List<String> warnings = new ArrayList<>();
        reader.addIIOReadWarningListener((from, warning) -> warnings.add(warning));
        reader.setInput(stream, true, true);
        Raster raster = reader.read(0).getRaster();
        if (!warnings.isEmpty()) throw source.refusal("a fax TIFF with damaged lines (%s)", warnings.getFirst());
        return packed(raster, shape[1], shape[2]);
      } catch (ImageException stated) {
        throw stated;
      } catch (IOException | RuntimeException broken) {
        throw new ImageException(source.name(), "broken fax TIFF (" + broken.getMessage() + ")", broken);
      } finally {
        reader.dispose();
      }
    }
    throw source.refusal("a fax TIFF, and this Java has no TIFF decoder");
  }

  private static byte[] packed(Raster raster, int width, int lines) {
    int stride = (width + 7) / 8;
    byte[] out = new byte[stride * lines];
    int[] row = new int[width];
    for (int y = 0; y < lines; y++) {
      raster.getSamples(0, y, width, 1, 0, row);
      for (int x = 0; x < width; x++) if (row[x] != 0) out[y * stride + x / 8] |= (byte) (128 >> x % 8);
    }
    return out;
  }

  private static byte[] faxFile(byte[] in, int[] shape) {
    int[][] tags = {{256, shape[1]}, {257, shape[2]}, {258, 1}, {259, shape[0]}, {262, 1}, {273, 8}, {277, 1}, {278, shape[2]},
        {279, in.length}, {292, shape[3]}};
    int directory = 8 + in.length + (in.length & 1);
    var file = ByteBuffer.allocate(directory + 6 + 12 * tags.length).order(ByteOrder.LITTLE_ENDIAN);
    file.put((byte) 'I').put((byte) 'I').putShort((short) 42).putInt(directory).put(in).position(directory).putShort((short) tags.length);
    for (int[] tag : tags) file.putShort((short) tag[0]).putShort((short) (tag[0] == 258 || tag[0] == 259 || tag[0] == 262 || tag[0] == 277 ? 3 : 4)).putInt(1).putInt(tag[1]);
    return file.array();
  }
}
