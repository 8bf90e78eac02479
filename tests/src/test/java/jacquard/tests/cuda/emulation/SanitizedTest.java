package jacquard.tests.cuda.emulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tests.Sanitized;
import jacquard.tests.cuda.Raw;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/// The emulation and the kernels as `cuda-src/build sanitized` makes them, under ASan and UBSan: the ops run through
/// without a report, and faults that no check of the emulation's own sees end the process.
class SanitizedTest {
  private static final Path BUILD = Path.of("../cuda-src/target/sanitized");
  private static final int MINUTES = 4;

  @BeforeAll static void built() throws IOException {
    Raw.emulationNeeded();
    Path kernels = BUILD.resolve("libkernels.so"), plain =
        BUILD.resolveSibling("cuda/jacquard/cuda/emulation/libkernels.so");
    if (!Files.exists(kernels)) throw new TestAbortedException("not built: cuda-src/build sanitized");
    if (Files.getLastModifiedTime(kernels).compareTo(Files.getLastModifiedTime(plain)) < 0)
      throw new TestAbortedException("older than the kernels: cuda-src/build sanitized");
  }

  private record Ended(int status, String text) {
    void reports(String... parts) {
      assertTrue(status != 0, text);
      for (var p : parts) assertTrue(text.contains(p), p + " in: " + text);
    }
  }

  /// The sanitiser's library has to come first in a process that was not made with it, and to leave the JVM its
  /// signals. C1 compiles sooner; the heap is kept below what the sanitiser reserves.
  private static Ended run(String... what) throws IOException, InterruptedException {
    var out = Files.createTempFile("sanitized", ".out");
    try {
      var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
          System.getProperty("java.class.path"), "--add-modules", "jdk.incubator.vector",
          "--enable-native-access=ALL-UNNAMED", "-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
          "-Djacquard.cuda.emulation=" + BUILD.toAbsolutePath(), Sanitized.class.getName()));
      command.addAll(List.of(what));
      var p = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile());
      p.environment().put("LD_PRELOAD", library("libasan.so") + " " + library("libubsan.so"));
      p.environment().put("ASAN_OPTIONS", "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
          + "allow_user_segv_handler=1:detect_leaks=0:detect_stack_use_after_return=0");
      p.environment().put("UBSAN_OPTIONS", "print_stacktrace=1");
      p.environment().put("JACQUARD_CUDA", "emulated");
      var running = p.start();
      if (!running.waitFor(MINUTES, TimeUnit.MINUTES)) {
        running.destroyForcibly().waitFor();
        throw new IOException(List.of(what) + " took more than " + MINUTES + " minutes");
      }
      return new Ended(running.exitValue(), Files.readString(out));
    } finally { Files.delete(out); }
  }

  /// Where the compiler that built them has its sanitisers.
  private static String library(String name) throws IOException, InterruptedException {
    var p = new ProcessBuilder("g++", "-print-file-name=" + name).start();
    var path = new String(p.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8).strip();
    p.waitFor();
    return path;
  }

  @Test void opsRunWithoutAReport() throws Exception {
    var r = run("ops");
    assertEquals(0, r.status, r.text);
    var count = Pattern.compile("(\\d+) ops, \\d+ launches\\ndone\\n$").matcher(r.text);
    assertTrue(count.find() && Integer.parseInt(count.group(1)) >= 80, r.text);
  }

  @Test void anOverflowOfAStackArray() throws Exception {
    run("fault_local_bounds", "5").reports("AddressSanitizer", "stack-buffer-overflow", "faults.cu");
  }

  @Test void anOverflowOfAHostBuffer() throws Exception {
    run("host").reports("AddressSanitizer", "heap-buffer-overflow", "WRITE of size 32", "cuMemcpyDtoHAsync");
  }

  @Test void anUndefinedShift() throws Exception {
    run("fault_shift", "32")
        .reports("faults.cu:", "runtime error: shift exponent 32 is too large for 32-bit type 'int'");
  }
}
