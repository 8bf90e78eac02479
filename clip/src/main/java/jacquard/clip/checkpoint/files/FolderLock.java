package jacquard.clip.checkpoint.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// One run at a time in an output folder: a lock on its file `.lock`, which says who holds it. The system frees it when
/// the process ends, however that happens.
public final class FolderLock implements AutoCloseable {
  /// Far behind the text, so that systems whose locks keep readers out let them read who it is.
  private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

  /// POSIX frees a process' locks on a file when any of its channels to that file is closed, so that a second attempt
  /// from this process must not open it.
  private static final Map<Path, String> HELD = new ConcurrentHashMap<>();

  private final Path folder;
  private final FileChannel channel;

  private FolderLock(Path folder, FileChannel channel) {
    this.folder = folder;
    this.channel = channel;
  }

  /// Takes the folder, which is made if there is none.
  ///
  /// @throws IOException naming the folder and its holder, if another run has it
  public static FolderLock take(Path folder) throws IOException {
    Path real = Files.createDirectories(folder).toRealPath();
    String mine = "process " + ProcessHandle.current().pid() + ", since "
        + Instant.now().truncatedTo(ChronoUnit.SECONDS);
    String holder = HELD.putIfAbsent(real, mine);
    if (holder != null) throw taken(folder, holder);
    FolderLock lock = null;
    try {
      lock = lock(folder, real, mine);
    } finally {
      if (lock == null) HELD.remove(real);
    }
    return lock;
  }

  private static FolderLock lock(Path folder, Path real, String mine) throws IOException {
    var channel = FileChannel.open(real.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.READ,
        StandardOpenOption.WRITE,
        LinkOption.NOFOLLOW_LINKS);
    try {
      FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
      if (lock == null) throw taken(folder, holder(channel));
      channel.truncate(0);
      channel.write(ByteBuffer.wrap((mine + "\n").getBytes(StandardCharsets.UTF_8)), 0);
      return new FolderLock(real, channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static IOException taken(Path folder, String holder) {
    return new IOException(folder + ": another run uses this folder (" + holder
        + "). Choose another folder or wait for it to end");
  }

  private static String holder(FileChannel channel) throws IOException {
    var bytes = ByteBuffer.allocate(200);
    int count = channel.read(bytes, 0);
    return count <= 0 ? "it does not say which" : new String(bytes.array(), 0, count, StandardCharsets.UTF_8).strip();
  }

  /// Frees the folder; the file stays, since removing it would race with the next run.
  @Override public void close() throws IOException {
    if (!channel.isOpen()) return;
    try (channel) {
      channel.truncate(0);
    } finally {
      HELD.remove(folder); // after the channel: closing it frees whatever lock this process has on the file
    }
  }
}
