package jacquard.clip.checkpoint;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.safetensors.ShardedSafetensors;
import jacquard.clip.settings.Presence;
import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import jacquard.tensor.Storage;
import jacquard.tensor.Type;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Named tensors on disk. They stay there until asked for; closing it ends every [MemorySegment] it gave.
public sealed interface Weights extends AutoCloseable permits Safetensors, ShardedSafetensors, Composed {
  /// The file, or the index of the shards.
  Path file();

  /// The names in the order of the file.
  List<String> names();

  /// What the writer noted beside the tensors.
  Map<String, String> metadata();

  /// @throws IOException if there is no tensor of this name, with the nearest that there is
  Entry entry(String name) throws IOException;

  /// The elements as they lie in the file, little-endian and read-only.
  MemorySegment bytes(String name) throws IOException;

  default boolean contains(String name) { return names().contains(name); }

  /// Element type in memory and shape.
  default Type type(String name) throws IOException {
    Entry entry = entry(name);
    return new Type(entry.stored().dtype(), entry.shape());
  }

  /// The extents, outermost first.
  default int[] shape(String name) throws IOException { return entry(name).shape().dims(); }

  /// The elements of a tensor of F32 where they lie, or null for other types. It outlives the reader, and must be
  /// closed; the file must not be written to until then, though another may take its name.
  Storage.Source source(String name) throws IOException;

  /// The elements of a tensor of floats: F16 and BF16 exactly, F64 to the nearest float.
  ///
  /// @throws IOException if they are not floats, or more than an array holds
  default float[] floats(String name) throws IOException { return Elements.floats(this, entry(name), bytes(name)); }

  /// The elements of a tensor of F64, exactly, or of other floats.
  default double[] doubles(String name) throws IOException { return Elements.doubles(this, entry(name), bytes(name)); }

  /// The elements of a tensor of whole numbers; BOOL is 0 or 1.
  ///
  /// @throws IOException if they are floats, or more than an array holds
  default long[] longs(String name) throws IOException { return Elements.longs(this, entry(name), bytes(name)); }

  @Override void close();

  /// Opens a file of any [Format], an `.index.json` of shards, or a folder that holds weights under one of the usual
  /// names. Tensors keep the names of the file.
  ///
  /// @throws IOException naming the file, if it is none of these or damaged
  static Weights open(Path path) throws IOException {
    if (Files.isDirectory(path)) return open(in(path));
    if (!Presence.of(path)) throw MissingWeights.at(path);
    return Format.of(path).open(path);
  }

  /// The file of weights in a folder: one of the usual names, or the only one that has an ending of weights.
  static Path in(Path folder) throws IOException {
    for (String name : MissingWeights.FILES) {
      var file = folder.resolve(name);
      if (Files.isDirectory(file)) throw new IOException(file + " is a folder, expected a file of weights");
      if (Files.exists(file)) return file;
    }
    try (var all = Files.list(folder)) {
      var like = all.filter(f -> Files.isRegularFile(f) && ModelFiles.like(f.getFileName().toString())).sorted()
          .toList();
      if (like.size() == 1) return like.getFirst();
      throw MissingWeights.in(folder, like);
    }
  }

  /// A tensor's place: its bytes are `[begin, end)` of the file's data.
  record Entry(String name, Stored stored, Shape shape, long begin, long end) {
    public long byteCount() { return end - begin; }

    /// The element type in memory.
    public DType dtype() { return stored.dtype(); }
  }
}
