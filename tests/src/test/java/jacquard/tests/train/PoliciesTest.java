package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.Safetensors;
import jacquard.clip.data.Batches;
import jacquard.clip.data.EmojiSource;
import jacquard.clip.data.Source;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.report.MetricLog;
import jacquard.clip.train.Compute;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Distill;
import jacquard.clip.train.task.Rates;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a training decides: order, augmentation, clamp, what is best, what is averaged.
class PoliciesTest {
  private static final String CONFIG = """
      {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}}""";

  /// The first few pairs of another source.
  private record First(Source source, int size) implements Source {
    @Override public String name() { return "the first " + size + " of " + source.name(); }
    @Override public String caption(int index) { return source.caption(index); }
    @Override public Picture picture(int index) throws IOException { return source.picture(index); }
  }

  private static Batches batches(long seed) {
    var config = ClipConfig.parse(CONFIG);
    return new Batches(new First(EmojiSource.training(), 50), new Transform(HubConfig.preprocess(config)), Augmentation.DEFAULT.scale(0.5, 1), 8, 8, seed);
  }

  private static List<Integer> epoch(Batches b, long number) {
    return IntStream.range(0, (int) b.perEpoch()).boxed().flatMap(s -> Arrays.stream(b.at(number * b.perEpoch() + s).samples()).boxed()).toList();
  }

  /// Every epoch has an order of its own, none a sample twice, and the remainder is another one each time.
  @Test void everyEpochIsShuffledAnew() {
    var b = batches(1);
    var left = new HashSet<HashSet<Integer>>();
    var orders = new HashSet<List<Integer>>();
    for (long e = 0; e < 4; e++) {
      var order = epoch(b, e);
      assertEquals(48, new HashSet<>(order).size());
      orders.add(order);
      var rest = new HashSet<>(IntStream.range(0, 50).boxed().toList());
      rest.removeAll(order);
      left.add(rest);
    }
    assertEquals(4, orders.size());
    assertTrue(left.size() > 1, "the same pairs are always left out");
    assertEquals(epoch(b, 2), epoch(batches(1), 2), "an order depends on what was read before");
    assertFalse(epoch(b, 0).equals(epoch(batches(2), 0)));
  }

  /// A picture is cut and coloured anew at every step, and in the same way when the step is read again.
  @Test void everyStepIsAugmentedAnew() {
    var b = batches(1);
    var first = b.at(0);
    int sample = first.samples()[0], each = 32 * 32 * 3;
    for (long s = b.perEpoch(); s < 2 * b.perEpoch(); s++) {
      var batch = b.at(s);
      int at = IntStream.range(0, batch.count()).filter(i -> batch.samples()[i] == sample).findFirst().orElse(-1);
      if (at < 0) continue;
      assertFalse(Arrays.equals(first.pictures().rows(), 0, each, batch.pictures().rows(), at * each, at * each + each), "the same cut in two epochs");
      assertArrayEquals(batch.pictures().rows(), batches(1).at(s).pictures().rows());
      return;
    }
    throw new AssertionError("sample " + sample + " is not in the second epoch; take another seed");
  }

  /// Groups are equal where captions are, whatever the order in which they are read.
  @Test void groupsTellCaptionsApart() {
    var source = EmojiSource.training();
    var b = new Batches(source, new Transform(HubConfig.preprocess(ClipConfig.parse(CONFIG))), Augmentation.DEFAULT, 2000, 8, 1).at(3);
    int equal = 0;
    for (int i = 0; i < 300; i++)
      for (int j = 0; j < b.count(); j++) {
        boolean same = source.caption(b.samples()[i]).equals(source.caption(b.samples()[j]));
        assertEquals(same, b.groups()[i] == b.groups()[j]);
        if (same && i != j) equal++;
      }
    assertTrue(equal > 0, "no caption twice");
  }

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
    for (var e : MetricLog.read(folder.resolve("metrics.jsonl"))) assertTrue(e.number("logit_scale") >= 0 && e.number("logit_scale") <= (float) Math.log(100), e.toString());
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

  /// Averages are evaluated and saved beside the weights, and go on to the same bits; after two steps they are the weights, after four they are not.
  @Test void averagesGoOn(@TempDir Path folder) throws IOException {
    var held = new First(EmojiSource.heldOut(), 20);
    new Setup(CONFIG).average(0.9).held(held, 2).save(2).begin(folder.resolve("whole"), 6);
    new Setup(CONFIG).average(0.9).held(held, 2).save(2).begin(folder.resolve("parts"), 2);
    assertArrayEquals(weight(folder.resolve("parts/last"), "visual.proj"), weight(folder.resolve("parts/averages"), "visual.proj"));
    new Setup(CONFIG).average(0.9).held(held, 2).save(2).resume(folder.resolve("parts"), 6);
    for (var f : List.of("resume.safetensors", "averages/open_clip_model.safetensors", "last/open_clip_model.safetensors", "metrics.jsonl"))
      assertEquals(-1, Files.mismatch(folder.resolve("whole").resolve(f), folder.resolve("parts").resolve(f)), f);
    assertFalse(Arrays.equals(weight(folder.resolve("whole/last"), "visual.proj"), weight(folder.resolve("whole/averages"), "visual.proj")));
    assertTrue(MetricLog.read(folder.resolve("whole/metrics.jsonl")).getLast().values().containsKey("averages/top1"));
  }

  /// The weights of a run are the same with and without averages, and a run that had none begins them when it goes on.
  @Test void averagesChangeNothing(@TempDir Path folder) throws IOException {
    new Setup(CONFIG).begin(folder.resolve("without"), 6);
    new Setup(CONFIG).begin(folder.resolve("with"), 4);
    new Setup(CONFIG).average(0.5).resume(folder.resolve("with"), 6);
    assertEquals(-1, Files.mismatch(folder.resolve("without/last/open_clip_model.safetensors"), folder.resolve("with/last/open_clip_model.safetensors")));
    assertFalse(Arrays.equals(weight(folder.resolve("with/last"), "visual.proj"), weight(folder.resolve("with/averages"), "visual.proj")));
  }

  /// Norms of parameters and of their change are logged at every tenth step, and change nothing: plain descent adds rate × gradient, less the decay.
  @Test void normsOfUpdates(@TempDir Path folder) throws IOException {
    new Setup(CONFIG).schedule(new Schedule.Constant(0.01, 0)).rule(new Optimizer.Sgd(0, false)).rates(Rates.decayed(0)).clip(0).begin(folder, 20);
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

  /// A student learns from a teacher in micro-batches as in the whole batch, on two ranks as on one: losses agree to rounding.
  @Test void distillationIsTheSameInParts(@TempDir Path folder) throws IOException {
    new Setup(CONFIG).seed(3).begin(folder.resolve("teacher"), 2);
    for (var name : List.of("whole", "parts", "ranks")) {
      var setup = new Setup(CONFIG).batch(name.equals("ranks") ? 8 : 16).parts(name.equals("parts") ? 4 : 1).schedule(new Schedule.Constant(1e-3, 1)).rule(new Optimizer.Sgd(0, false));
      setup.on(Compute.on(name.equals("ranks") ? new Device[] {Device.named("cpu:0"), Device.named("cpu:1")} : new Device[] {Device.named("cpu")}));
      setup.task(new Distill.Recipe(setup.contrastive(), ClipConfig.parse(CONFIG), folder.resolve("teacher/last"))).begin(folder.resolve(name), 3);
    }
    var whole = MetricLog.read(folder.resolve("whole/metrics.jsonl"));
    for (var other : List.of("parts", "ranks")) {
      var found = MetricLog.read(folder.resolve(other).resolve("metrics.jsonl"));
      for (int s = 0; s < 3; s++)
        for (var term : List.of("loss", "contrastive_loss", "distill_loss", "gradient_norm")) assertEquals(whole.get(s).number(term), found.get(s).number(term), 2e-5 * whole.get(s).number(term), other + " " + term + " of step " + s);
    }
    assertEquals(whole.getFirst().number("loss"), whole.getFirst().number("contrastive_loss") + whole.getFirst().number("distill_loss"), 1e-6 * whole.getFirst().number("loss"));
  }
}
