package jacquard.tests.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/// Small picture files written byte by byte, for what encoders do not write.
final class HandMade {
  private HandMade() {}

  static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) bytes[i] = (byte) values[i];
    return bytes;
  }

  static byte[] joined(byte[]... parts) {
    var out = new ByteArrayOutputStream();
    for (byte[] part : parts) out.writeBytes(part);
    return out.toByteArray();
  }

  static byte[] deflated(byte[] plain) {
    var deflater = new Deflater();
    deflater.setInput(plain);
    deflater.finish();
    byte[] out = new byte[plain.length + 100];
    int length = deflater.deflate(out);
    deflater.end();
    return java.util.Arrays.copyOf(out, length);
  }

  /// A TIFF file of one strip; fields are tag and values, the strip's own two are added.
  static final class Tiff {
    private final ByteOrder order;
    private final boolean big;
    private final List<int[]> fields = new ArrayList<>();
    private final Map<Integer, Integer> types = new HashMap<>(); // by tag; 4 elsewhere
    private byte[] strip = {};

    Tiff(ByteOrder order, boolean big) {
      this.order = order;
      this.big = big;
    }

    Tiff(int width, int height) {
      this(ByteOrder.LITTLE_ENDIAN, false);
      with(256, width).with(257, height);
    }

    Tiff with(int tag, int... values) {
      int[] field = new int[values.length + 1];
      field[0] = tag;
      System.arraycopy(values, 0, field, 1, values.length);
      fields.add(field);
      return this;
    }

    /// The tag's values are of another type: 1 bytes, 3 of two bytes, 4 of four.
    Tiff as(int tag, int type) {
      types.put(tag, type);
      return this;
    }

    Tiff strip(byte[] strip) {
      this.strip = strip;
      return this;
    }

    byte[] file() {
      int start = big ? 16 : 8, size = big ? 20 : 12, inline = big ? 8 : 4, directory =
          start + strip.length + (strip.length & 1);
      if (fields.stream().noneMatch(f -> f[0] == 273 || f[0] == 324)) with(273, start).with(279, strip.length);
      fields.sort((a, b) -> a[0] - b[0]);
      int more = directory + (big ? 8 : 2) + size * fields.size() + inline;
      var out = ByteBuffer.allocate(more + fields.stream().mapToInt(f -> 4 * f.length).sum()).order(order);
      out.put((byte) (order == ByteOrder.LITTLE_ENDIAN ? 'I' : 'M')).put(out.get(0));
      if (big) out.putShort((short) 43).putShort((short) 8).putShort((short) 0).putLong(directory);
      else out.putShort((short) 42).putInt(directory);
      out.put(start, strip);
      out.position(directory);
      if (big) out.putLong(fields.size()); else out.putShort((short) fields.size());
      for (int[] field : fields) {
        int at = out.position(), count = field.length - 1;
        int type = types.getOrDefault(field[0], 4), width = type == 3 ? 2 : type == 1 || type == 7 ? 1 : 4;
        out.putShort((short) field[0]).putShort((short) type);
        if (big) out.putLong(count); else out.putInt(count);
        int to = at + size - inline;
        if (width * count > inline) {
          if (big) out.putLong(more); else out.putInt(more);
          to = more;
          more += 4 * count;
        }
        for (int i = 0; i < count; i++)
          if (width == 1) out.put(to + i, (byte) field[i + 1]);
          else if (width == 2) out.putShort(to + 2 * i, (short) field[i + 1]);
          else out.putInt(to + 4 * i, field[i + 1]);
        out.position(at + size);
      }
      return out.array();
    }
  }

  static byte[] png(int[] header, byte[] packed, byte[]... before) {
    var out = new ByteArrayOutputStream();
    out.writeBytes(bytes(0x89, 'P', 'N', 'G', 13, 10, 26, 10));
    out.writeBytes(chunk("IHDR", ByteBuffer.allocate(13).putInt(header[0]).putInt(header[1]).put(bytes(header[2],
        header[3], 0, 0, header[4]))
        .array()));
    for (byte[] chunk : before) out.writeBytes(chunk);
    out.writeBytes(chunk("IDAT", packed));
    out.writeBytes(chunk("IEND", new byte[0]));
    return out.toByteArray();
  }

  static byte[] chunk(String type, byte[] data) {
    byte[] body = joined(type.getBytes(StandardCharsets.US_ASCII), data);
    var sum = new CRC32();
    sum.update(body);
    return joined(ByteBuffer.allocate(4).putInt(data.length).array(), body,
        ByteBuffer.allocate(4).putInt((int) sum.getValue()).array());
  }

  /// A BMP file: its second header's fields of four bytes from the width on.
  static byte[] bmp(int header, int offset, int[] fields, byte[] rest) {
    var out = ByteBuffer.allocate(14 + header + rest.length).order(ByteOrder.LITTLE_ENDIAN);
    out.put((byte) 'B').put((byte) 'M').putInt(0).putInt(0).putInt(offset).putInt(header);
    for (int field : fields) out.putInt(field);
    out.position(14 + header);
    return out.put(rest).array();
  }

  /// Bits of WebP's lossless pictures, the lowest first.
  static final class Bits {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private int held, count;

    Bits put(int value, int bits) {
      for (int i = 0; i < bits; i++) {
        held |= (value >> i & 1) << count;
        if (++count == 8) {
          out.write(held);
          held = count = 0;
        }
      }
      return this;
    }

    /// A prefix code of one symbol, which takes no bits.
    Bits only(int symbol) { return put(1, 1).put(0, 1).put(1, 1).put(symbol, 8); }

    byte[] bytes() {
      while (count > 0) put(0, 1);
      return out.toByteArray();
    }
  }

  static byte[] webp(byte[] picture) {
    int padded = picture.length + (picture.length & 1);
    return ByteBuffer.allocate(20 + padded).order(ByteOrder.LITTLE_ENDIAN)
        .put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(12 + padded)
        .put("WEBPVP8L".getBytes(StandardCharsets.US_ASCII)).putInt(picture.length).put(picture).array();
  }

  /// A GIF file of 2 × 2 pixels, colours 1 2 3 0 of four, with bytes before the frame and after its data.
  static byte[] gif(byte[] before, byte[] data, byte[] after) {
    return joined("GIF89a".getBytes(StandardCharsets.US_ASCII), bytes(2, 0, 2, 0, 0x91, 0, 0), bytes(9, 8, 7, 255, 0,
        0, 0, 255, 0, 0, 0, 255),
        before, bytes(0x2C, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2), data, after);
  }
}
