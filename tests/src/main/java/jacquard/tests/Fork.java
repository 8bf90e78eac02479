package jacquard.tests;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A JVM of its own, started with this one's classes and other flags.
public final class Fork {
  private static final int MINUTES = 8;

  private Fork() {}

  /// What `main` printed. A failure is an error with the end of what it said.
  public static List<String> run(List<String> flags, Class<?> main, String... args)
      throws IOException, InterruptedException {
    Path out = Files.createTempFile("fork", ".out"), err = Files.createTempFile("fork", ".err");
    try {
      var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
          System.getProperty("java.class.path"),
          "--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-Xmx1500m", "-Djacquard.poison=true"));
      command.addAll(flags);
      command.add(main.getName());
      command.addAll(List.of(args));
      var p = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
      if (!p.waitFor(MINUTES, TimeUnit.MINUTES)) {
        p.destroyForcibly().waitFor();
        throw new IOException(flags + " took more than " + MINUTES + " minutes");
      }
      if (p.exitValue() != 0) {
        var said = lines(err);
        throw new IOException(flags + " ended with " + p.exitValue() + ": "
            + said.subList(Math.max(0, said.size() - 20), said.size()));
      }
      return lines(out);
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  /// Not `readAllLines`: a JVM that prints its machine code cuts constants within a character.
  private static List<String> lines(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8).lines().toList();
  }
}
