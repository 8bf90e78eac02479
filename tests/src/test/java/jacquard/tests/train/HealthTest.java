package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.autograd.Schedule;
import jacquard.autograd.optimizer.Adafactor;
import jacquard.autograd.optimizer.Muon;
import jacquard.autograd.optimizer.StableAdamW;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.nn.PatchDropout;
import jacquard.clip.settings.Recipes;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.health.EmbeddingStatistics;
import jacquard.clip.train.health.WildSteps;
import jacquard.tensor.Device;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Wild steps, how features lie, patches at the end of a run, the optimizers beside AdamW, recipes.
class HealthTest {
  private static final String VIT = """
      {"embed_dim": 16,
       "vision_cfg": {"image_size": 32, "patch_size": 8, "layers": 1, "width": 32, "head_width": 16},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}}""";

  private static WildSteps fed(double... norms) {
    var g = new WildSteps(10);
    for (double n : norms) assertTrue(g.takes(0, 1, n));
    return g;
  }

  @Test void aStepIsWildBesideTheMedianOfThoseBefore() {
    // too few to tell
    assertTrue(fed(1, 1, 1, 1, 1, 1, 1, 1, 1).takes(9, 1, 1e9));
    var g = fed(1, 2, 3, 4, 5, 5, 6, 7, 8, 90);               // the median is 5, the mean 13.1
    assertTrue(g.takes(10, 1, 50));
    assertFalse(g.takes(11, 1, 50.1));
    assertFalse(g.takes(12, Double.NaN, 1));
    assertFalse(fed().takes(0, 1, Double.POSITIVE_INFINITY));
    assertEquals(2, g.skipped());
    // of the last hundred alone
    var later = new WildSteps(10);
    for (int i = 0; i < 200; i++) assertTrue(later.takes(i, 1, i < 100 ? 1 : 10));
    assertTrue(later.takes(200, 1, 100));
    assertThrows(IllegalArgumentException.class, () -> new WildSteps(1));
  }

  @Test void tenWildStepsInARowEndTheRun() {
    var g = fed(1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    for (int i = 0; i < WildSteps.MOST; i++) assertFalse(g.takes(i, 1, 11));
    assertTrue(assertThrows(IllegalArgumentException.class, () -> g.takes(99, 1, 11)).getMessage()
        .startsWith("step 99: loss 1.0, gradient norm 11.0"));
    var other = fed(1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    for (int i = 0; i < 50; i++) assertEquals(i % 10 == 9, other.takes(i, 1, i % 10 == 9 ? 1 : 11));
  }

  /// With a factor just above 1 some of the six steps after the tenth are left out; a run that goes on leaves out the
  /// same ones.
  @Test void whatIsLeftOutIsTheSameAfterAStop(@TempDir Path folder) throws Exception {
    setup(1.0001).begin(folder.resolve("whole"), 16);
    setup(1.0001).begin(folder.resolve("cut"), 12);
    setup(1.0001).resume(folder.resolve("cut"), 16);
    assertArrayEquals(Files.readAllBytes(folder.resolve("whole/last/open_clip_model.safetensors")),
        Files.readAllBytes(folder.resolve("cut/last/open_clip_model.safetensors")));
    var last = Files.readAllLines(folder.resolve("whole/metrics.jsonl")).getLast();
    assertTrue(last.matches(".*\"skipped_steps\":[1-6](\\.0)?[,}].*"), last);
  }

  private static Setup setup(double wild) {
    return new Setup(VIT).batch(4).save(4).schedule(new Schedule.Constant(1e-5, 0))
        .watch(new Optimization.Watch(wild, Long.MAX_VALUE, false));
  }

  @Test void orthogonalFeaturesHaveFullRankAndEqualOnesNone() {
    float[][] axes = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
    float[][] same = {axes[0], axes[0], axes[0], axes[0]};
    var even = of(axes, axes);
    assertEquals(4, even.get("effective_rank"), 1e-6);
    assertEquals(0, even.get("alignment"), 1e-6);
    assertEquals(-4, even.get("uniformity"), 1e-6);           // all ‖x − y‖² are 2
    var one = of(same, axes);
    assertEquals(1, one.get("effective_rank"), 1e-6);
    assertEquals(0, one.get("uniformity"), 1e-6);
    assertEquals(1.5, one.get("alignment"), 1e-6);            // three of four pairs are at ‖x − t‖² = 2
    float h = (float) Math.sqrt(.5);
    // singular values √(1 ± ½) and 1
    double[] s = {Math.sqrt(1.5), Math.sqrt(.5)};
    double sum = s[0] + s[1];
    double entropy = -(s[0] / sum) * Math.log(s[0] / sum) - s[1] / sum * Math.log(s[1] / sum);
    float[][] sixty = {{1, 0}, {.5f, (float) Math.sqrt(.75)}};
    assertEquals(Math.exp(entropy), of(sixty, sixty).get("effective_rank"), 1e-5);
    assertEquals(2, of(new float[][] {{h, h}, {h, -h}}, new float[][] {{h, h}, {h, -h}}).get("effective_rank"), 1e-6);
  }

  private static Map<String, Double> of(float[][] pictures, float[][] texts) {
    int[][] labels = new int[pictures.length][];
    for (int i = 0; i < labels.length; i++) labels[i] = new int[] {i};
    return new EmbeddingStatistics(() -> new Evaluation(List.of(), new int[0], labels, 0, pictures, texts, Map.of()))
        .outcome().metrics();
  }

  @Test void allPatchesAreSeenAtTheEnd() {
    var pass = Pass.training(Random.of(1));
    assertEquals(9, pass.call(() -> PatchDropout.kept(1, 16, 1, .5)).rows());
    assertEquals(17, pass.call(() -> PatchDropout.scaled(0, () -> PatchDropout.kept(1, 16, 1, .5))).rows());
    assertEquals(9, pass.call(() -> PatchDropout.scaled(1, () -> PatchDropout.kept(1, 16, 1, .5))).rows());
  }

  public record One(Tensor w) {}

  /// A gradient a hundred times those before it moves AdamW five times as far as StableAdamW.
  @Test void suddenGradientsAreTamed() {
    try (var _ = Scope.open(Device.best())) {
      double adam = moved(new Optimizer.AdamW(.9, .999, 1e-8)), stable = moved(new StableAdamW(.9, .999, 1e-8));
      assertTrue(adam > .5, "AdamW moved by " + adam);
      assertTrue(stable < .15, "StableAdamW moved by " + stable);
      // where nothing is sudden they are the same
      assertEquals(calm(new Optimizer.AdamW(.9, .999, 1e-8)), calm(new StableAdamW(.9, .999, 1e-8)), 1e-6);
    }
  }

  private static double moved(Optimizer.Rule rule) { return last(rule, 100); }
  private static double calm(Optimizer.Rule rule) { return last(rule, 1); }

  /// How far the last of thirty steps goes, in rates.
  private static double last(Optimizer.Rule rule, float times) {
    var one = new One(Tensor.full(Shape.of(8, 8), 1));
    var optimizer = new Optimizer(rule, Parameters.of(one), 0, _ -> true);
    float before = 1;
    for (int i = 0; i < 30; i++) {
      before = one.w.floats()[0];
      optimizer.step(Map.of("w", Tensor.full(Shape.of(8, 8), i < 29 ? .1f : .1f * times)), 1e-3, 1);
    }
    return (before - one.w.floats()[0]) / 1e-3;
  }

  @Test void momentsAreAsSmallAsTheRuleAllows() {
    assertEquals(Map.of("rows", Shape.of(40, 1), "columns", Shape.of(1, 30)), Adafactor.TIMM.moments(Shape.of(40, 30)));
    assertEquals(Map.of("v", Shape.of(40, 16)), Adafactor.TIMM.moments(Shape.of(40, 16)));
    var muon = new Muon(.9, false, new Optimizer.AdamW(.9, .95, 1e-7), path -> path.startsWith("text"));
    assertEquals(muon, muon.of("visual.w", Shape.of(64, 3, 3, 16)));
    for (var thin : List.of(Shape.of(64), Shape.of(3, 64), Shape.of(1, 64), Shape.of(64, 3, 3, 1), Shape.of(49408, 64)))
      assertEquals(muon.others(), muon.of("visual.w", thin), thin.toString());
    assertEquals(muon.others(), muon.of("text.w", Shape.of(64, 64)));
  }

  /// Each trains, saves and goes on to the same bits.
  @Test void muonGoesOnToTheSameBits(@TempDir Path folder) throws Exception {
    var muon = new Muon(.9, true, new Optimizer.AdamW(.9, .98, 1e-6), path -> path.contains("token_embedding"));
    new Setup(VIT).batch(4).rule(muon).begin(folder.resolve("whole"), 6);
    new Setup(VIT).batch(4).rule(muon).begin(folder.resolve("cut"), 4);
    new Setup(VIT).batch(4).rule(muon).resume(folder.resolve("cut"), 6);
    assertArrayEquals(Files.readAllBytes(folder.resolve("whole/last/open_clip_model.safetensors")),
        Files.readAllBytes(folder.resolve("cut/last/open_clip_model.safetensors")));
  }

  @Test void aRecipeStandsWhereNothingIsGiven() {
    assertArrayEquals(new String[] {"train", "--steps", "3"}, Recipes.expanded("train", "--steps", "3"));
    var r = List.of(Recipes.expanded("train", "--recipe", "siglip", "--lr=1e-4", "--wd", "0.1"));
    assertTrue(r.containsAll(List.of("--siglip", "--opt=timm/adafactorbv", "--lr=1e-4")), r.toString());
    assertEquals(List.of(), r.stream().filter(a -> a.startsWith("--wd=") || a.equals("--lr=1e-3")).toList());
    assertTrue(assertThrows(IllegalArgumentException.class, () -> Recipes.expanded("train", "--recipe=x")).getMessage()
        .contains("laion, datacomp, clipa, clipa-finish, siglip"));
  }

  @Test void theHeldOutPicturesAreMeasured(@TempDir Path folder) throws Exception {
    new Setup(VIT).batch(4).held(EmojiSource.of("emoji-concepts-heldout"), 2)
        .watch(new Optimization.Watch(0, Long.MAX_VALUE, true)).begin(folder.resolve("a"), 2);
    assertTrue(Files.readString(folder.resolve("a/metrics.jsonl")).contains("embeddings/effective_rank"));
  }
}
