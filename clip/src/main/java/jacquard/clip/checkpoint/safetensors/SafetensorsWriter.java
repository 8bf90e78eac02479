package jacquard.clip.checkpoint.safetensors;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/// Writes safetensors files as the reference writer does: compact JSON, spaces up to a multiple of eight bytes, then
/// the data.
public final class SafetensorsWriter {
  private SafetensorsWriter() {}

  /// Bytes that are converted and written at once.
  private static final int CHUNK = 1 << 20;

  /// Gives the elements when their turn has come.
  @FunctionalInterface public interface Content<T> { T get() throws IOException; }

  /// A tensor to be written; its elements are asked for when their turn has come.
  ///
  /// @param elements gives a `float[]`, `double[]`, `long[]`, `int[]`, `short[]` (the bits of F16 or BF16, or I16),
  ///   `byte[]`, or a [MemorySegment] with the bytes of the file
  public record Source(String name, Stored stored, Shape shape, Content<?> elements) {
    /// Floats, written as `stored` holds them: to the nearest, ties to even.
    public static Source floats(String name, Stored stored, Shape shape, Content<float[]> elements) {
      if (!stored.floating()) throw new IllegalArgumentException(name + ": cannot store floats as " + stored);
      return new Source(name, stored, shape, elements);
    }

    /// Floats as F32.
    public static Source floats(String name, Shape shape, Content<float[]> elements) {
      return floats(name, Stored.F32, shape, elements);
    }

    /// Whole numbers as I64.
    public static Source longs(String name, Shape shape,
        Content<long[]> elements) { return new Source(name, Stored.I64, shape,
        elements); }

    /// A tensor of other weights, byte for byte.
    public static Source of(Weights weights, String name) throws IOException {
      var entry = weights.entry(name);
      return new Source(name, entry.stored(), entry.shape(), () -> weights.bytes(name));
    }

    long byteCount() { return Math.multiplyExact(shape.size(), (long) stored.bytes()); }
  }

  /// The reference writer's order: wide elements first, so that all lie aligned, then by name.
  public static final Comparator<Source> REFERENCE_ORDER =
      Comparator.<Source>comparingInt(s -> -s.stored.bytes()).thenComparing(Source::name);

  /// Writes the tensors in the order given, or leaves the file that is there as it is.
  ///
  /// @throws IOException naming the file, the bytes wanted and the free space, if it cannot be written
  /// @throws IllegalArgumentException if a name is given twice, or elements do not fit their shape or type
  public static void write(Path file, Map<String, String> metadata, List<Source> tensors) throws IOException {
    byte[] header = header(metadata, tensors);
    long bytes = header.length;
    for (var t : tensors) bytes = Math.addExact(bytes, t.byteCount());
    AtomicFile.write(file, bytes, channel -> {
      channel.write(ByteBuffer.wrap(header));
      for (var t : tensors) data(channel, t);
    });
  }

  private static byte[] header(Map<String, String> metadata, List<Source> tensors) throws IOException {
    var out = new ByteArrayOutputStream();
    out.writeBytes(new byte[8]);
    var seen = new HashSet<String>();
    try (var json = new JsonFactory().createGenerator(out)) {
      json.disable(JsonGenerator.Feature.ESCAPE_NON_ASCII);
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart("__metadata__");
        for (var e : metadata.entrySet()) json.writeStringField(e.getKey(), e.getValue());
        json.writeEndObject();
      }
      long at = 0;
      for (var t : tensors) {
        if (!seen.add(t.name) || t.name.equals("__metadata__"))
          throw new IllegalArgumentException("tensor name \"" + t.name + "\" given twice or reserved");
        json.writeObjectFieldStart(t.name);
        json.writeStringField("dtype", t.stored.name());
        json.writeArrayFieldStart("shape");
        for (int d : t.shape.dims()) json.writeNumber(d);
        json.writeEndArray();
        json.writeArrayFieldStart("data_offsets");
        json.writeNumber(at);
        json.writeNumber(at = Math.addExact(at, t.byteCount()));
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    while (out.size() % 8 != 0) out.write(' ');
    byte[] header = out.toByteArray();
    long length = header.length - 8;
    if (length > SafetensorsHeader.LARGEST)
      throw new IllegalArgumentException("a header of " + length + " bytes, readers take " + SafetensorsHeader.LARGEST);
    ByteBuffer.wrap(header).order(LITTLE_ENDIAN).putLong(length);
    return header;
  }

  private static void data(WritableByteChannel channel, Source t) throws IOException {
    Object x = t.elements.get();
    boolean bits = t.stored == Stored.F16 || t.stored == Stored.BF16 || t.stored == Stored.I16;
    int count = switch (x) {
      case float[] a when t.stored.floating() -> a.length;
      case double[] a when t.stored == Stored.F64 -> a.length;
      case long[] a when t.stored == Stored.I64 -> a.length;
      case int[] a when t.stored == Stored.I32 -> a.length;
      case short[] a when bits -> a.length;
      case byte[] a when t.stored.bytes() == 1 -> a.length;
      case MemorySegment s when s.byteSize() == t.byteCount() -> -1;
      case null, default -> throw new IllegalArgumentException(
          t.name + ": cannot store " + (x == null ? "null" : x.getClass().getSimpleName()) + " as " + t.stored + " "
          + t.shape);
    };
    if (x instanceof MemorySegment s) copy(channel, s);
    else if (count != t.shape.size())
      throw new IllegalArgumentException(t.name + ": " + count + " elements, expected " + t.shape.size() + " for "
          + t.shape);
    else elements(channel, t.stored, x, count);
  }

  private static void copy(WritableByteChannel channel, MemorySegment bytes) throws IOException {
    long size = bytes.byteSize();
    for (long at = 0; at < size; at += CHUNK)
      channel.write(bytes.asSlice(at, Math.min(CHUNK, size - at)).asByteBuffer());
  }

  private static void elements(WritableByteChannel channel, Stored stored, Object x, int count) throws IOException {
    var buffer = ByteBuffer.allocate((int) Math.min(CHUNK, (long) count * stored.bytes())).order(LITTLE_ENDIAN);
    for (int i = 0; i < count; ) {
      int n = Math.min(count - i, CHUNK / stored.bytes());
      buffer.clear();
      fill(buffer, stored, x, i, n);
      buffer.position(0).limit(n * stored.bytes());
      channel.write(buffer);
      i += n;
    }
  }

  private static void fill(ByteBuffer buffer, Stored stored, Object x, int from, int n) {
    switch (x) {
      case float[] a when stored == Stored.F32 -> buffer.asFloatBuffer().put(a, from, n);
      case float[] a when stored == Stored.F64 -> { for (int i = 0; i < n; i++) buffer.putDouble(a[from + i]); }
      case float[] a when stored == Stored.F16 -> {
        for (int i = 0; i < n; i++) buffer.putShort(Float.floatToFloat16(a[from + i]));
      }
      case float[] a -> { for (int i = 0; i < n; i++) buffer.putShort(DType.toBf16(a[from + i])); }
      case double[] a -> buffer.asDoubleBuffer().put(a, from, n);
      case long[] a -> buffer.asLongBuffer().put(a, from, n);
      case int[] a -> buffer.asIntBuffer().put(a, from, n);
      case short[] a -> buffer.asShortBuffer().put(a, from, n);
      case byte[] a -> buffer.put(a, from, n);
      default -> throw new AssertionError(x);
    }
  }
}
