package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cuda.driver.Emulation;
import jacquard.tensor.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/// The commands on a GPU, or an emulated one.
class CudaCommandsTest {
  @BeforeAll static void isThere() {
    var why = Device.unavailable().get("cuda");
    if (why != null) throw new TestAbortedException("no CUDA device: " + why);
  }

  private static String[] with(String[] line, String... more) {
    var all = java.util.Arrays.copyOf(line, line.length + more.length);
    System.arraycopy(more, 0, all, line.length, more.length);
    return all;
  }

  private static String good(String... line) {
    var r = Launcher.run(line);
    assertEquals(0, r.status(), r.text());
    return r.text();
  }

  @Test void trainsEvaluatesEmbedsAndClassifies(@TempDir Path folder) throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    good(with(Launcher.train(folder, pictures, "gpu", 3), "--device", "cuda", "--precision", "amp_bf16"));
    var last = folder.resolve("runs/gpu/last").toString();
    assertTrue(good("eval", last, "--device", "cuda", "--val-data", pictures.toString()).contains("%"));
    assertTrue(good("classify", last, pictures.resolve("p03.png").toString(), "--labels", "red,blue", "--device",
        "cuda").contains("blue"));
    float[][] features = new float[2][];
    for (int i = 0; i < 2; i++) {
      var out = folder.resolve("features" + i);
      good("embed", last, pictures.toString(), "--text", "colour number 3", "--out", out.toString(), "--device", i == 0
          ? "cpu" : "cuda");
      features[i] = floats(Files.readAllBytes(Path.of(out + ".npy")), 17 * 8);
    }
    assertArrayEquals(features[0], features[1], 1e-5f,
        "features of length 1, after sums of up to 192 terms: 8·√192·2⁻²⁴");
  }

  /// What is foretold of a GPU whose optimizer is on the host: no moments there, and a column for the host.
  @Test void aDryRunCountsTheHost(@TempDir Path folder) throws Exception {
    var line = with(Launcher.train(folder, Launcher.pictures(folder.resolve("pictures"), 16), "dry", 3), "--device",
        "cuda", "--dry-run");
    var usual = good(line);
    assertFalse(usual.contains("on the host"), usual);
    var away = good(with(line, "--fsdp-offload-cpu"));
    assertTrue(away.contains("in all   on the host   largest batch"), away);
    // 0.4 million parameters: 1 MB of weights, 3 of moments; three times the weights and what is under way
    assertTrue(usual.lines().anyMatch(l -> l.matches("--zero 0 +1 +3 .*")), usual);
    assertTrue(away.lines().anyMatch(l -> l.matches("--zero 0 +1 +0 +\\d+ +\\d+ +6 .*")), away);
    good(with(Launcher.train(folder, folder.resolve("pictures"), "away", 3), "--device", "cuda", "--fsdp-offload-cpu"));
  }

  /// The last values of a file.
  private static float[] floats(byte[] file, int n) {
    float[] r = new float[n];
    ByteBuffer.wrap(file, file.length - 4 * n, 4 * n).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(r);
    return r;
  }

  @Test void runningOutOfMemoryIsSaidInALine(@TempDir Path folder) throws Exception {
    if (!Emulation.on()) throw new TestAbortedException("a GPU's memory is not ours to shrink");
    var pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    long before = Emulation.memory(1 << 20);
    try {
      var r = Launcher.run(with(Launcher.train(folder, pictures, "gpu", 3), "--device", "cuda:5"));
      assertEquals(1, r.status(), r.text());
      for (var part : List.of("jacquard: out of memory: cuda:5: asked ", "held ", "free ", "smaller batch"))
        assertTrue(r.text().contains(part), r.text());
      assertFalse(r.text().contains("at jacquard"), r.text());
    } finally { Emulation.memory(before); }
    good(with(Launcher.train(folder, pictures, "again", 3), "--device", "cuda:5"));
  }

  /// Without the driver that these tests have: in a JVM of its own.
  private static String without(Path folder, String libraries, String... line) throws Exception {
    var said = folder.resolve("said.txt");
    assertEquals(1, Launcher.start(said, List.of("env", "JACQUARD_CUDA=gpu", "LD_LIBRARY_PATH=" + libraries), line)
        .waitFor());
    return Files.readString(said);
  }

  @Test void noDriver(@TempDir Path folder) throws Exception {
    boolean driver = true;
    try { SymbolLookup.libraryLookup("/usr/lib/x86_64-linux-gnu/libcuda.so.1", Arena.global());
        } catch (IllegalArgumentException e) {
      driver = false;
    }
    if (driver || !Emulation.on()) throw new TestAbortedException("this machine has a driver");
    var pictures = Launcher.pictures(folder.resolve("pictures"), 8);
    var line = with(Launcher.train(folder, pictures, "gpu", 1), "--device", "cuda");
    assertTrue(without(folder, "/nowhere", line).contains("no NVIDIA driver: libcuda.so.1 was not found"));
    var libraries = Files.createDirectories(folder.resolve("libraries"));
    Files.writeString(libraries.resolve("libcuda.so.1"), "no library");
    assertTrue(without(folder, libraries.toString(), line)
        .contains("no NVIDIA driver: libcuda.so.1 was not found, or cannot be loaded"));
    Files.copy(Path.of(System.getProperty("java.home"), "lib", "libnet.so"), libraries.resolve("libcuda.so.1"),
        StandardCopyOption.REPLACE_EXISTING);
    assertTrue(without(folder, libraries.toString(), line)
        .contains("libcuda.so.1 is no NVIDIA driver: it has no cuInit"));
  }
}
