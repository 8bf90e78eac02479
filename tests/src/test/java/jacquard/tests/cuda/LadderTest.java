package jacquard.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Every rung of `cuda-src/ladder` against its reference in double.
class LadderTest {
  private static final List<String> RUNGS = List.of("gemm 1", "gemm 2", "gemm 3", "gemm 4", "gemm 5", "gemm shipped",
      "attention 1", "attention 2", "attention 3", "attention 4", "attention shipped",
      "sigmoid 1", "sigmoid 2", "sigmoid 3", "sigmoid shipped");

  private record Ended(int status, String text) {}

  private static Ended run(String... more) throws Exception {
    Raw.emulationNeeded();
    var command =
        new ArrayList<>(List.of(Path.of("../cuda-src/ladder/run").toAbsolutePath().normalize().toString(), "emulated"));
    command.addAll(List.of(more));
    var p = new ProcessBuilder(command).redirectErrorStream(true).start();
    var text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ended(p.waitFor(), text);
  }

  @Test void aRungThatDoesNothingIsMissed() throws Exception {
    for (var rung : List.of("gemm 3", "attention 4", "sigmoid 2")) {
      var r = run(rung);
      assertEquals(1, r.status, r.text);
      assertEquals(List.of(rung), r.text.lines().filter(l -> l.contains("FAILED"))
          .map(l -> l.split(" +")[0] + " " + l.split(" +")[1]).toList(), r.text);
    }
  }

  @Test void everyRung() throws Exception {
    var r = run();
    var text = r.text;
    assertEquals(0, r.status, text);
    assertEquals(RUNGS, text.lines().filter(l -> l.contains("allowed"))
        .map(l -> l.split(" +")[0] + " " + l.split(" +")[1]).toList(), text);
    assertTrue(!text.contains("FAILED"), text);
  }
}
