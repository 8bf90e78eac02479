package jacquard.clip.checkpoint.safetensors;

import jacquard.clip.checkpoint.Elements;
import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.files.Mapping;
import jacquard.clip.settings.FirstBytes;
import jacquard.clip.settings.Nearest;
import jacquard.tensor.Shape;
import jacquard.tensor.Storage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/// A safetensors file, mapped into memory: opening reads the header alone, a tensor's bytes are read when it is asked
/// for.
public final class Safetensors implements Weights {
  private final Path file;
  private final SafetensorsHeader header;
  private final Mapping mapping;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final MemorySegment data;
  private final List<String> names;

  private Safetensors(Path file, SafetensorsHeader header, Mapping mapping, MemorySegment data) {
    this.file = file;
    this.header = header;
    this.mapping = mapping;
    this.data = data;
    this.names = List.copyOf(header.entries().keySet());
  }

  /// @throws IOException naming the file and what is wrong with it: every length, type, shape and offset is checked
  public static Safetensors open(Path file) throws IOException {
    var mapping = Mapping.open(file);
    boolean open = false;
    try {
      var whole = mapping.bytes();
      long size = whole.byteSize();
      if (size < 8) throw new IOException("has " + size + " bytes, expected at least 8");
      long length = whole.get(Elements.LONG, 0);
      if (length < 2 || length > SafetensorsHeader.LARGEST || length > size - 8)
        throw new IOException("the header's length is " + Long.toUnsignedString(length) + ", expected 2 … "
            + Math.min(SafetensorsHeader.LARGEST, size - 8)
            + (length >= 2 && length <= SafetensorsHeader.LARGEST ? "; the file is cut off, or is none" : ""));
      byte[] json = whole.asSlice(8, length).toArray(ValueLayout.JAVA_BYTE);
      var header = SafetensorsHeader.parse(json, size - 8 - length);
      open = true;
      return new Safetensors(file, header, mapping, whole.asSlice(8 + length));
    } catch (IOException e) {
      throw new IOException(file + ": not a sound safetensors file: " + FirstBytes.of(file).orElse(e.getMessage()), e);
    } finally {
      if (!open) mapping.close();
    }
  }

  @Override public Path file() { return file; }

  @Override public List<String> names() { return names; }

  @Override public boolean contains(String name) { return header.entries().containsKey(name); }

  @Override public Map<String, String> metadata() { return header.metadata(); }

  @Override public Entry entry(String name) throws IOException {
    Entry entry = header.entries().get(name);
    if (entry != null) return entry;
    throw new IOException(file + ": no tensor " + name + Nearest.of(name, names).map(n -> ". Did you mean " + n
        + "?").orElse(""));
  }

  @Override public MemorySegment bytes(String name) throws IOException {
    Entry entry = entry(name);
    return data.asSlice(entry.begin(), entry.byteCount());
  }

  @Override public Storage.Source source(String name) throws IOException {
    if (entry(name).stored() != Stored.F32) return null;
    var bytes = bytes(name);
    mapping.enter();
    return new Storage.Source() {
      @Override public void copy(long from, Object array, int at, int n) {
        MemorySegment.copy(bytes, Elements.FLOAT, 4 * from, array, at, n);
      }
      @Override public void close() { mapping.close(); }
    };
  }

  /// Ends the mapping when the last source is closed too: bytes given before can then no longer be read.
  @Override public void close() {
    if (closed.compareAndSet(false, true)) mapping.close();
  }

  /// What is written: the shape and the elements, row-major, asked for when their turn has come.
  public record Array(int[] shape, Stored stored, SafetensorsWriter.Content<?> content) {
    /// @param elements `float[]`, written as F32, or `long[]`, as I64
    public Array(int[] shape, Object elements) {
      this(shape, elements instanceof long[] ? Stored.I64 : Stored.F32, () -> elements);
    }

    public static Array floats(Shape shape, SafetensorsWriter.Content<float[]> content) {
      return new Array(shape.dims(), Stored.F32, content);
    }

    public Object elements() throws IOException { return content.get(); }
  }

  /// Writes arrays, in the map's order, whole or not at all.
  public static void write(Path file, Map<String, Array> tensors, Map<String, String> metadata) throws IOException {
    var sources = new ArrayList<SafetensorsWriter.Source>();
    tensors.forEach((name, a) ->
        sources.add(new SafetensorsWriter.Source(name, a.stored, Shape.of(a.shape), a.content)));
    write(file, metadata, sources);
  }

  /// Writes a file whole or not at all, one tensor in memory at a time; see [SafetensorsWriter].
  public static void write(Path file, Map<String, String> metadata, List<SafetensorsWriter.Source> tensors)
      throws IOException {
    SafetensorsWriter.write(file, metadata, tensors);
  }
}
