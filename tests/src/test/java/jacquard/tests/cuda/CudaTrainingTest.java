package jacquard.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.report.log.MetricLog;
import jacquard.clip.train.Compute;
import jacquard.clip.train.parameter.Rates;
import jacquard.clip.train.ranks.Sharding;
import jacquard.kernels.cuda.driver.Emulation;
import jacquard.tensor.Device;
import jacquard.tensor.Precision;
import jacquard.tests.train.Setup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

/// Whole trainings as `./jacquard train --device cuda --ranks N` makes them, beside those of one CPU.
@Timeout(300)
class CudaTrainingTest {
  private static final String TEXT =
      "\"text_cfg\": {\"context_length\": 8, \"vocab_size\": 49408, \"width\": 16, \"heads\": 2, \"layers\": 1}}";
  private static final String VIT =
      "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": 1, \"width\": 16, \"head_width\": 8, "
      + "\"patch_size\": 8, \"patch_dropout\": 0.25}, " + TEXT;
  private static final String RESNET =
      "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": [1, 1, 1, 1], \"width\": 8}, " + TEXT;
  private static final int JOINED = 8, STEPS = 3;
  /// Of OpenCLIP's logit scale at the start.
  private static final double SCALE = 1 / 0.07;

  @BeforeAll static void areThere() {
    Raw.needed();
    long devices = Device.all().stream().filter(d -> d.name().startsWith("cuda")).count();
    if (devices < 4) throw new TestAbortedException("4 CUDA devices are needed, there are " + devices);
  }

  @AfterEach void nothingLeft() { for (var d : devices("cuda", 4)) assertEquals(0, d.live().blocks(), d.name()); }

  private static List<Device> devices(String kind, int n) {
    return IntStream.range(0, n).mapToObj(i -> Device.named(kind + ":" + i)).toList();
  }

  private static Compute on(String kind, int ranks, Precision precision) {
    return new Compute(devices(kind, ranks), precision, false);
  }

  private static Setup setup(String model, Optimizer.Rule rule, Compute on) {
    return new Setup(model.equals("vit") ? VIT : RESNET).batch(JOINED / on.devices().size())
        .schedule(new Schedule.Constant(0.02, 1)).rule(rule).rates(Rates.decayed(0.1)).clip(10).save(2).on(on);
  }

  /// The loss of each step of plain descent.
  private static double[] losses(Path folder, String model, Compute on) throws IOException {
    setup(model, new Optimizer.Sgd(0, false), on).begin(folder, STEPS);
    return MetricLog.read(folder.resolve("metrics.jsonl")).stream().mapToDouble(e -> e.number("loss")).toArray();
  }

  /// A loss is a mean of log-sum-exps of logits, each the scale 14.3 times a cosine that some ten layers of sums of up
  /// to 72 terms made: 14.3·c·√72·2⁻²⁴ with c = 2 is 1.4e-5, of a loss of 2. What the steps before add is of second
  /// order in the ViT. In the ResNet a rounding may have turned a rectifier on or off, which moves a gradient by up to
  /// 4e-3 of its length, and with it what the steps have gained so far.
  @ParameterizedTest @CsvSource({"vit,1", "vit,2", "vit,4", "resnet,1", "resnet,2",
      "resnet,4"}) void theLossesOfTheCpu(String model, int ranks, @TempDir Path folder) throws IOException {
    double[] expected = losses(folder.resolve("cpu"), model, on("cpu", 1, Precision.FP32)), found =
        losses(folder.resolve("cuda"), model, on("cuda", ranks, Precision.FP32));
    assertEquals(STEPS, found.length);
    for (int s = 0; s < STEPS; s++)
      assertEquals(expected[s], found[s],
          1.4e-5 + (model.equals("vit") ? 0 : 4e-3 * Math.abs(expected[0] - expected[s])), "step " + s);
  }

  /// In BF16 a feature is off by √K·2⁻⁹ of its length, K = 21 roundings on its way, and a logit by 14.3·√(2K/16)·2⁻⁹;
  /// see PrecisionTest, whose bound this is. Batches of different pairs do not gain alike: what the gradients'
  /// difference may cost is taken of all gain and loss so far.
  @ParameterizedTest @ValueSource(ints = {1, 2}) void halvesStayNear(int ranks, @TempDir Path folder)
      throws IOException {
    double[] full = losses(folder.resolve("cpu"), "vit", on("cpu", 1, Precision.FP32)), found =
        losses(folder.resolve("cuda"), "vit", on("cuda", ranks, Precision.BF16));
    double u = 0x1p-9, k = 21, d = 16, share = 2 * (SCALE * Math.sqrt(2 * k / d) + Math.sqrt(2 * k)) * u, moved = 0;
    assertNotEquals(full[0], found[0], "nothing was computed in BF16");
    for (int s = 0; s < STEPS; s++) {
      moved += s == 0 ? 0 : Math.abs(full[s] - full[s - 1]);
      assertEquals(full[s], found[s], 2 * SCALE * Math.sqrt(2 * k / d) * u + share * moved, "step " + s);
    }
  }

  /// Stopped and gone on with, the parameters and moments of a run that was never stopped. In BF16 the whole run reads
  /// at its third step what the optimizer's launch wrote of the parameters in BF16, the resumed one what it casts
  /// itself.
  @ParameterizedTest @CsvSource({"vit,1,BF16,4", "resnet,2,FP32,2"}) void resumingGivesTheSameBits(String model,
      int ranks, Precision precision, int steps, @TempDir Path folder) throws IOException {
    var on = on("cuda", ranks, precision);
    var rule = new Optimizer.AdamW(0.9, 0.98, 1e-6);
    setup(model, rule, on).begin(folder.resolve("whole"), steps);
    setup(model, rule, on).begin(folder.resolve("parts"), steps / 2);
    setup(model, rule, on).resume(folder.resolve("parts"), steps);
    for (var f : List.of("resume.safetensors", "last/open_clip_model.safetensors"))
      assertEquals(-1, Files.mismatch(folder.resolve("whole").resolve(f), folder.resolve("parts").resolve(f)), f);
  }

  /// The optimizer on the host makes the steps of that on the device: the same formulas. The emulation rounds as the
  /// host does: the same bits. For a GPU the compiler may contract products and sums: after a step a parameter below 4
  /// is off by two ulps of 2⁻²² and those of the step. Nothing is left on the host.
  @ParameterizedTest @CsvSource({"1,NONE,FP32", "1,NONE,BF16", "2,NONE,FP32", "2,MOMENTS,FP32", "2,GRADIENTS,FP32",
      "2,ALL,FP32"}) void theOptimizerMayBeOnTheHost(int ranks, Sharding sharding, Precision precision,
      @TempDir Path folder) throws IOException {
    var rule = new Optimizer.AdamW(0.9, 0.98, 1e-6);
    for (boolean offload : new boolean[] {false, true})
      setup("vit", rule, new Compute(devices("cuda", ranks), precision, false, sharding, false, offload))
          .begin(folder.resolve(offload ? "host" : "device"), Emulation.on() ? STEPS : 1);
    var files = List.of(folder.resolve("device/resume.safetensors"), folder.resolve("host/resume.safetensors"));
    if (Emulation.on()) assertEquals(-1, Files.mismatch(files.getFirst(), files.getLast()));
    else
      try (var device = Safetensors.open(files.getFirst()); var host = Safetensors.open(files.getLast())) {
        for (var name : device.names())
          if (name.startsWith("model."))
            assertArrayEquals(device.floats(name), host.floats(name), 0x1p-20f, name);
      }
    for (int r = 0; r < ranks; r++) assertEquals(0, Device.named("cpu:" + r).live().blocks());
  }

  /// Blocks that run again give the bits of blocks that were kept.
  @Test void recomputingGivesTheSameBits(@TempDir Path folder) throws IOException {
    var kept = on("cuda", 1, Precision.FP32);
    var again = new Compute(kept.devices(), Precision.FP32, true);
    for (var on : List.of(kept, again))
      setup("vit", new Optimizer.AdamW(0.9, 0.98, 1e-6), on).begin(folder.resolve(on == kept ? "kept" : "again"), 2);
    assertEquals(-1, Files.mismatch(folder.resolve("kept/resume.safetensors"),
        folder.resolve("again/resume.safetensors")));
  }
}
