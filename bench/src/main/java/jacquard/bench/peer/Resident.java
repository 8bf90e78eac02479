package jacquard.bench.peer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Whole processes, as the operating system sees them.
///
/// @param seconds from start to end
/// @param peak    bytes resident at most
public record Resident(double seconds, double peak) {
  /// The most that a process has had in memory so far.
  public static long peak(long pid) throws IOException {
    try (var lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
      return lines.filter(l -> l.startsWith("VmHWM:")).map(l -> Long.parseLong(l.replaceAll("\\D", "")) * 1024)
          .findFirst().orElse(0L);
    }
  }

  /// Runs a command to its end. Its high-water mark is read every few milliseconds; what it adds in the last of them is
  /// not seen.
  public static Resident of(List<String> command) throws IOException, InterruptedException {
    var log = Files.createDirectories(Path.of("bench/target")).resolve("process.log").toFile();
    var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log);
    builder.environment().keySet().removeIf(k -> k.startsWith("OPENBLAS_") || k.endsWith("_NUM_THREADS"));
    long start = System.nanoTime(), peak = 0;
    var process = builder.start();
    while (!process.waitFor(3, TimeUnit.MILLISECONDS)) {
      try { peak = Math.max(peak, peak(process.pid())); } catch (IOException ended) {
        /* between the question and the answer */
      }
    }
    double seconds = (System.nanoTime() - start) * 1e-9;
    if (process.exitValue() != 0)
      throw new IOException(command + " ended with " + process.exitValue() + "; see " + log);
    return new Resident(seconds, peak);
  }
}
