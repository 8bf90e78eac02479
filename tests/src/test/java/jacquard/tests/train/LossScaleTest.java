package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Parameters;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.report.log.MetricLog;
import jacquard.clip.train.Compute;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.health.LossScale;
import jacquard.tensor.Device;
import jacquard.tensor.Precision;
import jacquard.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// F16 with a scaled loss; steps that are left out leave no trace.
@Timeout(60)
class LossScaleTest {
  private static final String TEXT = "\"text_cfg\": {\"context_length\": 8, \"vocab_size\": 49408, \"width\": 16, "
      + "\"heads\": 2, \"layers\": 1}}";
  private static final String VIT = "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": 1, "
      + "\"width\": 32, \"head_width\": 16, \"patch_size\": 8}, " + TEXT;
  private static final String RESNET = "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, "
      + "\"layers\": [1, 1, 1, 1], \"width\": 8}, " + TEXT;

  /// As torch.amp.GradScaler's defaults.
  @Test void theScaleHalvesAtOnceAndDoublesAfterTwoThousand() {
    var s = new LossScale();
    assertEquals(65536, s.scale());
    assertFalse(s.takes(0, 1, Double.POSITIVE_INFINITY));
    assertFalse(s.takes(1, 1, Double.NaN));
    assertEquals(16384, s.scale());
    for (int i = 0; i < 1999; i++) assertTrue(s.takes(i, 1, 1));
    assertEquals(16384, s.scale());
    assertTrue(s.takes(2000, 1, 1));
    assertEquals(32768, s.scale());
    // one that is left out begins the count anew
    for (int i = 0; i < 1999; i++) s.takes(i, 1, 1);
    s.takes(0, 1, Double.NaN);
    for (int i = 0; i < 1999; i++) s.takes(i, 1, 1);
    assertEquals(16384, s.scale());
    s.takes(0, 1, 1);
    assertEquals(32768, s.scale());
    assertEquals(3, s.skipped());
    assertThrows(IllegalArgumentException.class, () -> { while (true) s.takes(7, 1, Double.NaN); });
  }

  private static Setup setup(Precision p) {
    return new Setup(VIT).batch(8).save(3).schedule(new Schedule.Constant(1e-3, 0))
        .on(new Compute(List.of(Device.named("cpu")), p, false));
  }

  /// Losses of F16 are those of F32 to its 11 bits; the bits go on after a stop.
  @Test void trainsAndGoesOn(@TempDir Path folder) throws Exception {
    setup(Precision.FP32).begin(folder.resolve("full"), 6);
    setup(Precision.F16).begin(folder.resolve("whole"), 6);
    setup(Precision.F16).begin(folder.resolve("cut"), 3);
    setup(Precision.F16).resume(folder.resolve("cut"), 6);
    for (var f : List.of("last/open_clip_model.safetensors", "metrics.jsonl", "resume.safetensors"))
      assertArrayEquals(Files.readAllBytes(folder.resolve("whole").resolve(f)),
          Files.readAllBytes(folder.resolve("cut").resolve(f)), f);
    var full = MetricLog.read(folder.resolve("full/metrics.jsonl"));
    var half = MetricLog.read(folder.resolve("whole/metrics.jsonl"));
    for (int s = 0; s < 6; s++) {
      assertEquals(full.get(s).number("loss"), half.get(s).number("loss"), 0.02, "step " + s);
      assertEquals(full.get(s).number("gradient_norm"), half.get(s).number("gradient_norm"),
          0.03 * full.get(s).number("gradient_norm"), "step " + s);
      assertTrue(half.get(s).number("loss_scale") >= 1);
    }
  }

  /// Running statistics and their counters are those of the steps that were made.
  @Test void whatIsLeftOutLeavesNoTrace(@TempDir Path folder) throws Exception {
    // a factor just above 1 leaves out some steps after the tenth
    var run = folder.resolve("run");
    new Setup(RESNET).batch(4).save(40).schedule(new Schedule.Constant(1e-5, 0))
        .watch(new Optimization.Watch(1.0001, Long.MAX_VALUE, false)).begin(run, 14);
    double skipped = MetricLog.read(run.resolve("metrics.jsonl")).getLast().number("skipped_steps");
    assertTrue(skipped > 0);
    try (var _ = Scope.open(Device.named("cpu"))) {
      var all = Parameters.of(Checkpoint.load(ClipConfig.parse(RESNET),
          run.resolve("last/open_clip_model.safetensors"))).all();
      assertArrayEquals(new long[] {14 - (long) skipped}, (long[]) all.get("visual.bn1.num_batches_tracked").read());
    }
  }
}
