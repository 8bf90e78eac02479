package jacquard.tests.clip.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.checkpoint.files.FolderLock;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.safetensors.SafetensorsWriter.Source;
import jacquard.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;

  @Test void writesWhole() throws IOException {
    Path file = folder.resolve("a.json");
    AtomicFile.write(file, "one");
    AtomicFile.write(file, "two");
    assertEquals("two", Files.readString(file));
    AtomicFile.stream(file, out -> { for (int i = 0; i < 100_000; i++) out.write(i); });
    assertEquals(100_000, Files.size(file));
    AtomicFile.write(file, new byte[] {1, 2});
    assertArrayEquals(new byte[] {1, 2}, Files.readAllBytes(file));
    only("a.json");
  }

  @Test void failureHalfWayKeepsTheOldFile() throws IOException {
    Path file = folder.resolve("weights");
    Files.writeString(file, "old");
    var full = assertThrows(IOException.class, () -> AtomicFile.write(file, 1000, channel -> {
      channel.write(ByteBuffer.allocate(600));
      throw new IOException("No space left on device");
    }));
    for (String part : List.of(file.toString(), "1000 bytes", "bytes free", "the disk is full",
        "unchanged")) assertTrue(full.getMessage().contains(part), full.getMessage());
    assertThrows(UncheckedIOException.class, () -> Safetensors.write(file, Map.of(), List.of(
        Source.floats("a", Shape.of(5000), () -> new float[5000]),
        Source.floats("b", Shape.of(5000), () -> {
          throw new UncheckedIOException(new IOException("source gone"));
        }))));
    assertEquals("old", Files.readString(file));
    only("weights");
  }

  /// The system itself refuses: a process whose files may have 64 KiB writes a megabyte.
  @Test void refusedBytesKeepTheOldFile() throws Exception {
    Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/bash")));
    Path file = folder.resolve("weights");
    Files.writeString(file, "old");
    var run = new ProcessBuilder("/bin/bash", "-c",
        "ulimit -f 64; exec \"$0\" -XX:-UsePerfData -Xshare:auto -cp \"$1\" \"$2\" \"$3\"",
        Path.of(System.getProperty("java.home"), "bin", "java").toString(), System.getProperty("java.class.path"),
        TooLarge.class.getName(),
            file.toString())
        .redirectErrorStream(true).start();
    String said = new String(run.getInputStream().readAllBytes());
    assertEquals(3, run.waitFor(), said);
    assertTrue(said.contains(file + ": could not write") && said.contains("bytes free"), said);
    assertEquals("old", Files.readString(file));
    only("weights");
  }

  /// Run in a process of its own; ends with 3 where the write failed as it should.
  static final class TooLarge {
    public static void main(String[] arguments) {
      try {
        Safetensors.write(Path.of(arguments[0]), Map.of(),
            List.of(Source.floats("a", Shape.of(1 << 18), () -> new float[1 << 18])));
      } catch (IOException e) {
        System.out.println(e.getMessage());
        System.exit(3);
      }
    }
  }

  @Test void leftoverPartIsReplacedAndNotFollowed() throws IOException {
    Path file = folder.resolve("a"), victim = folder.resolve("victim");
    Files.writeString(victim, "mine");
    Files.createSymbolicLink(folder.resolve("a.tmp"), victim);
    AtomicFile.write(file, "new");
    assertEquals("new", Files.readString(file));
    assertEquals("mine", Files.readString(victim));
    only("a", "victim");
  }

  @Test void missingFolderIsNamed() {
    Path file = folder.resolve("none").resolve("a");
    assertTrue(assertThrows(IOException.class, () -> AtomicFile.write(file, "x")).getMessage()
        .contains(file.toString()));
    assertEquals(folder + " is a folder, expected the name of a file to write",
        assertThrows(IOException.class, () -> AtomicFile.write(folder, "x")).getMessage());
  }

  @Test void oneRunAFolder() throws Exception {
    Path out = folder.resolve("run");
    try (var _ = FolderLock.take(out)) {
      String message = assertThrows(IOException.class, () -> FolderLock.take(out)).getMessage();
      for (String part : List.of(out.toString(), "process " + ProcessHandle.current().pid(), "since 20"))
        assertTrue(message.contains(part),
          message);
      var other = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
          System.getProperty("java.class.path"),
          Second.class.getName(), out.toString()).redirectErrorStream(true).start();
      String said = new String(other.getInputStream().readAllBytes());
      assertEquals(3, other.waitFor(), said);
      assertTrue(said.contains(out.toString()) && said.contains("process " + ProcessHandle.current().pid()), said);
    }
    FolderLock.take(out).close();
    assertFalse(Files.readString(out.resolve(".lock")).contains("process"));
  }

  /// Another process; ends with 3 where the folder was taken.
  static final class Second {
    public static void main(String[] arguments) {
      try (var _ = FolderLock.take(Path.of(arguments[0]))) {
        System.out.println("taken twice");
      } catch (IOException e) {
        System.out.println(e.getMessage());
        System.exit(3);
      }
    }
  }

  private void only(String... names) throws IOException {
    try (var files = Files.list(folder)) {
      assertEquals(List.of(names), files.map(f -> f.getFileName().toString()).sorted().toList());
    }
  }
}
