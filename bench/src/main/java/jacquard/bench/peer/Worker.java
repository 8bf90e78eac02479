package jacquard.bench.peer;

import jacquard.bench.harness.Lane;
import jacquard.bench.harness.Run;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.kernels.cpu.Parallel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Another process that works on request: a line asks, a line answers. While it is not asked it waits.
public final class Worker implements AutoCloseable {
  public static final String OPEN_CLIP = "OpenCLIP", PYTORCH = "PyTorch";
  /// A longer window than within one process: asking costs a fraction of a millisecond.
  private static final double LEAST = 0.1;

  private final Process process;
  private final PrintStream to;
  private final BufferedReader from;

  private Worker(List<String> command) {
    try {
      var builder = new ProcessBuilder(command)
          .redirectError(Files.createDirectories(Path.of("bench/target")).resolve("worker.log").toFile());
      builder.environment().keySet().removeIf(k -> k.startsWith("OPENBLAS_") || k.endsWith("_NUM_THREADS"));
      process = builder.start();
      Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
      to = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
      from = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
      var first = from.readLine();
      while (first != null && !first.equals("ready")) first = from.readLine();
      if (first == null) throw new IOException(command + " ended before it was ready; see bench/target/worker.log");
    } catch (IOException e) { throw new IllegalStateException(e); }
  }

  /// The interpreter of the virtual environment that `bench/peers/setup` makes, or the one that `JACQUARD_PEERS` names.
  public static Path python() {
    var named = System.getenv("JACQUARD_PEERS");
    return named != null ? Path.of(named) : Path.of("bench/peers/.venv/bin/python");
  }

  /// The real OpenCLIP with a model's weights and a batch of data; either may be null.
  public static Worker openClip(String model, Path checkpoint, Path batch) {
    return openClip(Parallel.threads(), model, checkpoint, batch);
  }

  private static Worker openClip(int threads, String model, Path checkpoint, Path batch) {
    return new Worker(List.of(python().toString(), "bench/peers/worker.py", Integer.toString(threads), model == null
        ? "-" : model, checkpoint == null ? "-" : checkpoint.toString(), batch == null ? "-" : batch.toString()));
  }

  /// Jacquard in a JVM of its own; see [Program].
  public static Worker jacquard(int threads, String... arguments) {
    var command = new ArrayList<>(java(threads, Program.class));
    command.addAll(Arrays.asList(arguments));
    return new Worker(command);
  }

  /// Java as the launcher starts it for a training, with this process's classes.
  static List<String> java(int threads, Class<?> main) {
    var r = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    r.addAll(Run.training());
    r.addAll(List.of("-Djacquard.threads=" + threads, "--add-modules=jdk.incubator.vector", "-cp",
    System.getProperty("java.class.path"), main.getName()));
    return r;
  }

  public String ask(String command) {
    try {
      to.println(command);
      var answer = from.readLine();
      if (answer == null || answer.startsWith("error"))
        throw new IllegalStateException(command + ": " + answer + "; see bench/target/worker.log");
      return answer;
    } catch (IOException e) { throw new IllegalStateException(command, e); }
  }

  public double number(String command) { return Double.parseDouble(ask(command)); }

  /// What a work computes.
  public float[] features(String work) throws IOException {
    var file = Files.createTempFile("features", ".safetensors");
    ask("features " + work + " " + file);
    try (var f = Safetensors.open(file)) { return f.floats("features"); }
    finally { Files.delete(file); }
  }

  /// One side of a contest.
  public Lane lane(String work) { return window -> number("time " + Math.max(window, LEAST) + " " + work); }

  @Override public void close() {
    to.close();
    try { if (!process.waitFor(2, java.util.concurrent.TimeUnit.SECONDS)) process.destroyForcibly();
        } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
