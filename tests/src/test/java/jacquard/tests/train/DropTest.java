package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.Drop;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import jacquard.tests.Draw;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What is left out by chance in training: of whom, how much, what it follows from, and nothing in evaluation.
class DropTest {
  private static final String TEXT = """
      "text_cfg": {"context_length": 8, "vocab_size": 300, "width": 16, "heads": 2, "layers": 1}}""";
  private static final String BERT = """
      "text_cfg": {"context_length": 8, "hf_model_name": "tiny", "hf_tokenizer_name": "tiny", "hf_model_config":
        {"model_type": "bert", "vocab_size": 300, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
         "num_attention_heads": 2, "max_position_embeddings": 16, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
         "pad_token_id": 0}}}""";

  private static Pass pass(long step, int... samples) {
    return Pass.training(Random.of(7).fold(step)).samples(samples);
  }

  /// Timm's rule: from nothing in the first block to the config's share in the last, evenly.
  @Test void sharesRiseFromBlockToBlock() {
    assertEquals(List.of(0.0, 0.1, 0.2, 0.3), Drop.rising(0.3, 4, "b").stream()
        .map(d -> Math.round(d.share() * 1e9) / 1e9)
        .toList());
    assertEquals(0, Drop.rising(0.3, 1, "b").getFirst().share());
    assertThrows(IllegalArgumentException.class, () -> new Drop(1, "b"));
  }

  /// A sample's branch is there, divided by what stays, or not at all; whether it is follows from step, sample, site
  /// and
  /// branch alone, wherever in a batch the sample stands.
  @Test void aBranchIsLeftOutByTheSample() {
    var drop = new Drop(0.25, "here");
    int n = 4000;
    try (var _ = Scope.open(Device.best())) {
      var x = Tensor.of(Shape.of(2 * n, 1), ones(2 * n));
      var s = Sequences.equal(n, 2);
      int[] samples = IntStream.range(0, n).toArray();
      float[] all = pass(1, samples).call(() -> drop.path(x, s, 0)).floats();
      int kept = 0;
      for (int b = 0; b < n; b++) {
        assertEquals(all[2 * b], all[2 * b + 1]);
        assertTrue(all[2 * b] == 0 || all[2 * b] == (float) (1 / 0.75));
        if (all[2 * b] > 0) kept++;
      }
      assertEquals(0.75, kept / (double) n, 0.03);
      float[] last = pass(1, n - 2, n - 1).call(() -> drop.path(x.slice(0, 0, 4), Sequences.equal(2, 2), 0)).floats();
      assertArrayEquals(Arrays.copyOfRange(all, 2 * n - 4, 2 * n), last);
      assertFalse(Arrays.equals(all, pass(2, samples).call(() -> drop.path(x, s, 0)).floats()));
      assertFalse(Arrays.equals(all, pass(1, samples).call(() -> drop.path(x, s, 1)).floats()));
      assertFalse(Arrays.equals(all, pass(1, samples).call(() -> new Drop(0.25, "there").path(x, s, 0)).floats()));
      assertArrayEquals(x.floats(), drop.path(x, s, 0).floats());
    }
  }

  /// Elements are drawn one by one, by their place in the caption: another caption beside it changes nothing.
  @Test void elementsAreLeftOutByTheirPlace() {
    var drop = new Drop(0.4, "here");
    try (var _ = Scope.open(Device.best())) {
      var x = Tensor.of(Shape.of(700, 30), ones(21000));
      float[] all = pass(1, 5, 6).call(() -> drop.elements(x, Sequences.ofLengths(300, 400), 0)).floats();
      int kept = 0;
      for (float v : all) {
        assertTrue(v == 0 || v == (float) (1 / 0.6));
        if (v > 0) kept++;
      }
      assertEquals(0.6, kept / 21000.0, 0.02);
      var alone = pass(1, 6).call(() -> drop.elements(x.slice(0, 0, 400), Sequences.ofLengths(400), 0)).floats();
      assertArrayEquals(Arrays.copyOfRange(all, 9000, 21000), alone);
    }
  }

  /// Attention without some probabilities: the mean over many steps is attention; with a share near 0 it is attention,
  /// keys that are not seen and a bias included.
  @Test void attentionLosesProbabilities() {
    try (var _ = Scope.open(Device.best())) {
      var s = Sequences.ofLengths(3, 5);
      Tensor q = Draw.uniform(1, Shape.of(8, 4), -1, 1), k = Draw.uniform(2, Shape.of(8, 4), -1, 1),
          v = Draw.uniform(3, Shape.of(8, 4), -1, 1), bias = Draw.uniform(4, Shape.of(2, 5, 5), -1, 1);
      var op = new Attention(2, 0.7f, s, s, Ranges.causal(s, s)).withBias();
      var in = List.of(q, k, v, bias);
      float[] whole = Tensor.applyAll(op, in).getFirst().floats();
      assertArrayEquals(whole, pass(1, 0, 1).call(() -> new Drop(1e-12, "a").attention(op, in, 0)).floats(), 1e-5f);
      assertArrayEquals(whole, new Drop(0.5, "a").attention(op, in, 0).floats());
      double[] mean = new double[32];
      int steps = 2000;
      for (int i = 0; i < steps; i++) {
        try (var _ = Scope.open()) {
          float[] some = pass(i, 0, 1).call(() -> new Drop(0.2, "a").attention(op, in, 0)).floats();
          for (int j = 0; j < 32; j++) mean[j] += some[j] / steps;
        }
      }
      for (int j = 0; j < 32; j++) assertEquals(whole[j], mean[j], 0.05, "element " + j);
    }
  }

  private static float[] ones(int n) {
    float[] r = new float[n];
    Arrays.fill(r, 1);
    return r;
  }

  private static String timm(String name, String kwargs) {
    return """
        {"embed_dim": 16, "vision_cfg": {"timm_model_name": "%s", "image_size": 32, "timm_drop_path": 0.5, %s}, %s"""
        .formatted(name, kwargs, TEXT);
  }

  /// Every tower of timm's drops in training and not in evaluation, the same samples in any batch; and the text tower
  /// of transformers' by its own shares.
  @Test void towersDropInTrainingAlone() {
    for (var config : List.of(
        timm("vit_base_patch16_siglip_224", """
            "timm_pool": "map", "timm_proj": "linear", "timm_model_kwargs": {"img_size": 32, "patch_size": 16,
            "embed_dim": 16, "depth": 2, "num_heads": 2}"""),
        timm("naflexvit_base_patch16_gap", """
            "timm_model_kwargs": {"patch_size": 16, "embed_dim": 16, "depth": 2, "num_heads": 2}"""),
        timm("convnext_tiny", """
            "timm_model_kwargs": {"depths": [1, 1, 1, 1], "dims": [4, 6, 8, 16]}"""),
        timm("swin_tiny_patch4_window7_224", """
            "timm_model_kwargs": {"embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2]}"""))) {
      try (var _ = Scope.open(Device.best())) {
        var tower = larger(ClipModel.create(ClipConfig.parse(config), 1)).visual();
        check(config, 32, i -> {
          var pixels = Draw.uniform(5, Shape.of(32 * 32 * 32, 3), -1, 1).floats();
          return tower.features(ImageBatch.of(Arrays.copyOfRange(pixels, i.from() * 3072, i.to() * 3072),
              i.to() - i.from(), Grid.of(32)));
        });
      }
    }
    try (var _ = Scope.open(Device.best())) {
      var config =
          "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": 1, \"width\": 16, \"head_width\": 8, "
          + "\"patch_size\": 16}, " + BERT;
      var tower = ClipModel.create(ClipConfig.parse(config), 1).text();
      check(config, 4, i ->
          tower.features(Arrays.copyOfRange(new int[][] {{5, 9, 3, 2}, {4, 4, 0, 0}, {8, 1, 7, 0}, {2, 2, 2, 2}},
          i.from(), i.to())));
    }
  }

  private record Part(int from, int to) {}

  private interface Features { Tensor of(Part part); }

  private static void check(String what, int count, Features features) {
    int[] samples = IntStream.range(0, count).toArray();
    Supplier<Tensor> whole = () -> features.of(new Part(0, count));
    float[] plain = whole.get().floats(), one = pass(1, samples).call(whole).floats(), two = pass(2, samples)
        .call(whole).floats();
    assertArrayEquals(plain, pass(1, samples).inference().call(whole).floats(), what);
    assertFalse(Arrays.equals(plain, one), what);
    assertFalse(Arrays.equals(one, two), what);
    int d = plain.length / count, half = count / 2;
    float[] second = pass(1, Arrays.copyOfRange(samples, half, count)).call(() -> features.of(new Part(half, count)))
        .floats();
    float largest = 0;
    for (float v : one) largest = Math.max(largest, Math.abs(v));
    assertArrayEquals(Arrays.copyOfRange(one, half * d, count * d), second, 1e-5f * largest, what);
  }

  /// Layer scales begin so small that what they weigh is not seen.
  private static ClipModel larger(ClipModel m) {
    return jacquard.autograd.Parameters.map(m, (path, t) ->
        path.endsWith("gamma") ? Tensor.full(t.shape(), 0.5f) : t);
  }
}
