package jacquard.clip.eval.layouts;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/// Small arrays in NumPy's format, of numbers. Objects are not read: they would be programs.
final class Npy {
  private static final Pattern DESCRIBED = Pattern.compile("'descr':\\s*'([<>|=]?)([biuf])(\\d)'"),
      SHAPE = Pattern.compile("'shape':\\s*\\(([\\d, ]*)\\)");

  private Npy() {}

  /// All elements in the order of the file.
  static double[] numbers(byte[] file, String name) throws IOException {
    if (file.length < 10 || file[0] != (byte) 0x93
        || !new String(file, 1, 5, StandardCharsets.ISO_8859_1).equals("NUMPY"))
      throw new IOException(name + " is no NumPy array");
    var bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int start = file[6] == 1 ? 10 : 12;
    if (file.length < start) throw new IOException(name + " ends within its header");
    long length = file[6] == 1 ? bytes.getShort(8) & 0xffff : bytes.getInt(8) & 0xffffffffL;
    if (length > file.length - start) throw new IOException(name + " ends within its header");
    var header = new String(file, start, (int) length, StandardCharsets.ISO_8859_1);
    var type = DESCRIBED.matcher(header);
    var shape = SHAPE.matcher(header);
    if (!type.find() || !shape.find()) throw new IOException(name + " is no array of numbers: " + header.strip());
    long count = 1;
    for (var d : shape.group(1).split(",")) if (!d.isBlank())
      count = Math.multiplyExact(count, Long.parseLong(d.strip()));
    int width = Integer.parseInt(type.group(3)), from = start + (int) length;
    if (count * width != file.length - from)
      throw new IOException("%s: %,d elements of %d bytes in %,d bytes".formatted(name, count, width,
          file.length - from));
    var data = bytes.slice(from, file.length - from)
        .order(type.group(1).equals(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    var r = new double[(int) count];
    for (int i = 0; i < r.length; i++) r[i] = element(data, i * width, type.group(2) + width, name);
    return r;
  }

  private static double element(ByteBuffer data, int at, String type, String name) throws IOException {
    return switch (type) {
      case "b1", "u1" -> data.get(at) & 255;
      case "i1" -> data.get(at);
      case "i2" -> data.getShort(at);
      case "u2" -> data.getShort(at) & 0xffff;
      case "i4" -> data.getInt(at);
      case "u4" -> data.getInt(at) & 0xffffffffL;
      case "i8", "u8" -> data.getLong(at);
      case "f2" -> Float.float16ToFloat(data.getShort(at));
      case "f4" -> data.getFloat(at);
      case "f8" -> data.getDouble(at);
      default -> throw new IOException(name + " has elements of type " + type + ", expected numbers");
    };
  }

  /// A file of one row of bytes, as PyTorch's or NumPy's `uint8`.
  static byte[] of(boolean[] row) {
    var header = new StringBuilder("{'descr': '|u1', 'fortran_order': False, 'shape': (" + row.length + ",), }");
    while ((10 + header.length() + 1) % 64 != 0) header.append(' ');
    header.append('\n');
    var r = ByteBuffer.allocate(10 + header.length() + row.length).order(ByteOrder.LITTLE_ENDIAN);
    r.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1).put((byte) 0)
        .putShort((short) header.length());
    r.put(header.toString().getBytes(StandardCharsets.US_ASCII));
    for (boolean b : row) r.put((byte) (b ? 1 : 0));
    return r.array();
  }
}
