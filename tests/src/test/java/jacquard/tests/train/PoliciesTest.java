package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.data.Stream;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.loss.ContrastiveLoss;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.report.log.MetricLog;
import jacquard.clip.train.Compute;
import jacquard.clip.train.parameter.Rates;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Distill;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import jacquard.tests.Draw;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a training decides: clamp, what is best, what is averaged, where it goes on. What it reads: [EpochsTest].
class PoliciesTest {
  static final String CONFIG = """
      {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}}""";

  private static final String RESNET = """
      {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 32},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}}""";

  /// After each step the log of the scale lies within [0, ln 100].
  @Test void theScaleIsClamped() {
    try (var _ = Scope.open(Device.best())) {
      var task = new Contrastive(ClipModel.create(ClipConfig.parse(CONFIG), 1), Contrastive.Loss.SOFTMAX);
      for (float[] c : new float[][] {{9, (float) Math.log(100)}, {-2, 0}, {3, 3}}) {
        Tensor.applyAll(new Update.Blend(1, 1), List.of(task.model().logitScale(), Tensor.scalar(c[0])));
        task.after();
        assertEquals(c[1], task.model().logitScale().item());
      }
    }
  }

  @Test void aRunThatRunsAwayIsClamped(@TempDir Path folder) throws IOException {
    new Setup(CONFIG).schedule(new Schedule.Constant(2, 0)).rule(new Optimizer.Sgd(0, false)).clip(0).begin(folder, 4);
    for (var e : MetricLog.read(folder.resolve("metrics.jsonl")))
      assertTrue(e.number("logit_scale") >= 0 && e.number("logit_scale") <= (float) Math.log(100), e.toString());
  }

  private static float[] weight(Path folder, String name) throws IOException {
    try (var file = Safetensors.open(folder.resolve("open_clip_model.safetensors"))) { return file.floats(name); }
  }

  /// What is best is remembered over a stop: a resumed run that does no better leaves best/ alone.
  @Test void theBestIsRememberedOnResume(@TempDir Path folder) throws IOException {
    var held = new First(EmojiSource.heldOut(), 20);
    new Setup(CONFIG).held(held, 1).save(1).begin(folder, 4);
    var log = folder.resolve("metrics.jsonl");
    Files.writeString(log, Files.readString(log).replaceFirst("\"held_out/top1\":[0-9.E-]+", "\"held_out/top1\":1.5"));
    byte[] best = Files.readAllBytes(folder.resolve("best/open_clip_model.safetensors"));
    new Setup(CONFIG).held(held, 1).save(1).resume(folder, 6);
    assertArrayEquals(best, Files.readAllBytes(folder.resolve("best/open_clip_model.safetensors")));
  }

  @Test void anotherSeedIsRefused(@TempDir Path folder) throws IOException {
    new Setup(CONFIG).begin(folder, 4);
    var e = assertThrows(IOException.class, () -> new Setup(CONFIG).seed(8).resume(folder, 8));
    assertTrue(e.getMessage().contains("--seed 7, not 8"), e.getMessage());
  }

  /// Averages are evaluated and saved beside the weights, and go on to the same bits; after two steps they are the
  /// weights, after four they are not.
  @Test void averagesGoOn(@TempDir Path folder) throws IOException {
    var held = new First(EmojiSource.heldOut(), 20);
    new Setup(CONFIG).average(0.9).held(held, 2).save(2).begin(folder.resolve("whole"), 6);
    new Setup(CONFIG).average(0.9).held(held, 2).save(2).begin(folder.resolve("parts"), 2);
    assertArrayEquals(weight(folder.resolve("parts/last"), "visual.proj"),
        weight(folder.resolve("parts/averages"), "visual.proj"));
    for (int steps : new int[] {4, 6})
      new Setup(CONFIG).average(0.9).held(held, 2).save(2).resume(folder.resolve("parts"), steps);
    for (var f : List.of("resume.safetensors", "averages/open_clip_model.safetensors",
        "last/open_clip_model.safetensors", "metrics.jsonl"))
      assertEquals(-1, Files.mismatch(folder.resolve("whole").resolve(f), folder.resolve("parts").resolve(f)), f);
    assertFalse(Arrays.equals(weight(folder.resolve("whole/last"), "visual.proj"),
        weight(folder.resolve("whole/averages"), "visual.proj")));
    assertTrue(MetricLog.read(folder.resolve("whole/metrics.jsonl")).getLast().values().containsKey("averages/top1"));
  }

  /// The weights of a run are the same with and without averages, and a run that had none begins them when it goes on.
  @Test void averagesChangeNothing(@TempDir Path folder) throws IOException {
    new Setup(CONFIG).begin(folder.resolve("without"), 6);
    new Setup(CONFIG).begin(folder.resolve("with"), 4);
    new Setup(CONFIG).average(0.5).resume(folder.resolve("with"), 6);
    assertEquals(-1, Files.mismatch(folder.resolve("without/last/open_clip_model.safetensors"),
        folder.resolve("with/last/open_clip_model.safetensors")));
    assertFalse(Arrays.equals(weight(folder.resolve("with/last"), "visual.proj"),
        weight(folder.resolve("with/averages"), "visual.proj")));
  }

  /// Norms of parameters and of their change are logged at every tenth step, and change nothing: plain descent adds
  /// rate × gradient, less the decay.
  @Test void normsOfUpdates(@TempDir Path folder) throws IOException {
    new Setup(CONFIG).schedule(new Schedule.Constant(0.01, 0)).rule(new Optimizer.Sgd(0, false)).rates(Rates.decayed(0))
        .clip(0).begin(folder, 20);
    int found = 0;
    for (var e : MetricLog.read(folder.resolve("metrics.jsonl"))) {
      assertEquals(e.step() % 10 == 0, e.values().containsKey("update_norm"));
      if (e.step() % 10 > 0) continue;
      assertEquals(0.01 * e.number("gradient_norm"), e.number("update_norm"), 1e-3 * e.number("update_norm"));
      assertTrue(e.number("parameter_norm") > 1);
      found++;
    }
    assertEquals(2, found);
  }

  /// A student learns from a teacher in micro-batches as in the whole batch, on two ranks as on one: losses agree to
  /// rounding.
  @Test void distillationIsTheSameInParts(@TempDir Path folder) throws IOException {
    new Setup(CONFIG).seed(3).begin(folder.resolve("teacher"), 2);
    for (var name : List.of("whole", "parts", "ranks")) {
      var setup = new Setup(CONFIG).batch(name.equals("ranks") ? 8 : 16).parts(name.equals("parts") ? 4 : 1)
          .schedule(new Schedule.Constant(1e-3, 1)).rule(new Optimizer.Sgd(0, false));
      setup.on(Compute.on(name.equals("ranks") ? new Device[] {Device.named("cpu:0"), Device.named("cpu:1")}
          : new Device[] {Device.named("cpu")}));
      setup.task(new Distill.Recipe(setup.contrastive(), ClipConfig.parse(CONFIG), folder.resolve("teacher/last")))
          .begin(folder.resolve(name), 3);
    }
    var whole = MetricLog.read(folder.resolve("whole/metrics.jsonl"));
    for (var other : List.of("parts", "ranks")) {
      var found = MetricLog.read(folder.resolve(other).resolve("metrics.jsonl"));
      for (int s = 0; s < 3; s++)
        for (var term : List.of("loss", "contrastive_loss", "distill_loss", "gradient_norm"))
          assertEquals(whole.get(s).number(term), found.get(s).number(term), 2e-5 * whole.get(s).number(term),
              other + " " + term + " of step " + s);
    }
    assertEquals(whole.getFirst().number("loss"), whole.getFirst().number("contrastive_loss")
        + whole.getFirst().number("distill_loss"), 1e-6 * whole.getFirst().number("loss"));
  }

  /// A run that goes on reads the samples that come next. What a killed run logged after its last checkpoint is logged
  /// anew, once.
  @Test void theNextStepComesNext(@TempDir Path folder) throws IOException {
    var read = new ArrayList<Long>();
    var stream = EpochsTest.batches(1);
    Stream noting = new Stream() {
      @Override public Batch at(long step, int rank, int ranks, int parts) {
        synchronized (read) { read.add(step); }
        return stream.at(step, rank, ranks, parts);
      }
      @Override public int size() { return stream.size(); }
      @Override public long perEpoch() { return stream.perEpoch(); }
      @Override public Map<String, String> order() { return stream.order(); }
      @Override public Fingerprint fingerprint() { return stream.fingerprint(); }
      @Override public List<String> notes() { return stream.notes(); }
      @Override public String firstFailure() { return stream.firstFailure(); }
    };
    new Setup(CONFIG).stream(noting).begin(folder, 4);
    Files.writeString(folder.resolve("metrics.jsonl"), "{\"step\":5,\"loss\":0}\n", StandardOpenOption.APPEND);
    new Setup(CONFIG).stream(noting).resume(folder, 8);
    assertEquals(List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L), read.stream().sorted().toList());
    assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L), MetricLog.read(folder.resolve("metrics.jsonl")).stream()
        .map(MetricLog.Entry::step).toList());
  }

  /// Moments and the count of steps belong to a run: AdamW's next step after a stop has the bytes of one without. (Its
  /// first steps are the ones that the count changes most.)
  @Test void theOptimizerGoesOn(@TempDir Path folder) throws IOException {
    new Setup(CONFIG).begin(folder.resolve("whole"), 3);
    new Setup(CONFIG).begin(folder.resolve("parts"), 2);
    new Setup(CONFIG).resume(folder.resolve("parts"), 3);
    for (var f : List.of("resume.safetensors", "last/open_clip_model.safetensors"))
      assertEquals(-1, Files.mismatch(folder.resolve("whole").resolve(f), folder.resolve("parts").resolve(f)), f);
  }

  /// Two pairs with one caption are positives of each other, in both directions: the mean over rows and columns of −Σ
  /// target·log softmax, the target shared among a row's positives.
  @Test void equalCaptionsArePositives() {
    int[] groups = {0, 1, 0, 2};
    double[][] z = new double[4][4];
    try (var _ = Scope.open(Device.best())) {
      Tensor x = Draw.uniform(1, Shape.of(4, 6), -1, 1).normalize(), t =
          Draw.uniform(2, Shape.of(4, 6), -1, 1).normalize();
      float[] a = x.floats(), b = t.floats();
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) for (int k = 0; k < 6; k++) z[i][j] += 5.0 * a[i * 6 + k] * b[j * 6 + k];
      double softmax = 0, sigmoid = 0;
      for (int i = 0; i < 4; i++) {
        double row = 0, column = 0;
        int positives = 0;
        for (int j = 0; j < 4; j++) {
          row += Math.exp(z[i][j]);
          column += Math.exp(z[j][i]);
          if (groups[i] == groups[j]) positives++;
          sigmoid += Math.log1p(Math.exp((groups[i] == groups[j] ? -1 : 1) * (z[i][j] - 3))) / 4;
        }
        for (int j = 0; j < 4; j++)
          if (groups[i] == groups[j]) softmax -= (z[i][j] - Math.log(row) + z[j][i] - Math.log(column)) / positives / 8;
      }
      assertEquals(softmax, ContrastiveLoss.softmax(x, t, Tensor.scalar(5), groups).item(), 1e-5);
      assertEquals(sigmoid, ContrastiveLoss.sigmoid(x, t, Tensor.scalar(5), Tensor.scalar(-3), groups).item(), 1e-5);
    }
  }

  /// Layer-wise decay: the last group learns at the full rate, each one before it at so much less. Vectors and what is
  /// named do not decay.
  @Test void eachLayerHasItsRate() {
    var model = ClipModel.describe(ClipConfig.parse(CONFIG));
    // visual: embeddings, one block, projection
    var rates = new Rates(0.2, 0.5, 1, List.of("text_projection")).of(model);
    assertEquals(new Optimizer.Rate(1, 0.2), rates.apply("visual.proj"));
    assertEquals(new Optimizer.Rate(0.25, 0.2), rates.apply("visual.conv1.weight"));
    assertEquals(new Optimizer.Rate(0.5, 0), rates.apply("visual.ln_post.weight"));
    assertEquals(new Optimizer.Rate(1, 0), rates.apply("text.text_projection"));
    assertEquals(new Optimizer.Rate(1, 0), rates.apply("logit_scale"));
  }

  /// Running statistics are averaged like weights: w̄₃ = ¾·w₂ + ¼·w₃ after two copied steps.
  @Test void statisticsAreAveragedToo(@TempDir Path folder) throws IOException {
    new Setup(RESNET).average(0.75).save(1).begin(folder, 2);
    float[] before = weight(folder.resolve("last"), "visual.bn1.running_mean");
    new Setup(RESNET).average(0.75).save(1).resume(folder, 3);
    float[] after = weight(folder.resolve("last"), "visual.bn1.running_mean"), expected = new float[before.length];
    for (int i = 0; i < expected.length; i++) expected[i] = 0.75f * before[i] + 0.25f * after[i];
    assertFalse(Arrays.equals(before, after));
    assertArrayEquals(expected, weight(folder.resolve("averages"), "visual.bn1.running_mean"), 1e-7f);
  }
}
