package jacquard.bench.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.bench.Main;
import jacquard.bench.peer.Torch;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The guard on the committed rows, and on doctored ones.
class GuardTest {
  private static final Path COMMITTED = Path.of("results.json");
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();
  @TempDir Path folder;

  @Test void whatIsCommittedPasses() throws Exception {
    var guard = Guard.read(COMMITTED);
    assertTrue(guard.committed().size() > 50);
    assertTrue(judge(guard, guard.committed(), guard.committed()), said::toString);
    assertTrue(said.toString(StandardCharsets.UTF_8).contains("0 below half, 0 not measured; 0 further"),
        said::toString);
  }

  @Test void aDoctoredFileFails() throws Exception {
    var measured = Guard.read(COMMITTED).committed();
    var doctored = folder.resolve("doctored.json");
    Files.writeString(doctored, Files.readString(COMMITTED).replaceFirst("\"ratio\": [0-9.]+", "\"ratio\": 100.0"));
    assertFalse(judge(Guard.read(doctored), measured, measured), said::toString);
    assertEquals(1, said.toString(StandardCharsets.UTF_8).lines().filter(l -> l.startsWith("FAILED")
        && l.contains(measured.getFirst().toString()) && l.contains("committed 100")).count(), said::toString);
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
    assertFalse(judge(guard, List.of(row("d", 1, 0)), List.of(row("d", 1, 1))),
        "a guard that compares nothing guards nothing");
  }

  @Test void aWidthWithoutRowsFails() throws Exception {
    var guard = Guard.read(folder.resolve("results-128.json"));
    assertFalse(judge(guard, List.of(row("a", 1, 0)), List.of(row("a", 1, 1))), said::toString);
    var text = said.toString(StandardCharsets.UTF_8);
    assertTrue(text.contains("there is no " + folder.resolve("results-128.json"))
        && text.contains("nothing was compared") && text.contains("0 compared with"), text);
  }

  /// The works that the guard runs have rows for the machines that there are: with AVX-512, and without.
  @ParameterizedTest @ValueSource(ints = {256, 512}) void eachWidthHasRowsForWhatTheGuardRuns(int bits)
      throws Exception {
    assertEquals(Path.of("bench", bits == 512 ? "results.json" : "results-256.json"), Guard.file(bits));
    var guard = Guard.read(Path.of("..").resolve(Guard.file(bits)));
    var wanted = Main.guarded().stream().filter(w -> w.peer().equals(Torch.NAME)).toList();
    assertTrue(wanted.size() >= 7, wanted::toString);
    for (var w : wanted)
      assertTrue(guard.committed().stream().anyMatch(c -> c.work().equals(w.work()) && c.threads() == 1
          && c.peer().equals(w.peer())), () -> Guard.file(bits) + " has no row for " + w);
    assertTrue(judge(guard, guard.committed(), guard.committed()), said::toString);
    var halved = guard.committed().stream().map(r -> row(r, r.ratio() * 0.499)).toList();
    assertFalse(judge(guard, halved, halved), said::toString);
    assertTrue(said.toString(StandardCharsets.UTF_8).contains(guard.committed().size() + " below half"),
        said::toString);
  }

  @Test void aRowThatLacksAFieldIsNamed() throws Exception {
    var broken = Files.writeString(folder.resolve("broken.json"),
        "[{\"work\": \"a\", \"threads\": 1, \"peer_name\": \"libtorch\"}]");
    var e = assertThrows(IllegalArgumentException.class, () -> Guard.read(broken));
    assertTrue(e.getMessage().contains("broken.json") && e.getMessage().contains("ratio"), e.getMessage());
  }

  private static Guard.Row row(String work, int threads, double ratio) {
    return new Guard.Row(work, threads, "libtorch", ratio);
  }

  private static Guard.Row row(Guard.Row of, double ratio) {
    return new Guard.Row(of.work(), of.threads(), of.peer(), ratio);
  }

  private boolean judge(Guard guard, List<Guard.Row> wanted, List<Guard.Row> measured) {
    said.reset();
    return guard.passes(wanted, measured, new PrintStream(said, true, StandardCharsets.UTF_8));
  }
}
