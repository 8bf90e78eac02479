package jacquard.clip.checkpoint;

import jacquard.clip.settings.Nearest;
import jacquard.tensor.Storage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/// Named [Piece]s of a file that is no safetensors, or of one whose tensors have other names.
public final class Composed implements Weights {
  private final Path file;
  private final Map<String, Piece> pieces;
  private final Map<String, String> metadata;
  private final AutoCloseable root;
  private final AtomicInteger readers = new AtomicInteger(1);
  private final AtomicBoolean closed = new AtomicBoolean();

  /// @param root what the pieces lie in: closed when this and every source of it are
  public Composed(Path file, Map<String, Piece> pieces, AutoCloseable root) { this(file, pieces, Map.of(), root); }

  /// @param metadata what the file says beside the tensors
  public Composed(Path file, Map<String, Piece> pieces, Map<String, String> metadata, AutoCloseable root) {
    this.metadata = Map.copyOf(metadata);
    this.file = file;
    this.pieces = new LinkedHashMap<>(pieces);
    this.root = root;
  }

  @Override public Path file() { return file; }

  @Override public List<String> names() { return List.copyOf(pieces.keySet()); }

  @Override public boolean contains(String name) { return pieces.containsKey(name); }

  @Override public Map<String, String> metadata() { return metadata; }

  private Piece piece(String name) throws IOException {
    var p = pieces.get(name);
    if (p != null) return p;
    throw new IOException(file + ": no tensor " + name
        + Nearest.of(name, pieces.keySet()).map(n -> ". Did you mean " + n + "?").orElse(""));
  }

  @Override public Entry entry(String name) throws IOException {
    var p = piece(name);
    return new Entry(name, p.stored(), p.shape(), 0, p.byteCount());
  }

  @Override public MemorySegment bytes(String name) throws IOException {
    try { return piece(name).bytes(); } catch (IOException e) {
      throw new IOException(file + ": " + name + ": " + e.getMessage(), e);
    }
  }

  @Override public Storage.Source source(String name) throws IOException {
    if (piece(name).stored() != Stored.F32) return null;
    readers.incrementAndGet();
    return new Storage.Source() {
      private MemorySegment made;

      private synchronized MemorySegment made() {
        try { return made == null ? made = bytes(name) : made; } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }

      @Override public void copy(long from, Object array, int at, int n) {
        MemorySegment.copy(made(), Elements.FLOAT, 4 * from, array, at, n);
      }
      @Override public void close() { leave(); }
    };
  }

  @Override public void close() { if (closed.compareAndSet(false, true)) leave(); }

  private void leave() {
    if (readers.decrementAndGet() > 0) return;
    try { root.close(); } catch (Exception e) { throw new IllegalStateException(file + " could not be closed", e); }
  }
}
