package jacquard.clip.checkpoint;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import jacquard.tensor.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A safetensors file, mapped: 8 bytes of header length (little endian), a JSON header, the elements. Nothing is trusted: lengths are
/// checked against the file before they are used.
public final class Safetensors implements Weights {
  private static final long LONGEST_HEADER = 100_000_000;
  private static final ObjectMapper JSON = JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /// @param dtype as the file names it: F32, BF16, I64, …
  public record Entry(String dtype, int[] shape, long from, long to) {
    long elements() {
      long n = 1;
      for (int d : shape) n = Math.multiplyExact(n, (long) d);
      return n;
    }
  }

  private final Path file;
  private final Arena arena;
  private final MemorySegment data;
  private final Map<String, Entry> entries;
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private Safetensors(Path file) throws IOException {
    this.file = file;
    var arena = Arena.ofShared();
    try (var channel = FileChannel.open(file)) {
      long size = channel.size();
      if (size < 8) throw bad("is " + size + " bytes long, expected at least the 8 of a header length");
      var whole = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
      long header = whole.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
      if (header < 2 || header > LONGEST_HEADER || header > size - 8) throw bad("says its header is " + header + " bytes, expected 2 … " + Math.min(LONGEST_HEADER, size - 8));
      this.data = whole.asSlice(8 + header);
      this.entries = parse(whole.asSlice(8, header).toArray(ValueLayout.JAVA_BYTE));
      this.arena = arena;
      arena = null;
    } finally {
      if (arena != null) arena.close();
    }
  }

  public static Safetensors open(Path file) throws IOException { return new Safetensors(file); }

  private IOException bad(String what) { return new IOException(file + " " + what); }

  private Map<String, Entry> parse(byte[] header) throws IOException {
    JsonNode root;
    try { root = JSON.readTree(header); } catch (IOException e) { throw new IOException(file + ": the header is no JSON: " + e.getMessage(), e); }
    if (root == null || !root.isObject()) throw bad("has a header that is no JSON object");
    var r = new LinkedHashMap<String, Entry>();
    for (var p : root.properties()) {
      if (p.getKey().equals("__metadata__")) { for (var m : p.getValue().properties()) metadata.put(m.getKey(), m.getValue().asText()); continue; }
      var v = p.getValue();
      JsonNode shape = v.get("shape"), at = v.get("data_offsets");
      if (!v.hasNonNull("dtype") || shape == null || !shape.isArray() || shape.size() > 16 || at == null || at.size() != 2 || !at.get(0).isIntegralNumber() || !at.get(1).isIntegralNumber())
        throw bad("has no dtype, shape and data_offsets for " + p.getKey());
      int[] dims = new int[shape.size()];
      for (int i = 0; i < dims.length; i++) {
        if (!shape.get(i).canConvertToInt() || shape.get(i).intValue() < 0) throw bad("gives " + p.getKey() + " the shape " + shape);
        dims[i] = shape.get(i).intValue();
      }
      var e = new Entry(v.get("dtype").asText(), dims, at.get(0).longValue(), at.get(1).longValue());
      long bytes;
      try { bytes = Math.multiplyExact(e.elements(), (long) width(e.dtype)); } catch (ArithmeticException x) { throw bad("gives " + p.getKey() + " the shape " + shape); }
      if (e.from < 0 || e.to < e.from || e.to > data.byteSize() || e.to - e.from != bytes)
        throw bad("places " + p.getKey() + " " + e.dtype + " " + shape + " at bytes " + e.from + " … " + e.to + ", expected " + bytes + " bytes within " + data.byteSize());
      r.put(p.getKey(), e);
    }
    return r;
  }

  private int width(String dtype) throws IOException {
    return switch (dtype) {
      case "F64", "I64", "U64" -> 8;
      case "F32", "I32", "U32" -> 4;
      case "F16", "BF16", "I16", "U16" -> 2;
      case "I8", "U8", "BOOL" -> 1;
      default -> throw bad("has the dtype " + dtype + ", expected one of F64 F32 BF16 F16 I64 I32 I16 I8 U8 BOOL");
    };
  }

  public Map<String, String> metadata() { return Collections.unmodifiableMap(metadata); }
  @Override public List<String> names() { return List.copyOf(entries.keySet()); }

  public Entry entry(String name) throws IOException {
    var e = entries.get(name);
    if (e == null) throw bad("has no tensor " + name);
    return e;
  }

  @Override public int[] shape(String name) throws IOException { return entry(name).shape.clone(); }

  private ByteBuffer bytes(Entry e) { return data.asSlice(e.from, e.to - e.from).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN); }

  @Override public float[] floats(String name) throws IOException {
    var e = entry(name);
    if (e.elements() > Integer.MAX_VALUE - 16) throw bad("holds " + name + " of " + e.elements() + " elements, more than an array can");
    var b = bytes(e);
    float[] r = new float[(int) e.elements()];
    switch (e.dtype) {
      case "F32" -> b.asFloatBuffer().get(r);
      case "F64" -> { for (int i = 0; i < r.length; i++) r[i] = (float) b.getDouble(8 * i); }
      case "F16" -> { for (int i = 0; i < r.length; i++) r[i] = Float.float16ToFloat(b.getShort(2 * i)); }
      case "BF16" -> { for (int i = 0; i < r.length; i++) r[i] = DType.fromBf16(b.getShort(2 * i)); }
      default -> throw bad("holds " + name + " as " + e.dtype + ", expected floats");
    }
    return r;
  }

  /// F64 or F32 as doubles.
  public double[] doubles(String name) throws IOException {
    var e = entry(name);
    if (!e.dtype.equals("F64")) {
      float[] f = floats(name);
      double[] r = new double[f.length];
      for (int i = 0; i < r.length; i++) r[i] = f[i];
      return r;
    }
    double[] r = new double[(int) e.elements()];
    bytes(e).asDoubleBuffer().get(r);
    return r;
  }

  @Override public long[] longs(String name) throws IOException {
    var e = entry(name);
    var b = bytes(e);
    long[] r = new long[(int) e.elements()];
    switch (e.dtype) {
      case "I64", "U64" -> b.asLongBuffer().get(r);
      case "I32" -> { for (int i = 0; i < r.length; i++) r[i] = b.getInt(4 * i); }
      case "U8", "BOOL" -> { for (int i = 0; i < r.length; i++) r[i] = b.get(i) & 255; }
      default -> throw bad("holds " + name + " as " + e.dtype + ", expected integers");
    }
    return r;
  }

  @Override public void close() { arena.close(); }

  /// What is written: row-major elements, `float[]` as F32 or `long[]` as I64.
  public record Array(int[] shape, Object elements) {}

  /// Writes beside the file first and renames when all is on disk: what was there stays whole whatever happens.
  public static void write(Path file, Map<String, Array> tensors, Map<String, String> metadata) throws IOException {
    var root = JSON.createObjectNode();
    if (!metadata.isEmpty()) {
      var m = root.putObject("__metadata__");
      metadata.forEach(m::put);
    }
    long at = 0;
    var order = new ArrayList<>(tensors.keySet());
    for (var name : order) {
      var t = tensors.get(name);
      var e = root.putObject(name);
      boolean f = t.elements instanceof float[];
      long bytes = f ? ((float[]) t.elements).length * 4L : ((long[]) t.elements).length * 8L;
      e.put("dtype", f ? "F32" : "I64");
      var s = e.putArray("shape");
      for (int d : t.shape) s.add(d);
      e.putArray("data_offsets").add(at).add(at += bytes);
    }
    byte[] json = JSON.writeValueAsBytes(root);
    int padded = (json.length + 7) / 8 * 8;
    long total = 8 + padded + at;
    AtomicFile.write(file, total, channel -> {
      var head = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(json);
      while (head.hasRemaining()) head.put((byte) ' ');
      AtomicFile.all(channel, head.flip());
      var buffer = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
      for (var name : order) {
        var elements = tensors.get(name).elements;
        int n = java.lang.reflect.Array.getLength(elements);
        for (int i = 0; i < n; ) {
          buffer.clear();
          if (elements instanceof float[] f) {
            int c = Math.min(n - i, buffer.capacity() / 4);
            buffer.asFloatBuffer().put(f, i, c);
            buffer.limit(c * 4);
            i += c;
          } else {
            int c = Math.min(n - i, buffer.capacity() / 8);
            buffer.asLongBuffer().put((long[]) elements, i, c);
            buffer.limit(c * 8);
            i += c;
          }
          AtomicFile.all(channel, buffer);
        }
      }
    });
  }
}
