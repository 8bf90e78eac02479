package jacquard.clip.data.shards;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
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

  /// A file on disk.
  record OnDisk(Path path) implements ShardFile {
    @Override public String name() { return path.toString(); }

    @Override public State state() throws IOException {
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

  /// A file, or one behind an address.
  ///
  /// @param cache for what comes from elsewhere; null where nothing may
  static ShardFile of(String name, BlockCache cache) {
    if (!HttpShard.is(name)) return new OnDisk(Path.of(name));
    if (cache == null) throw new IllegalArgumentException(name + " needs a cache on disk");
    return new HttpShard(name, cache);
  }
}
