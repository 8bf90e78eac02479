package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.report.HtmlReport;
import jacquard.clip.report.log.MetricLog;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.RunFolder;
import jacquard.clip.train.health.Recovery;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Rises of the loss, the gradients of layers, the page that shows a run.
@Timeout(60)
class CareTest {
  private static final String VIT = """
      {"embed_dim": 16,
       "vision_cfg": {"image_size": 32, "patch_size": 8, "layers": 2, "width": 32, "head_width": 16},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}}""";

  /// Sees so many losses around 1, and returns how many steps are made.
  private static long calm(Recovery r, long made, int steps) throws Exception {
    for (int i = 0; i < steps; i++) {
      r.sees(i % 2 == 0 ? 0.9 : 1.1);
      assertTrue(r.calm());
      r.after(++made);
    }
    return made;
  }

  @Test void aRunGoesBackWhereTheLossStaysHigh() throws Exception {
    var went = new ArrayList<Long>();
    var said = new ArrayList<String>();
    var r = new Recovery().by(() -> { went.add(200L); return 200; }, said::add);
    long made = calm(r, 0, 250);
    // for a while it may be high
    for (int i = 0; i < Recovery.PATIENCE - 1; i++) {
      r.sees(1.6);
      assertFalse(r.calm());
      r.after(++made);
    }
    made = calm(r, made, 1);
    assertEquals(0, went.size());
    for (int i = 0; i < Recovery.PATIENCE; i++) {
      r.sees(i % 2 == 0 ? 1.6 : Double.NaN);
      r.after(++made);
    }
    assertEquals(1, went.size());
    assertTrue(said.getFirst().startsWith("step 350: for 50 steps the loss was far above ") && said.getFirst()
        .contains("went back to the checkpoint of step 200"), said.toString());
    assertTrue(r.calm());
    // the optimizer has made 200 of 350 steps
    assertEquals(150, r.lost());
    assertEquals(0.5, r.factor(350));
    assertEquals(0.5, r.factor(1349));
    assertEquals(1, r.factor(1350));
    // what it remembers goes through a file
    var again = new Recovery();
    Files.createDirectories(Path.of("target"));
    var file = Files.createTempFile("recovery", ".safetensors");
    Safetensors.write(file, Map.of("r.memory", r.stored().get("memory")), Map.of());
    try (var f = Safetensors.open(file)) { again.restore(f, "r."); } finally { Files.delete(file); }
    assertEquals(150, again.lost());
    assertEquals(0.5, again.factor(1349));
  }

  /// Without a checkpoint there is nothing to go back to; before the hundredth loss nothing is judged.
  @Test void whatCannotGoBackGoesOn() throws Exception {
    var r = new Recovery();
    for (int i = 0; i < Recovery.BEFORE; i++) {
      r.sees(i);
      assertTrue(r.calm());
    }
    for (int i = 0; i < Recovery.PATIENCE; i++) r.sees(1e6);
    r.after(150);
    assertEquals(0, r.lost());
    assertTrue(r.calm());
    var often = new Recovery().by(() -> 100, _ -> {});
    long made = calm(often, 0, 200);
    for (int k = 0; k < Recovery.MOST; k++) made = risen(often, made);
    long now = made;
    assertThrows(IllegalArgumentException.class, () -> risen(often, now));
  }

  private static long risen(Recovery r, long made) throws Exception {
    for (int i = 0; i < Recovery.PATIENCE; i++) {
      r.sees(99);
      r.after(++made);
    }
    return made;
  }

  /// Of each group of the towers, every tenth step; together they are less than the whole, which has the scale too.
  @Test void layersHaveNormsAndTheRunAPage(@TempDir Path folder) throws Exception {
    var run = folder.resolve("run");
    try (var f = RunFolder.begin(run)) {
      new Setup(VIT).batch(4).save(40).schedule(new Schedule.Constant(1e-4, 0))
          .watch(new Optimization.Watch(0, Long.MAX_VALUE, false, true, true)).trainer(10).live(true).run(f);
    }
    var last = MetricLog.read(run.resolve("metrics.jsonl")).getLast();
    var layers = last.values().keySet().stream().filter(k -> k.startsWith("gradient_norm/")).toList();
    assertTrue(layers.contains("gradient_norm/visual.0") && layers.contains("gradient_norm/text.0"), layers.toString());
    double squares = layers.stream().mapToDouble(l -> last.number(l) * last.number(l)).sum();
    double whole = last.number("gradient_norm");
    assertTrue(Math.sqrt(squares) <= whole * 1.0001 && Math.sqrt(squares) > 0.5 * whole, squares + " " + whole);
    var page = Files.readString(run.resolve("live.html"));
    assertTrue(page.contains("Step 10 of 10; the run has ended") && page.contains("gradient norm"));
    assertFalse(page.contains("http-equiv=\"refresh\""));
    assertTrue(HtmlReport.titled("x").again(7).html().contains("<meta http-equiv=\"refresh\" content=\"7\">"));
  }
}
