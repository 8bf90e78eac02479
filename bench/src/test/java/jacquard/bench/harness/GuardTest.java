package jacquard.bench.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The guard on the committed rows, and on doctored ones.
class GuardTest {
  private static final Path COMMITTED = Path.of("results.json");
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();
  @TempDir Path folder;

  @Test void whatIsCommittedPasses() throws Exception {
    var guard = Guard.read(COMMITTED);
    assertTrue(guard.committed().size() > 50);
    assertTrue(judge(guard, guard.committed(), guard.committed()), said::toString);
    assertTrue(said.toString(StandardCharsets.UTF_8).contains("0 below half, 0 not measured; 0 further"), said::toString);
  }

  @Test void aDoctoredFileFails() throws Exception {
    var measured = Guard.read(COMMITTED).committed();
    var doctored = folder.resolve("doctored.json");
    Files.writeString(doctored, Files.readString(COMMITTED).replaceFirst("\"ratio\": [0-9.]+", "\"ratio\": 100.0"));
    assertFalse(judge(Guard.read(doctored), measured, measured), said::toString);
    assertEquals(1, said.toString(StandardCharsets.UTF_8).lines().filter(l -> l.startsWith("FAILED") && l.contains(measured.getFirst().toString()) && l.contains("committed 100")).count(), said::toString);
  }

  @Test void halfIsTheLine() {
    var guard = new Guard("here", List.of(row("a", 1, 0.8)));
    assertFalse(guard.catastrophic(row("a", 1, 0.4)));
    assertTrue(guard.catastrophic(row("a", 1, 0.399)));
    assertTrue(guard.catastrophic(row("a", 1, Double.NaN)));
    assertFalse(guard.catastrophic(row("a", 2, 0.1)), "another number of threads is another row");
  }

  @Test void whatWasNotMeasuredIsNamed() {
    var guard = new Guard("here", List.of(row("a", 1, 1), row("b", 1, 1), row("c", 1, 1)));
    assertFalse(judge(guard, List.of(row("a", 1, 0), row("b", 1, 0)), List.of(row("a", 1, 1))));
    assertTrue(said.toString(StandardCharsets.UTF_8).contains("NOT MEASURED  b, 1 thread | libtorch"), said::toString);
    assertFalse(judge(guard, List.of(row("d", 1, 0)), List.of(row("d", 1, 1))), "a guard that compares nothing guards nothing");
  }

  @Test void anotherWidthIsNotComparable() throws Exception {
    var guard = Guard.read(folder.resolve("results-256.json"));
    assertTrue(judge(guard, List.of(row("a", 1, 0)), List.of(row("a", 1, 0.01))), said::toString);
    assertTrue(said.toString(StandardCharsets.UTF_8).contains("nothing is comparable"), said::toString);
    assertEquals(Path.of("bench/results.json"), Guard.file(512));
    assertEquals(Path.of("bench/results-256.json"), Guard.file(256));
  }

  @Test void aRowThatLacksAFieldIsNamed() throws Exception {
    var broken = Files.writeString(folder.resolve("broken.json"), "[{\"work\": \"a\", \"threads\": 1, \"peer_name\": \"libtorch\"}]");
    var e = assertThrows(IllegalArgumentException.class, () -> Guard.read(broken));
    assertTrue(e.getMessage().contains("broken.json") && e.getMessage().contains("ratio"), e.getMessage());
  }

  private static Guard.Row row(String work, int threads, double ratio) { return new Guard.Row(work, threads, "libtorch", ratio); }

  private boolean judge(Guard guard, List<Guard.Row> wanted, List<Guard.Row> measured) {
    said.reset();
    return guard.passes(wanted, measured, new PrintStream(said, true, StandardCharsets.UTF_8));
  }
}
