package jacquard.clip.data.shards;

import jacquard.clip.data.CaptionNumbers;
import jacquard.clip.data.parquet.Sidecar;
import jacquard.clip.settings.Presence;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.TimeUnit;

/// The bytes of a shard, wherever it lies. Any thread may read, and several at once.
public interface ShardFile {
  String name();

  /// What it was like when asked; as long as this stays the same, so do its bytes.
  ///
  /// @param size  in bytes
  /// @param stamp of its last change
  record State(long size, long stamp) {}

  /// @throws IOException where it is not there
  State state() throws IOException;

  /// `length` bytes from `at` on.
  ///
  /// @throws IOException where it has not so many
  byte[] read(long at, int length) throws IOException;

  /// Where its index lies; null where none can be kept.
  Path index();

  /// The files beside a shard of this name.
  static Sidecar beside(String shard, BlockCache cache) {
    return new Sidecar() {
      private byte[] parquet;
      @Override public String name(String ending) { return shard.replaceFirst("\\.tar$", ending); }
      @Override public byte[] read(String ending) throws IOException {
        if (ending.equals(".parquet") && parquet != null) return parquet;
        var file = of(name(ending), cache);
        byte[] r = file.read(0, Math.toIntExact(file.state().size()));
        if (ending.equals(".parquet")) parquet = r;
        return r;
      }
    };
  }

  /// A file on disk.
  record OnDisk(Path path) implements ShardFile {
    @Override public String name() { return path.toString(); }

    @Override public State state() throws IOException {
      Presence.file(path, "a tar");
      return new State(Files.size(path), Files.getLastModifiedTime(path).to(TimeUnit.MICROSECONDS));
    }

    @Override public byte[] read(long at, int length) throws IOException {
      try (var channel = FileChannel.open(path)) {
        if (at < 0 || length < 0 || at > channel.size() - length)
          throw new EOFException(path + " has " + channel.size() + " bytes, expected " + length + " more at " + at);
        var bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining())
          if (channel.read(bytes, at + bytes.position()) < 0) throw new EOFException(path + " ended while it was read");
        return bytes.array();
      }
    }

    @Override public Path index() { return path.resolveSibling(path.getFileName() + ".index"); }
  }

  /// The index that came with the shard; null where none did.
  default byte[] shipped() { return null; }

  /// What a command writes, kept as a file: it runs once, and again where its file is gone. It is a shell's command, so
  /// that only whoever says so has it run.
  ///
  /// @param command of `sh`
  /// @param folder  where the file is kept
  /// @param most    bytes
  record OfCommand(String command, Path folder, long most) implements ShardFile {
    static final String PREFIX = "pipe:";

    private OnDisk file() throws IOException {
      var file = folder.resolve("%016x.tar".formatted(CaptionNumbers.hash(command)));
      synchronized (OfCommand.class) {
        if (!Files.exists(file)) run(file);
      }
      return new OnDisk(file);
    }

    private void run(Path file) throws IOException {
      var part = file.resolveSibling(file.getFileName() + ".part");
      var process = new ProcessBuilder("sh", "-c", command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      process.getOutputStream().close();
      try (var in = process.getInputStream(); var out = Files.newOutputStream(part)) {
        var piece = new byte[1 << 16];
        long total = 0;
        for (int n; (n = in.read(piece)) >= 0; out.write(piece, 0, n))
          if ((total += n) > most)
            throw new IOException(name() + " wrote more than the %,d bytes of --shard-cache-size".formatted(most));
        int status = process.waitFor();
        if (status != 0) throw new IOException(name() + " ended with status " + status);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException(name() + ": interrupted", e);
      } finally {
        process.destroy();
        Files.deleteIfExists(part);
      }
    }

    @Override public String name() { return PREFIX + command; }
    @Override public State state() throws IOException {
      return new State(file().state().size(), CaptionNumbers.hash(command));
    }
    @Override public byte[] read(long at, int length) throws IOException { return file().read(at, length); }
    @Override public Path index() { return folder.resolve("%016x.tar.index".formatted(CaptionNumbers.hash(command))); }
  }

  /// A file, one behind an address, or what a command writes.
  ///
  /// @param cache for what comes from elsewhere; null where nothing may
  static ShardFile of(String name, BlockCache cache) {
    boolean command = name.startsWith(OfCommand.PREFIX);
    if (!command && !HttpShard.is(name)) return new OnDisk(Path.of(name));
    if (cache == null) throw new IllegalArgumentException(name + " needs a cache on disk");
    if (!command) return new HttpShard(name, cache);
    if (!cache.commands())
      throw new IllegalArgumentException(name
          + ": commands are run only with --allow-pipes, since they may do anything");
    return new OfCommand(name.substring(OfCommand.PREFIX.length()), cache.folder(), cache.most());
  }
}
