package jacquard.clip.checkpoint.files;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicInteger;

/// A file mapped into memory, read-only. It lasts until the last of those that read it has left: who opened it, and
/// every [#enter].
public final class Mapping implements AutoCloseable {
  private final Path file;
  private final Arena arena;
  private final MemorySegment bytes;
  private final AtomicInteger readers = new AtomicInteger(1);

  private Mapping(Path file, Arena arena, MemorySegment bytes) {
    this.file = file;
    this.arena = arena;
    this.bytes = bytes;
  }

  public static Mapping open(Path file) throws IOException {
    var arena = Arena.ofShared();
    boolean open = false;
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      var m = new Mapping(file, arena, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
      open = true;
      return m;
    } finally {
      if (!open) arena.close();
    }
  }

  public Path file() { return file; }

  public MemorySegment bytes() { return bytes; }

  /// One more reader, who leaves by [#close].
  public Mapping enter() {
    readers.incrementAndGet();
    return this;
  }

  /// Ends the mapping when nobody reads any more: bytes given before can then no longer be read.
  @Override public void close() { if (readers.decrementAndGet() == 0) arena.close(); }
}
