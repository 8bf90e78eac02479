package jacquard.kernels.cuda.driver;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import jcuda.LibUtils;

/// Native libraries out of resources. JCuda looks for its own in the folder of temporary files and loads what it finds there; its own way of
/// unpacking them finds nothing across two modules, so they are put there before it looks.
final class Natives {
  private Natives() {}

  /// The bytes of a resource of any module or jar, or null.
  static byte[] resource(String name) {
    try (var in = Natives.class.getClassLoader().getResourceAsStream(name)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException("resource " + name, e);
    }
  }

  /// Puts JCuda's driver library where JCuda looks for it. Returns why that cannot be done, or null.
  static String unpackJCuda() {
    var file = LibUtils.createLibraryFileName("JCudaDriver-12.6.0-" + (System.getProperty("os.name").startsWith("Windows") ? "windows" : "linux") + "-x86_64");
    var bytes = resource("lib/" + file);
    if (bytes == null) return "the jar jcuda-natives 12.6.0 for this system is missing (no resource lib/" + file + ")";
    try {
      place(Path.of(System.getProperty("java.io.tmpdir"), file), bytes);
      return null;
    } catch (IOException e) {
      return "cannot write JCuda's library: " + e;
    }
  }

  /// Writes a file unless it holds these bytes already; whole or not at all, so that processes do not meet half of one.
  static void place(Path target, byte[] bytes) throws IOException {
    if (Files.exists(target) && Files.size(target) == bytes.length && Arrays.equals(Files.readAllBytes(target), bytes)) return;
    var part = Files.createTempFile(target.getParent(), target.getFileName().toString(), ".part");
    try {
      Files.write(part, bytes);
      try { Files.move(part, target, StandardCopyOption.ATOMIC_MOVE); }
      catch (AtomicMoveNotSupportedException e) { Files.move(part, target, StandardCopyOption.REPLACE_EXISTING); }
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
