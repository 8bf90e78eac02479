package jacquard.clip.train.ranks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.zip.CRC32C;

/// What tells files of one name apart without reading all of them: ranks on several machines may have their own.
public final class FileMarks {
  private static final int PIECE = 1 << 16, PIECES = 64;

  private FileMarks() {}

  /// Of each file its name, size, and a checksum of pieces spread evenly over it; of an index of shards those too.
  public static List<String> of(Collection<Path> files) throws IOException {
    var r = new ArrayList<String>();
    for (var f : files) {
      r.add(of(f));
      if (!f.getFileName().toString().endsWith(".index.json")) continue;
      var beside = f.toAbsolutePath().getParent();
      try (var all = Files.newDirectoryStream(beside, "*.{safetensors,bin}")) {
        var parts = new ArrayList<Path>();
        all.forEach(parts::add);
        for (var p : parts.stream().sorted().toList()) r.add(of(p));
      }
    }
    return r;
  }

  private static String of(Path file) throws IOException {
    var sum = new CRC32C();
    try (var channel = FileChannel.open(file)) {
      long size = channel.size(), room = Math.max(0, size - PIECE);
      var piece = ByteBuffer.allocate(PIECE);
      for (int i = 0; i < PIECES && (i == 0 || room > 0); i++) {
        long at = room / (PIECES - 1) * i + room % (PIECES - 1) * i / (PIECES - 1);
        while (piece.hasRemaining() && channel.read(piece, at + piece.position()) >= 0);
        sum.update(piece.flip());
        piece.clear();
      }
      return "%s of %,d bytes (%08x)".formatted(file.getFileName(), size, sum.getValue());
    }
  }
}
