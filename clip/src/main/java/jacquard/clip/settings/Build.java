package jacquard.clip.settings;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/// Which build this is.
public final class Build {
  public static final String VERSION = "jacquard 0.1.0";

  private Build() {}

  /// The version, the Java that runs it, and a checksum of the engine's and the models' code where that lies in jars.
  public static String text() {
    var sum = new CRC32C();
    for (var module : new String[] {"jacquard.tensor", "jacquard.autograd", "jacquard.kernels", "jacquard.clip"})
      ModuleLayer.boot().configuration().findModule(module).flatMap(m -> m.reference().location()).map(Path::of)
          .filter(Files::isRegularFile).ifPresent(jar -> {
            try { sum.update(Files.readAllBytes(jar)); } catch (IOException e) { throw new UncheckedIOException(e); }
          });
    return "%s (%08x) on Java %s".formatted(VERSION, sum.getValue(), Runtime.version());
  }
}
