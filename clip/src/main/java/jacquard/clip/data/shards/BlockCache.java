package jacquard.clip.data.shards;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/// Blocks of files from elsewhere, kept in a folder on disk up to a size; those not used for longest go first. Each is
/// fetched once, whoever asks. Any thread may read.
public final class BlockCache {
  static final int BLOCK = 8 << 20;
  private static final int FETCHING = 16;
  private static final String ENDING = ".block";

  interface Fetch { byte[] block() throws IOException; }

  private final Path folder;
  private final long most;
  private final LinkedHashMap<String, Long> kept = new LinkedHashMap<>(16, 0.75f, true);
  private final ConcurrentHashMap<String, CompletableFuture<Void>> coming = new ConcurrentHashMap<>();
  private final Semaphore fetching = new Semaphore(FETCHING);
  private long bytes;
  private boolean commands;

  /// @param most bytes, at least those of 32 blocks
  /// @throws IOException if the folder cannot be made or read
  public BlockCache(Path folder, long most) throws IOException {
    if (most < 32L * BLOCK)
      throw new IllegalArgumentException("a cache of %,d bytes, expected at least %,d".formatted(most, 32L * BLOCK));
    this.folder = Files.createDirectories(folder);
    this.most = most;
    try (var all = Files.list(folder)) {
      for (var f : all.filter(f -> f.toString().endsWith(ENDING))
          .sorted(Comparator.comparing(f -> f.toFile().lastModified())).toList())
        keep(f.getFileName().toString(), Files.size(f));
    }
  }

  /// This, with shards that are what a command writes.
  ///
  /// @param allowed whether they are run
  public BlockCache commands(boolean allowed) {
    commands = allowed;
    return this;
  }

  boolean commands() { return commands; }
  long most() { return most; }
  Path folder() { return folder; }

  /// Bytes on disk.
  public synchronized long bytes() { return bytes; }

  /// A piece of a block, which is fetched where it is not there.
  byte[] read(String name, int from, int length, Fetch fetch) throws IOException {
    for (int tries = 0; ; tries++) {
      have(name, fetch);
      try (var channel = FileChannel.open(folder.resolve(name + ENDING))) {
        var piece = ByteBuffer.allocate(length);
        while (piece.hasRemaining())
          if (channel.read(piece, from + piece.position()) < 0)
            throw new EOFException(name + " has " + channel.size() + " bytes, expected " + (from + length));
        return piece.array();
      // let go by another thread or process in between
      } catch (NoSuchFileException gone) {
        forget(name + ENDING);
        if (tries == 3) throw gone;
      }
    }
  }

  /// Fetches a block in the background; nothing where it is there or enough are on their way.
  void ahead(String name, Fetch fetch) {
    if (has(name) || coming.containsKey(name) || fetching.availablePermits() == 0) return;
    Thread.startVirtualThread(() -> {
      try { have(name, fetch); }
      // who needs it asks again, and hears
      catch (IOException e) {
        System.getLogger(BlockCache.class.getName()).log(System.Logger.Level.DEBUG, "not read ahead", e);
      }
    });
  }

  private synchronized boolean has(String name) { return kept.get(name + ENDING) != null; }

  private void have(String name, Fetch fetch) throws IOException {
    if (has(name)) return;
    var mine = new CompletableFuture<Void>();
    var other = coming.putIfAbsent(name, mine);
    if (other != null) {
      try { other.join(); }
      catch (CompletionException e) {
        throw e.getCause() instanceof IOException io ? new IOException(io.getMessage(), io)
            : new IOException(e.getCause());
      }
      return;
    }
    try {
      if (!has(name)) fetched(name, fetch);
      mine.complete(null);
    } catch (Throwable e) {
      mine.completeExceptionally(e);
      throw e;
    } finally { coming.remove(name); }
  }

  private void fetched(String name, Fetch fetch) throws IOException {
    fetching.acquireUninterruptibly();
    try {
      byte[] block = fetch.block();
      var part = Files.createTempFile(folder, name, ".part");
      try {
        Files.write(part, block);
        Files.move(part, folder.resolve(name + ENDING), StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
      } finally { Files.deleteIfExists(part); }
      keep(name + ENDING, block.length);
    } finally { fetching.release(); }
  }

  private synchronized void keep(String file, long size) throws IOException {
    var before = kept.put(file, size);
    bytes += size - (before == null ? 0 : before);
    for (var eldest = kept.entrySet().iterator(); bytes > most && kept.size() > 1; ) {
      var e = eldest.next();
      bytes -= e.getValue();
      eldest.remove();
      Files.deleteIfExists(folder.resolve(e.getKey()));
    }
  }

  private synchronized void forget(String file) {
    var size = kept.remove(file);
    if (size != null) bytes -= size;
  }
}
