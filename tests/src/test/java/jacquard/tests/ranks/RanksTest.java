package jacquard.tests.ranks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Clipping;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batches;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.train.Compute;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.task.Match;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tests.train.Setup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The law: R ranks with local batches give the parameters of one rank with the joined batch.
@Timeout(300)
class RanksTest {
  private static final String TEXT =
      "\"text_cfg\": {\"context_length\": 8, \"vocab_size\": 49408, \"width\": 16, \"heads\": 2, \"layers\": 1}, \"init_logit_bias\": -5}";
  private static final String VIT =
      "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": 1, \"width\": 16, \"head_width\": 8, "
      + "\"patch_size\": 8, \"patch_dropout\": 0.25}, " + TEXT;
  private static final String RESNET =
      "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": [1, 1, 1, 1], \"width\": 8}, " + TEXT;
  private static final int JOINED = 24, STEPS = 3;
  private static final double RATE = 0.05;

  private record Setting(String config, Match.Loss loss, int parts, double clip) {}
  private record Outcome(Map<String, float[]> parameters, double loss, double largestGradient) {}

  /// Steps of plain descent from one seed; every rank's outcome.
  ///
  /// @param each from what parameters each step starts; empty: from where the step before left them, which is then
  ///   written down here
  private static List<Outcome> train(Setting s, int ranks, List<Map<String, float[]>> each) throws IOException {
    boolean note = each != null && each.isEmpty();
    var config = ClipConfig.parse(s.config);
    var batches = new Batches(EmojiSource.training(), new Transform(HubConfig.preprocess(config)),
        Augmentation.DEFAULT.scale(0.5, 1), JOINED, 8, 3);
    return Group.run(CollectivesTest.devices("cpu", ranks), g -> {
      var task = new Match(ClipModel.create(config, 1), s.loss);
      var parameters = task.parameters();
      var optimizer = new Optimizer(new Optimizer.Sgd(0, false), parameters, 0.1, task.model().decayed());
      double loss = 0, largest = 0;
      for (int step = 0; step < STEPS; step++)
        try (var _ = Scope.open()) {
          if (note) each.add(floats(parameters));
          else if (each != null)
            for (var e : each.get(step).entrySet()) Checkpoint.put(parameters.all().get(e.getKey()), e.getValue());
          var r = Gradients.of(task, batches.at(step, g.rank(), ranks, s.parts), s.parts,
              Pass.training(Random.of(5).fold(step)));
          loss = r.loss();
          for (var d : r.gradients().values()) for (float v : d.floats()) largest = Math.max(largest, Math.abs(v));
          optimizer.step(r.gradients(), RATE, Clipping.factor(Clipping.norm(r.gradients().values()), s.clip));
        }
      return new Outcome(floats(parameters), loss, largest);
    });
  }

  private static Map<String, float[]> floats(Parameters parameters) {
    var all = new LinkedHashMap<String, float[]>();
    parameters.all().forEach((name, t) -> { if (t.dtype().floating()) all.put(name, t.floats()); });
    return all;
  }

  /// A gradient is a sum over up to n = 24·32·32 rows, gathered in another order: c·√n·2⁻²⁴ of its largest element G
  /// with c = 8 is 7e-5·G at worst (all rows alike, an early layer of the ResNet); three steps of rate η move a
  /// parameter apart by 3·η·7e-5·G, and each step's rounding by 2⁻²⁴·|p|. The ResNet takes each step from the single
  /// rank's parameters: where these differ by a rounding, a rectifier at 0 is on in one run and off in the other, and a
  /// row's share of the gradient jumps (seen: 24 pairs in 3 micro-batches on 4 ranks, 4e-3 of a gradient of 2.2 in the
  /// second step).
  @ParameterizedTest @CsvSource({"vit,false,1,0", "vit,true,1,0", "vit,false,3,0", "vit,true,3,0.1", "vit,false,1,0.1",
      "resnet,false,1,0", "resnet,true,1,0.1", "resnet,false,3,0", "resnet,true,3,0"})
  void ranksGiveTheParametersOfOne(String model, boolean sigmoid, int parts, double clip) throws IOException {
    var s = new Setting(model.equals("vit") ? VIT : RESNET, sigmoid ? Match.Loss.SIGMOID
        : Match.Loss.SOFTMAX, parts, clip);
    var each = model.equals("vit") ? null : new ArrayList<Map<String, float[]>>();
    var one = train(s, 1, each).getFirst();
    for (int ranks : new int[] {2, 4}) {
      var many = train(s, ranks, each);
      for (var o : many) {
        assertEquals(many.getFirst().loss, o.loss);
        // the same bits on every rank
        o.parameters.forEach((name, p) -> assertArrayEquals(many.getFirst().parameters.get(name), p, name));
      }
      assertEquals(one.loss, many.getFirst().loss, 2e-5 * Math.abs(one.loss));
      double gradient = clip == 0 ? one.largestGradient : Math.min(clip, one.largestGradient);
      one.parameters.forEach((name, p) -> {
        float largest = 0;
        for (float v : p) largest = Math.max(largest, Math.abs(v));
        double rounding = STEPS * 0x1p-24 * largest;
        assertArrayEquals(p, many.getFirst().parameters.get(name), (float) (name.contains("running_")
            ? 7e-5 * Math.max(1, largest) : STEPS * RATE * 7e-5 * gradient + rounding), ranks + " ranks, " + name);
      });
    }
  }

  @Test void theSameBitsTwice() throws IOException {
    var s = new Setting(RESNET, Match.Loss.SOFTMAX, 2, 1);
    var first = train(s, 2, null).getFirst().parameters;
    train(s, 2, null).getFirst().parameters.forEach((name, p) -> assertArrayEquals(first.get(name), p, name));
  }

  /// Augmentation is of seed, step and sample: a rank sees the very pixels that a single rank sees.
  @Test void ranksShareTheJoinedBatch() throws IOException {
    var config = ClipConfig.parse(VIT);
    var batches = new Batches(EmojiSource.training(), new Transform(HubConfig.preprocess(config)),
        Augmentation.DEFAULT.scale(0.5, 1), JOINED, 8, 3);
    var whole = batches.at(7);
    for (int parts : new int[] {1, 3}) {
      var seen = new LinkedHashMap<Integer, float[]>();
      for (int r = 0; r < 4; r++) {
        var b = batches.at(7, r, 4, parts);
        assertEquals(JOINED / 4, b.count());
        for (int i = 0; i < b.count(); i++) {
          seen.put(b.samples()[i], Arrays.copyOfRange(b.pictures().rows(), i * 3072, (i + 1) * 3072));
          int part = i * parts / b.count(), at = i;
          assertTrue(Arrays.stream(whole.samples(), JOINED * part / parts, JOINED * (part + 1) / parts)
              .anyMatch(k -> k == b.samples()[at]), "sample in another micro-batch");
        }
      }
      assertEquals(JOINED, seen.size());
      for (int i = 0; i < JOINED; i++)
        assertArrayEquals(Arrays.copyOfRange(whole.pictures().rows(), i * 3072, (i + 1) * 3072),
            seen.get(whole.samples()[i]));
    }
  }

  private static Compute compute(int ranks) {
    return Compute.on(CollectivesTest.devices("cpu", ranks).toArray(Device[]::new));
  }

  private static Setup setup(int batch) {
    return new Setup(RESNET).batch(batch).parts(2).schedule(new Schedule.Cosine(1e-3, 2, 6)).save(3);
  }

  @Test void resumedRanksGiveTheSameBits(@TempDir Path folder) throws IOException {
    var two = compute(2);
    setup(8).on(two).begin(folder.resolve("whole"), 6);
    setup(8).on(two).begin(folder.resolve("parts"), 3);
    setup(8).on(two).resume(folder.resolve("parts"), 6);
    for (var f : List.of("resume.safetensors", "last/open_clip_model.safetensors"))
      assertEquals(-1, Files.mismatch(folder.resolve("whole").resolve(f), folder.resolve("parts").resolve(f)), f);
    var e = assertThrows(IOException.class, () -> setup(8).on(compute(1)).resume(folder.resolve("parts"), 6));
    assertTrue(e.getMessage().contains("16 pairs a step on all ranks, not 8"), e.getMessage());
  }

  /// Whole runs with AdamW. Its step is rate·g/(|g| + ε) at first, so that a rounding error of a gradient near 0 moves
  /// a parameter by up to 2·rate a step: most parameters agree closely, none differs by more.
  @Test void wholeRunsAgree(@TempDir Path folder) throws IOException {
    setup(16).begin(folder.resolve("one"), 6);
    setup(8).on(compute(2)).begin(folder.resolve("two"), 6);
    double rates = 0;
    for (int s = 0; s < 6; s++) rates += new Schedule.Cosine(1e-3, 2, 6).rate(s);
    long all = 0, close = 0;
    try (var a = Safetensors.open(folder.resolve("one/last/open_clip_model.safetensors"));
        var b = Safetensors.open(folder.resolve("two/last/open_clip_model.safetensors"))) {
      for (var name : a.names()) {
        if (name.endsWith("num_batches_tracked")) continue;
        float[] x = a.floats(name), y = b.floats(name);
        for (int i = 0; i < x.length; i++) {
          double d = Math.abs(x[i] - y[i]);
          if (!name.contains("running_")) assertTrue(d <= 2 * rates + 1e-6, name + " differs by " + d);
          all++;
          if (d <= 1e-5 * Math.max(1, Math.abs(x[i]))) close++;
        }
      }
    }
    assertTrue(close > 0.99 * all, close + " of " + all + " numbers agree");
  }

  @Test void aFailingRankStopsTheRun(@TempDir Path folder) {
    var e = assertThrows(IllegalArgumentException.class,
        () -> new Setup(VIT.replace(", \"init_logit_bias\": -5", "")).batch(8).loss(Match.Loss.SIGMOID)
        .on(compute(2)).begin(folder.resolve("run"), 4));
    assertTrue(e.getMessage().contains("init_logit_bias"), e.getMessage());
    for (var d : CollectivesTest.devices("cpu", 2)) assertEquals(0, d.live().blocks());
  }
}
