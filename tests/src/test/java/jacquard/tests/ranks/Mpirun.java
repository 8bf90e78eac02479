package jacquard.tests.ranks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Starts processes by `mpirun`.
public final class Mpirun {
  public static final String MISSING = "no mpirun: install Debian's openmpi-bin";
  private static final int MINUTES = 2;

  /// @param text of both streams
  public record Ended(int status, String text) {}

  private Mpirun() {}

  public static boolean isThere() {
    for (var folder : System.getenv("PATH").split(":")) if (Files.isExecutable(Path.of(folder, "mpirun"))) return true;
    return false;
  }

  /// So many processes alike, with this JVM's class path.
  ///
  /// @param environment what they have beside this process's
  public static List<String> rank(int count, Map<String, String> environment, Class<?> main, String... arguments) {
    var r = new ArrayList<>(List.of("-n", Integer.toString(count)));
    environment.forEach((name, value) -> r.addAll(List.of("-x", name + "=" + value)));
    r.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m",
        "-XX:TieredStopAtLevel=1", "--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-cp",
        System.getProperty("java.class.path"), main.getName()));
    r.addAll(List.of(arguments));
    return r;
  }

  public static Process start(Path output, List<List<String>> ranks) throws IOException {
    var command = new ArrayList<>(List.of("mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"));
    for (int i = 0; i < ranks.size(); i++) {
      if (i > 0) command.add(":");
      command.addAll(ranks.get(i));
    }
    return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
  }

  /// Until all have ended.
  public static Ended of(Path folder, List<List<String>> ranks) throws IOException, InterruptedException {
    var output = Files.createTempFile(folder, "output", ".txt");
    var p = start(output, ranks);
    if (!p.waitFor(MINUTES, TimeUnit.MINUTES)) {
      p.destroyForcibly().waitFor();
      throw new AssertionError("mpirun does not end: " + Files.readString(output));
    }
    return new Ended(p.exitValue(), Files.readString(output));
  }
}
