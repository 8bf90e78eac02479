package jacquard.clip.checkpoint.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;

/// Folders that appear whole or not at all: written as `NAME.part` beside the target, then renamed.
public final class NewFolder {
  private NewFolder() {}

  /// Writes the whole content into a folder that is there.
  @FunctionalInterface public interface Content { void to(Path folder) throws IOException; }

  /// @param folder not there yet
  public static void write(Path folder, Content content) throws IOException {
    var target = folder.toAbsolutePath().normalize();
    var part = target.resolveSibling(target.getFileName() + ".part");
    clear(part);                                                                 // of one that was killed
    try {
      content.to(Files.createDirectories(part));
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    } finally { clear(part); }
  }

  private static void clear(Path folder) throws IOException {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) return;
    try (var all = Files.walk(folder)) {
      for (var f : all.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(f);
    }
  }
}
