package jacquard.clip.checkpoint.files;

import jacquard.clip.checkpoint.Elements;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicInteger;

/// A file mapped into memory, read-only. It lasts until the last of those that read it has left: who opened it, and
/// every [#enter].
public final class Mapping implements AutoCloseable {
  /// Bytes that are read at once, and from which on reading is worth a call.
  private static final int BLOCK = 1 << 18, FEW = 1 << 11;
  private static final ThreadLocal<ByteBuffer> BUFFER =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(BLOCK).order(ByteOrder.LITTLE_ENDIAN));

  private final Path file;
  private final FileChannel channel;
  private final Arena arena;
  private final MemorySegment bytes;
  private final AtomicInteger readers = new AtomicInteger(1);

  private Mapping(Path file, FileChannel channel, Arena arena, MemorySegment bytes) {
    this.file = file;
    this.channel = channel;
    this.arena = arena;
    this.bytes = bytes;
  }

  public static Mapping open(Path file) throws IOException {
    var arena = Arena.ofShared();
    FileChannel channel = null;
    boolean open = false;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
      var m = new Mapping(file, channel, arena, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
      open = true;
      return m;
    } finally {
      if (!open) {
        arena.close();
        if (channel != null) channel.close();
      }
    }
  }

  public Path file() { return file; }

  public MemorySegment bytes() { return bytes; }

  /// One more reader, who leaves by [#close].
  public Mapping enter() {
    readers.incrementAndGet();
    return this;
  }

  /// Copies floats, little-endian, out of [#bytes]. Many are read by calls: pages of the mapping that were touched
  /// count as this process's memory, those that the system keeps of a file do not.
  ///
  /// @param from byte of the file
  public void floats(long from, float[] to, int at, int n) {
    int done = 0;
    if (4L * n >= FEW)
      try {
        var buffer = BUFFER.get();
        for (int count; done < n; done += count) {
          buffer.clear().limit((int) Math.min(BLOCK, 4L * (n - done)));
          while (buffer.hasRemaining())
            if (channel.read(buffer, from + 4L * done + buffer.position()) < 0) throw new IOException("cut off");
          count = buffer.flip().remaining() / 4;
          buffer.asFloatBuffer().get(to, at + done, count);
        }
      } catch (IOException e) {
        // as after an interrupt, which closes channels: the mapping is still there
      }
    MemorySegment.copy(bytes, Elements.FLOAT, from + 4L * done, to, at + done, n - done);
  }

  /// Ends the mapping when nobody reads any more: bytes given before can then no longer be read.
  @Override public void close() {
    if (readers.decrementAndGet() > 0) return;
    arena.close();
    try { channel.close(); } catch (IOException e) { throw new UncheckedIOException(e); }
  }
}
