package jacquard.clip.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/// Whole files or none: written beside the target, forced to disk, then renamed over it. A failure leaves the target as it was.
public final class AtomicFile {
  public interface Body { void write(FileChannel channel) throws IOException; }

  private AtomicFile() {}

  public static void write(Path file, byte[] bytes) throws IOException { write(file, bytes.length, c -> all(c, ByteBuffer.wrap(bytes))); }

  /// @param size how many bytes will come, for the message when the disk is full
  public static void write(Path file, long size, Body body) throws IOException {
    var folder = file.toAbsolutePath().getParent();
    var beside = folder.resolve("." + file.getFileName() + ".tmp");
    try {
      try (var channel = FileChannel.open(beside, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
        body.write(channel);
        channel.force(true);
      }
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      long free = -1;
      try { Files.deleteIfExists(beside); free = Files.getFileStore(folder).getUsableSpace(); } catch (IOException ignored) { e.addSuppressed(ignored); }
      throw new IOException("writing %s: %s; %,d bytes wanted, %,d free; what was there before is untouched".formatted(file, e.getMessage(), size, free), e);
    }
  }

  static void all(FileChannel channel, ByteBuffer bytes) throws IOException { while (bytes.hasRemaining()) channel.write(bytes); }
}
