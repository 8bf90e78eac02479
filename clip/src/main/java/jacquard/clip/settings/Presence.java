package jacquard.clip.settings;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/// Whether something is there. `Files.exists` says no where one may not look.
public final class Presence {
  private Presence() {}

  /// @throws AccessDeniedException naming what may not be read, a folder above it perhaps
  public static boolean of(Path path) throws AccessDeniedException {
    boolean folder;
    try { folder = Files.readAttributes(path, BasicFileAttributes.class).isDirectory(); }
    catch (AccessDeniedException e) { throw new AccessDeniedException(closed(path.toAbsolutePath()).toString()); }
    catch (IOException none) { return false; }
    if (!Files.isReadable(path) || folder && !Files.isExecutable(path))
      throw new AccessDeniedException(path.toString());
    return true;
  }

  /// A folder where a file is expected; Java would read it as a file that is broken, and not say its name.
  ///
  /// @throws IOException naming it
  public static void file(Path path, String expected) throws IOException {
    if (Files.isDirectory(path)) throw new IOException(path + " is a folder, expected " + expected);
  }

  /// The outermost folder that may not be searched.
  private static Path closed(Path path) {
    var above = path.getParent();
    if (above == null) return path;
    try { Files.readAttributes(above, BasicFileAttributes.class); }
    catch (AccessDeniedException e) { return closed(above); }
    catch (IOException e) { return path; }
    return Files.isExecutable(above) ? path : above;
  }
}
