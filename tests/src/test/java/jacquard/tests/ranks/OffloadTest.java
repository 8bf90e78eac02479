package jacquard.tests.ranks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Optimizer;
import jacquard.autograd.optimizer.Lamb;
import jacquard.autograd.optimizer.Muon;
import jacquard.clip.train.Compute;
import jacquard.clip.train.ranks.Sharding;
import jacquard.tensor.Device;
import jacquard.tensor.Precision;
import jacquard.tests.cli.Launcher;
import jacquard.tests.train.Setup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// An optimizer in the memory of the host, of devices that stand for GPUs: their kernels are the host's, so that all
/// bits must be.
@Timeout(120)
class OffloadTest {
  private static final String VIT = """
      {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 2, "width": 16, "head_width": 8, "patch_size": 8},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}}""";
  private static final List<String> FILES = List.of("resume.safetensors", "last/open_clip_model.safetensors");

  @TempDir Path folder;

  private static Compute on(int ranks, Sharding sharding, boolean offload) {
    // numbers of their own, beside the host's
    List<Device> devices = IntStream.range(0, ranks).<Device>mapToObj(r -> new Noting(4 + r)).toList();
    return new Compute(devices, Precision.FP32, false, sharding, false, offload);
  }

  private static Setup setup(Optimizer.Rule rule, double clip, Compute on) {
    return new Setup(VIT).batch(8 / on.devices().size()).rule(rule).clip(clip).save(2).on(on);
  }

  private void same(String a, String b) throws IOException {
    for (var f : FILES)
      assertEquals(-1, Files.mismatch(folder.resolve(a).resolve(f), folder.resolve(b).resolve(f)), f);
  }

  /// Whether backward hands gradients over as it goes or all are clipped, alone and in ranks with rows of their own.
  @ParameterizedTest @CsvSource({"1,NONE,0", "1,NONE,1", "2,NONE,1", "2,MOMENTS,1", "2,GRADIENTS,1",
      "3,ALL,1"}) void theBitsOfAnOptimizerOnTheDevice(int ranks, Sharding sharding, double clip) throws IOException {
    var rule = new Optimizer.AdamW(0.9, 0.98, 1e-6);
    setup(rule, clip, on(ranks, sharding, false)).begin(folder.resolve("device"), 4);
    setup(rule, clip, on(ranks, sharding, true)).begin(folder.resolve("host"), 4);
    same("device", "host");
    for (int r = 0; r < 4 + ranks; r++) assertEquals(0, Device.named("cpu:" + r).live().blocks(), "cpu:" + r);
  }

  /// A checkpoint is of neither: a run goes on from it with the optimizer elsewhere.
  @ParameterizedTest @ValueSource(booleans = {false, true}) void aRunGoesOnWithIt(boolean before) throws IOException {
    var rule = new Optimizer.AdamW(0.9, 0.98, 1e-6);
    setup(rule, 1, on(2, Sharding.ALL, before)).begin(folder.resolve("whole"), 4);
    setup(rule, 1, on(2, Sharding.ALL, before)).begin(folder.resolve("cut"), 2);
    setup(rule, 1, on(2, Sharding.ALL, !before)).resume(folder.resolve("cut"), 4);
    same("whole", "cut");
  }

  /// Rules of several ops run there too.
  @Test void rulesOfSeveralOps() throws IOException {
    var adam = new Optimizer.AdamW(0.9, 0.98, 1e-6);
    for (var rule : List.of(new Lamb(0.9, 0.98, 1e-6), new Muon(0.9, true, adam, p -> p.contains("token_embedding")))) {
      var name = rule.getClass().getSimpleName();
      setup(rule, 1, on(1, Sharding.NONE, false)).begin(folder.resolve(name + "-device"), 3);
      setup(rule, 1, on(1, Sharding.NONE, true)).begin(folder.resolve(name + "-host"), 3);
      same(name + "-device", name + "-host");
    }
  }

  /// Where a CPU trains all lies on the host anyway: the option is taken, and nothing changes.
  @Test void onACpuNothingChanges() throws IOException {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 8);
    for (var name : List.of("with", "without")) {
      var line = new ArrayList<>(List.of(Launcher.train(folder, pictures, name, 3)));
      line.addAll(List.of("--device", "cpu"));
      if (name.equals("with")) line.add("--fsdp-offload-cpu");
      var e = Launcher.run(line.toArray(String[]::new));
      assertEquals(0, e.status(), e.text());
    }
    same("runs/with", "runs/without");
  }

  /// The device holds weights and gradients, and never the moments, not one at a time either.
  @Test void theDeviceHoldsNoMoments() throws IOException {
    long[] most = new long[2];
    for (boolean offload : new boolean[] {false, true}) {
      var on = on(1, Sharding.NONE, offload);
      setup(new Optimizer.AdamW(0.9, 0.98, 1e-6), 1, on).begin(folder.resolve("run" + offload), 2);
      most[offload ? 1 : 0] = ((Noting) on.devices().getFirst()).peak();
    }
    // two moments of the words' table alone
    assertTrue(most[0] - most[1] > 2L * 4 * 49408 * 16 * 0.9, most[0] + " and " + most[1]);
  }
}
