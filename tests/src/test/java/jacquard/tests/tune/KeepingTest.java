package jacquard.tests.tune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.data.Mixture;
import jacquard.clip.data.Stream;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.data.source.Part;
import jacquard.clip.data.source.Source;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.text.ClipTokenizer;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Joined;
import jacquard.clip.train.task.Nested;
import jacquard.clip.tune.blend.Alphas;
import jacquard.clip.tune.blend.Soup;
import jacquard.clip.tune.outcome.Curve;
import jacquard.clip.tune.outcome.Overlap;
import jacquard.clip.tune.task.Anchored;
import jacquard.clip.tune.task.Pairs;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Old pairs among new ones, halves, curves, soups, overlaps, anchors: the policies of an adaptation.
class KeepingTest {
  private static final ClipConfig CONFIG = ClipConfig.parse("""
      {"embed_dim": 8, "vision_cfg": {"image_size": 16, "layers": 1, "width": 8, "head_width": 8, "patch_size": 8},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 8, "heads": 1, "layers": 1}}""");

  private static Source some(int from, int to) {
    return new Part(EmojiSource.heldOut(), "some", IntStream.range(from, to).toArray());
  }

  private static Mixture mixture(int batch, int old) {
    return new Mixture(some(0, 40), old == 0 ? null : some(40, 70), new Transform(PreprocessConfig.ofSize(16)),
        Augmentation.DEFAULT, ClipTokenizer.clip(), new Mixture.Size(batch, old, 8, 3));
  }

  /// Every step has its share of old pairs, every micro-batch and rank too; each source's pairs come once an epoch;
  /// ranks
  /// together have what one has.
  @Test void oldPairsAreSpreadAmongTheNew() {
    var m = mixture(16, 4);
    assertEquals(3, m.perEpoch());
    var fresh = new HashSet<Integer>();
    for (int step = 0; step < 3; step++) {
      int[] samples = m.at(step).samples();
      assertEquals(4, Arrays.stream(samples).filter(s -> s >= 40).count());
      for (int part = 0; part < 4; part++)
        assertEquals(1, Arrays.stream(samples, 4 * part, 4 * part + 4).filter(s -> s >= 40).count(), "micro-batch");
      Arrays.stream(samples).filter(s -> s < 40).forEach(s -> assertTrue(fresh.add(s), "twice in an epoch"));
      int[] joined = IntStream.range(0, 2).flatMap(r -> Arrays.stream(m.at(0, r, 2, 1).samples())).toArray();
      assertArrayEquals(m.at(0).samples(), joined);
    }
    assertArrayEquals(m.at(5).samples(), mixture(16, 4).at(5).samples());
    assertEquals(0, Arrays.stream(mixture(16, 0).at(1).samples()).filter(s -> s >= 40).count());
    assertThrows(IllegalArgumentException.class, () -> mixture(16, 16));
    assertEquals(Map.of("order", "shuffled", "old", "4"), ((Stream) m).order());
  }

  /// Halves share no picture and are the whole; each chooses among all names.
  @Test void halvesAreApart() {
    var all = some(0, 41);
    Part a = Part.half(all, 0), b = Part.half(all, 1);
    var both = new HashSet<Integer>();
    for (int i : a.indices()) both.add(i);
    for (int i : b.indices()) assertTrue(both.add(i));
    assertEquals(41, both.size());
    assertEquals(21, a.size());
    assertEquals(all.names(), b.names());
  }

  /// The best mean of both, of equal ones the first; the front holds what none beats in both.
  @Test void aCurveChoosesByTheMean() {
    var curve = new Curve("α", List.of(new Curve.Point(0, .5, .1), new Curve.Point(.5, .4, .4),
        new Curve.Point(.7, .3, .5),
        new Curve.Point(.8, .3, .45), new Curve.Point(1, .1, .6)));
    assertEquals(.5, curve.chosen().value());
    assertEquals(List.of(1.0, .7, .5, 0.0), curve.front().stream().map(Curve.Point::value).toList());
  }

  @Test void alphas() {
    assertArrayEquals(new double[] {0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1}, Alphas.of("0:1:0.1"), 1e-12);
    assertEquals(1, Alphas.of("0:1:0.1")[10]);
    assertArrayEquals(new double[] {.25}, Alphas.of("0.25"));
    for (var wrong : List.of("2", "0:1", "0:1:0", "1:0:0.1", "a", "0:1:1e-9", "0:2:0.5", "NaN"))
      assertThrows(IllegalArgumentException.class, () -> Alphas.of(wrong), wrong);
  }

  /// From the best on, and only what is strictly better with it.
  @Test void aGreedySoupTakesWhatHelps() throws IOException {
    try (var _ = Scope.open(Conformance.device())) {
      var models = IntStream.range(0, 3).mapToObj(i -> ClipModel.create(CONFIG, i)).toList();
      var scores = List.of(.5, .6, .4);
      int[] asked = {0};
      // alone .5, .6, .4; with the second and the first .6, no better; with the second and the third .7
      var greedy = Soup.greedy(models, m -> {
        int i = asked[0]++;
        return i < 3 ? scores.get(i) : i == 3 ? .6 : .7;
      });
      assertEquals(new Soup.Greedy(List.of(1, 2), .7), greedy);
      var mean = Soup.uniform(List.of(models.get(0), models.get(1)));
      assertEquals((models.get(0).logitScale().item() + models.get(1).logitScale().item()) / 2,
          mean.logitScale().item(),
          1e-6);
    }
  }

  /// Pictures are found again whatever captions they have.
  @Test void overlapsAreFound() {
    assertEquals(0, Overlap.of(some(0, 10), List.of(some(10, 20))));
    assertEquals(4, Overlap.of(some(0, 10), List.of(some(10, 20), some(6, 12))));
  }

  /// λ/2·Σ f·(θ − θ₀)² is part of the loss and of its gradient, whatever the batch is cut into.
  @Test void anAnchorPullsAlikeInMicroBatches() {
    try (var _ = Scope.open(Conformance.device())) {
      var model = ClipModel.create(CONFIG, 4);
      var parameters = model.parameters().freeze("text.**");
      var start = new LinkedHashMap<String, Tensor>();
      parameters.trained().forEach((p, t) -> start.put(p, t.add(0.1f)));
      var task = new Anchored(new Pairs(new Contrastive(model, parameters, Contrastive.Loss.SOFTMAX)), start, null, 3);
      var batch = mixture(8, 2).at(0);
      var pass = Pass.training(Random.of(1));
      var whole = Gradients.of(task, batch, 1, pass);
      var cut = Gradients.of(task, batch, 2, pass);
      var plain = Gradients.of(task.task(), batch, 1, pass);
      long n = parameters.count();
      assertEquals(plain.loss() + 1.5 * 0.01 * n, whole.loss(), 1e-3 * whole.loss());
      assertEquals(whole.loss(), cut.loss(), 1e-4 * whole.loss());
      whole.gradients().forEach((p, g) -> {
        assertArrayEquals(g.floats(), cut.gradients().get(p).floats(), 1e-4f, p);
        var own = plain.gradients().get(p);
        float expected = (own == null ? 0 : own.floats()[0]) - 0.3f;
        assertEquals(expected, g.floats()[0], 1e-4f, p);
      });
    }
  }

  /// The first numbers of each feature, normalised again, give a term each; all of them the loss as it was.
  @Test void nestedFeaturesAreComparedByTheirFirstNumbers() {
    try (var _ = Scope.open(Conformance.device())) {
      var model = ClipModel.create(CONFIG, 4);
      var pairs = new Pairs(new Contrastive(model, model.parameters(), Contrastive.Loss.SOFTMAX));
      var batch = mixture(8, 0).at(0);
      var features = Joined.alone(pairs.features(batch));
      var cut = Joined.alone(features.own().stream().map(f -> f.slice(1, 0, 3).normalize()).toList());
      int[] groups = IntStream.range(0, 8).toArray();
      var losses = new Nested(pairs, List.of(3, 8)).losses(features, Joined.alone(List.of()), groups);
      assertEquals(List.of("contrastive_loss_3", "contrastive_loss_8"), List.copyOf(losses.keySet()));
      for (var e : Map.of("contrastive_loss_8", features, "contrastive_loss_3", cut).entrySet())
        assertEquals(pairs.losses(e.getValue(), Joined.alone(List.of()), groups).firstEntry().getValue().item(),
            losses.get(e.getKey()).item());
      assertThrows(IllegalArgumentException.class, () -> new Nested(pairs, List.of(4, 4)));
      assertThrows(IllegalArgumentException.class, () -> new Nested(pairs, List.of(9)).losses(features,
          Joined.alone(List.of()), groups));
    }
  }
}
