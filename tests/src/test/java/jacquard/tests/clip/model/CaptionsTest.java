package jacquard.tests.clip.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.coca.Captioner;
import jacquard.clip.model.coca.Generation;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.task.Caption;
import jacquard.clip.train.task.Contrastive;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tests.clip.Fixtures;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Captions that a CoCa writes, and its training; what the real OpenCLIP writes lies among the recorded cases.
class CaptionsTest {
  private static final int COUNT = 4;

  private static void with(Consumer<ClipModel> f) throws IOException {
    var folder = Fixtures.file("models/coca_wide");
    try (var _ = Scope.open(Device.best())) {
      f.accept(Checkpoint.load(ClipConfig.read(folder.resolve("config.json")), folder.resolve("weights.safetensors")));
    }
  }

  private static float[] pixels() {
    var random = Random.of(3);
    float[] r = new float[COUNT * 32 * 32 * 3];
    for (int i = 0; i < r.length; i++) r[i] = (float) random.normal(i);
    return r;
  }

  private static int[][] captions(ClipModel model, Generation.Search search) {
    return Captioner.captions(model, ImageBatch.of(pixels(), COUNT, new Grid(32, 32)), null,
        new Generation(new Generation.Marks(298, 299, 0), 14, 3, 1, search));
  }

  /// The same seed writes the same, another something else, and one likely token leaves nothing to chance.
  @Test void chanceIsOfTheSeed() throws IOException {
    with(model -> {
      var once = captions(model, new Generation.Sampled(0, 0.9, 2, 7));
      assertTrue(Arrays.deepEquals(once, captions(model, new Generation.Sampled(0, 0.9, 2, 7))));
      assertFalse(Arrays.deepEquals(once, captions(model, new Generation.Sampled(0, 0.9, 2, 8))));
      var greedy = captions(model, Generation.GREEDY);
      assertTrue(Arrays.deepEquals(greedy, captions(model, new Generation.Sampled(0, 1e-9, 1, 7))),
          "the smallest share is the likeliest token");
      assertTrue(Arrays.deepEquals(greedy, captions(model, new Generation.Beams(1))) || greedy[0].length == 14,
          "one beam follows the likeliest too, until one ends");
    });
  }

  /// Of k tokens only the k likeliest are ever drawn.
  @Test void onlyTheLikeliestAreDrawn() throws IOException {
    with(model -> {
      var picture = ImageBatch.of(pixels(), COUNT, new Grid(32, 32));
      for (int[] c : captions(model, new Generation.Sampled(3, 1, 50, 1))) assertEquals(298, c[0]);
      int[][] drawn = captions(model, new Generation.Sampled(3, 1, 50, 1));
      float[] logits = model.decoder().logits(model.visual().tokens(picture), model.text().tokens(drawn)).floats();
      var s = model.text().tokens(drawn).sequences();
      for (int b = 0; b < COUNT; b++)
        for (int r = s.from(b); r < s.to(b) && s.positions()[r] + 1 < drawn[b].length; r++) {
          int next = drawn[b][s.positions()[r] + 1], row = r;
          if (s.positions()[r] < 3 || Arrays.stream(drawn[b], 0, s.positions()[r] + 1).anyMatch(t -> t == 299))
            continue;
          int better = 0;
          for (int v = 0; v < 300; v++) if (logits[row * 300 + v] > logits[row * 300 + next]) better++;
          assertTrue(better < 3, "token " + next + " is number " + better);
        }
    });
  }

  /// Features and caption losses of parts, joined, give the gradients of the whole batch, though captions differ in
  /// length.
  @Test void partsGiveTheGradientsOfTheWhole() throws IOException {
    with(model -> {
      var batch = batch();
      var task = new Caption(new Contrastive(model, Contrastive.Loss.SOFTMAX), Caption.Weights.USUAL);
      var whole = Gradients.of(task, batch, 1, Pass.training(Random.of(1)));
      var parts = Gradients.of(task, batch, 2, Pass.training(Random.of(1)));
      assertEquals(whole.loss(), parts.loss(), 1e-6 * whole.loss());
      assertEquals(whole.loss(), whole.losses().get("contrastive_loss") + whole.losses().get("caption_loss"),
          1e-6 * whole.loss());
      whole.gradients().forEach((name, g) ->
          assertArrayEquals(g.floats(), parts.gradients().get(name).floats(), 2e-6f * (1 + largest(g.floats())), name));
    });
  }

  private static Batch batch() {
    int[][] tokens = {{298, 5, 6, 7, 299, 0, 0}, {298, 8, 299, 0, 0, 0, 0}, {298, 9, 9, 9, 9, 9, 299},
        {298, 4, 3, 299, 0, 0, 0}};
    return Batch.of(pixels(), new Grid(32, 32), tokens);
  }

  private static Gradients.Result counted(ClipModel model, double caption, double contrastive, int parts) {
    var task = new Caption(new Contrastive(model, Contrastive.Loss.SOFTMAX), new Caption.Weights(caption, contrastive));
    return Gradients.of(task, batch(), parts, Pass.training(Random.of(1)));
  }

  /// Loss and gradients are sums of those of both losses, by their weights.
  @ParameterizedTest @ValueSource(ints = {1, 2}) void lossesCountByTheirWeights(int parts) throws IOException {
    with(model -> {
      Gradients.Result both = counted(model, 2, 0.25, parts), usual = counted(model, 2, 1, parts),
          captions = counted(model, 2, 0, parts), pairs = counted(model, 0, 1, parts);
      assertEquals(0.25 * pairs.losses().get("contrastive_loss"), both.losses().get("contrastive_loss"), 1e-6);
      assertEquals(usual.losses().get("contrastive_loss"), pairs.losses().get("contrastive_loss"), 1e-6);
      assertEquals(captions.losses().get("caption_loss"), both.losses().get("caption_loss"), 1e-6);
      both.gradients().forEach((name, g) -> {
        float[] found = g.floats(), expected = new float[found.length];
        var ofCaptions = captions.gradients().get(name);
        var ofPairs = pairs.gradients().get(name);
        for (int i = 0; i < found.length; i++)
          expected[i] = (ofCaptions == null ? 0 : ofCaptions.floats()[i])
              + (ofPairs == null ? 0 : 0.25f * ofPairs.floats()[i]);
        assertArrayEquals(expected, found, 2e-6f * (1 + largest(found)), name);
      });
    });
  }

  /// A contrastive loss that counts 0 is left out: what it alone reads has no gradient and is not moved, not by decay
  /// either.
  @ParameterizedTest @ValueSource(ints = {1, 2}) void aContrastiveLossOfNoWeightIsLeftOut(int parts)
      throws IOException {
    with(model -> {
      var r = counted(model, 2, 0, parts);
      assertEquals(0, r.losses().get("contrastive_loss"));
      assertEquals(r.loss(), r.losses().get("caption_loss"), 0);
      for (var name : List.of("logit_scale", "visual.proj", "text.text_projection"))
        assertFalse(r.gradients().containsKey(name), name);
      assertTrue(r.gradients().containsKey("text_decoder.text_projection"));
      assertTrue(r.gradients().containsKey("visual.conv1.weight"));
      assertThrows(IllegalArgumentException.class, () -> new Caption.Weights(0, 0));
      assertThrows(IllegalArgumentException.class, () -> new Caption.Weights(2, -1));
    });
  }

  private static float largest(float[] v) {
    float m = 0;
    for (float x : v) m = Math.max(m, Math.abs(x));
    return m;
  }

  @Test void aModelWithoutDecoderWritesNone() throws IOException {
    var config = ClipConfig.read(Fixtures.file("models/vit/config.json"));
    try (var _ = Scope.open(Device.best())) {
      var model = ClipModel.create(config, 1);
      assertTrue(assertThrows(IllegalArgumentException.class, () -> captions(model, Generation.GREEDY)).getMessage()
          .contains("decoder"));
      assertThrows(IllegalArgumentException.class, () ->
          new Caption(new Contrastive(model, Contrastive.Loss.SOFTMAX), Caption.Weights.USUAL));
    }
  }
}
