package jacquard.tests.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/// Recorded tensors, read from a safetensors file by a reader of the kit's own: what is verified must not vouch for
/// itself.
public final class Tensors {
  private Tensors() {}

  /// One tensor as it lies in the file.
  /// @param dtype the file's name of it: `F64`, `F32`, `F16`, `BF16`, `I64`, `I32`, `U8`, …
  /// @param data little-endian, row-major
  public record Recorded(String dtype, int[] shape, ByteBuffer data) {
    public int size() {
      int size = 1;
      for (int extent : shape) size *= extent;
      return size;
    }

    public float[] floats() {
      float[] values = new float[size()];
      for (int i = 0; i < values.length; i++) values[i] = (float) number(i);
      return values;
    }

    public double[] doubles() {
      double[] values = new double[size()];
      for (int i = 0; i < values.length; i++) values[i] = number(i);
      return values;
    }

    public long[] longs() {
      long[] values = new long[size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = switch (dtype) {
          case "I64" -> data.getLong(8 * i);
          case "I32" -> data.getInt(4 * i);
          case "I16" -> data.getShort(2 * i);
          case "I8" -> data.get(i);
          case "U8", "BOOL" -> data.get(i) & 255;
          default -> throw new IllegalStateException(dtype + " is no integer");
        };
      }
      return values;
    }

    /// The bytes as they are.
    public byte[] bytes() {
      byte[] bytes = new byte[data.capacity()];
      data.get(0, bytes);
      return bytes;
    }

    private double number(int i) {
      return switch (dtype) {
        case "F64" -> data.getDouble(8 * i);
        case "F32" -> data.getFloat(4 * i);
        case "F16" -> Float.float16ToFloat(data.getShort(2 * i));
        case "BF16" -> Float.intBitsToFloat(data.getShort(2 * i) << 16);
        case "I64" -> data.getLong(8 * i);
        case "I32" -> data.getInt(4 * i);
        case "I16" -> data.getShort(2 * i);
        case "I8" -> data.get(i);
        case "U8", "BOOL" -> data.get(i) & 255;
        default -> throw new IllegalStateException("dtype " + dtype + " is unknown");
      };
    }
  }

  private static int width(String dtype) {
    return switch (dtype) {
      case "F64", "I64" -> 8;
      case "F32", "I32" -> 4;
      case "F16", "BF16", "I16" -> 2;
      case "I8", "U8", "BOOL" -> 1;
      default -> throw new IllegalArgumentException("dtype " + dtype + " is unknown");
    };
  }

  /// All tensors of a file by name, in the order of their names.
  public static Map<String, Recorded> read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    long length = bytes.capacity() < 8 ? -1 : bytes.getLong(0);
    if (length < 0 || length > bytes.capacity() - 8)
      throw new IOException(file + ": a header of " + length + " bytes in a file of " + bytes.capacity());
    JsonNode header = new ObjectMapper().readTree(bytes.array(), 8, (int) length);
    ByteBuffer payload = bytes.slice(8 + (int) length, bytes.capacity() - 8 - (int) length);
    Map<String, Recorded> tensors = new TreeMap<>();
    for (var field : header.properties()) {
      if (field.getKey().equals("__metadata__")) continue;
      JsonNode entry = field.getValue();
      long from = entry.get("data_offsets").get(0).asLong(), to = entry.get("data_offsets").get(1).asLong(), size = 1;
      int[] shape = new int[entry.get("shape").size()];
      for (int i = 0; i < shape.length; i++)
        size = Math.multiplyExact(size, shape[i] = entry.get("shape").get(i).intValue());
      String dtype = entry.get("dtype").asText();
      if (from < 0 || to > payload.capacity() || to - from != size * width(dtype))
        throw new IOException("%s: %s is %s of %d elements in bytes %d to %d of %d".formatted(file, field.getKey(),
            dtype, size, from, to,
            payload.capacity()));
      tensors.put(field.getKey(),
          new Recorded(dtype, shape, payload.slice((int) from, (int) (to - from)).order(ByteOrder.LITTLE_ENDIAN)));
    }
    return tensors;
  }
}
