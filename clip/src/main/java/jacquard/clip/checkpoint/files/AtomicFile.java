package jacquard.clip.checkpoint.files;

import jacquard.clip.settings.Presence;
import jacquard.clip.settings.Reason;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/// Files that appear whole or not at all: written to `NAME.tmp` beside the target, flushed to the disk, renamed over
/// it. Where any of that fails, the target is as it was and no `.tmp` is left.
public final class AtomicFile {
  private AtomicFile() {}

  /// Writes the whole content, in order.
  @FunctionalInterface public interface Content { void to(WritableByteChannel channel) throws IOException; }

  /// Writes the whole content, in order; the stream is buffered and stays open.
  @FunctionalInterface public interface Stream { void to(OutputStream stream) throws IOException; }

  public static void write(Path file, byte[] content) throws IOException {
    write(file, content.length, channel -> channel.write(ByteBuffer.wrap(content)));
  }

  /// A text in UTF-8.
  public static void write(Path file, String text) throws IOException {
    write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  /// A content whose size is not known before.
  public static void stream(Path file, Stream content) throws IOException {
    write(file, -1, channel -> {
      var buffered = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
      content.to(buffered);
      buffered.flush();
    });
  }

  /// @param bytes how many the content has, for the error; negative if not known
  /// @throws IOException naming the file, the bytes wanted and the free space; what `content` throws unchecked passes
  ///   through
  public static void write(Path file, long bytes, Content content) throws IOException {
    Presence.file(file, "the name of a file to write");
    Path target = file.toAbsolutePath();
    Path part = target.resolveSibling(target.getFileName() + ".tmp");
    boolean done = false;
    try {
      Files.deleteIfExists(part); // of a run that was killed; also a link, which must not be followed
      try (var channel = FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.to(new Whole(channel));
        channel.force(true);
      }
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      done = true;
    } catch (IOException e) {
      boolean refused = e instanceof AccessDeniedException || e instanceof NoSuchFileException
          || e instanceof NotDirectoryException;
      throw new IOException(file + ": could not write " + (bytes < 0 ? "it" : bytes + " bytes")
          + (refused ? ": " : " (" + free(target) + "): ")
          + Reason.of(e)
          + (Files.exists(target) ? "; the file that was there is unchanged" : ""), e);
    } finally {
      if (!done) Files.deleteIfExists(part);
    }
    flushFolder(target.getParent());
  }

  private static String free(Path target) {
    try {
      return Files.getFileStore(target.getParent()).getUsableSpace() + " bytes free in " + target.getParent();
    } catch (IOException e) {
      return "folder " + target.getParent() + " cannot be asked for free space";
    }
  }

  /// The rename lasts once the folder is flushed, too. Not every system lets a folder be opened; there the rename is as
  /// safe as it gets.
  private static void flushFolder(Path folder) {
    try (var channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException notHere) {
      System.getLogger(AtomicFile.class.getName())
          .log(System.Logger.Level.DEBUG, "cannot flush the folder " + folder, notHere);
    }
  }

  /// Every write writes all its bytes.
  private record Whole(FileChannel channel) implements WritableByteChannel {
    @Override public int write(ByteBuffer bytes) throws IOException {
      int count = bytes.remaining();
      while (bytes.hasRemaining()) channel.write(bytes);
      return count;
    }

    @Override public boolean isOpen() { return channel.isOpen(); }

    @Override public void close() {}
  }
}
