package jacquard.tests.ranks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Optimizer;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.vit.VisionTransformer;
import jacquard.clip.nn.transformer.Sight;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.parameter.Rates;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.clip.tune.adapter.PeftConfig;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a step of low-rank pairs beside all linear layers of the blocks holds beside frozen weights, in matrices of all
/// rows as wide as the model.
class LowRankMemoryTest {
  private static final int LAYERS = 8, WIDTH = 64, PAIRS = 16, ROWS = PAIRS * 17;
  private static final String MODEL = ("{\"embed_dim\": 32, \"vision_cfg\": {\"image_size\": 32, \"layers\": %d, "
      + "\"width\": %d, \"head_width\": 16, \"patch_size\": 8}, \"text_cfg\": {\"context_length\": 8, "
      + "\"vocab_size\": 99, \"width\": 16, \"heads\": 2, \"layers\": 1}}").formatted(LAYERS, WIDTH);

  /// Of a block ten matrices as wide as the model wait for backward: what the two norms read, queries, keys, values,
  /// what attention gives, and four before the activation. What frozen norms and activations give is made again;
  /// nothing waits for the gradient of a frozen weight. The rest is one block's way back, and what is small.
  @Test void tenMatricesOfABlock() {
    var device = new Noting(0);
    try (var _ = Scope.open(device)) {
      var base = ClipModel.create(ClipConfig.parse(MODEL), 1);
      var adapter = Adapter.fresh(base, PeftConfig.of(2, 4, false, false,
          List.of("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")), 0);
      var onto = adapter.onto(base);
      var task = new Contrastive(onto, adapter.trained(onto), Contrastive.Loss.SOFTMAX);
      var optimizer = new Optimizer(new Optimizer.AdamW(0.9, 0.98, 1e-6), task.parameters(),
          Rates.decayed(0.2).of(task.model()));
      int[][] tokens = new int[PAIRS][8];
      for (int[] t : tokens) Arrays.setAll(t, i -> i == 7 ? 98 : 1 + i);
      var grid = task.model().config().vision().input();
      var batch = Batch.of(new float[PAIRS * grid.size() * 3], grid, tokens);
      double matrices = 0;
      for (int i = 0; i < 2; i++) {                                             // the first draws frozen weights
        device.again();
        long start = device.bytes();
        try (var _ = Scope.open()) {
          Gradients.streamed(task, batch, Pass.training(Random.of(0)), optimizer.step(1e-5, 1));
        }
        matrices = (device.peak() - start) / (4.0 * ROWS * WIDTH);
      }
      assertTrue(matrices < 10.6 * LAYERS + 20, "a step held %.1f matrices of all rows".formatted(matrices));
    }
  }

  /// Without gradients a block holds seven beside its input: what attention gives, the norm, four before the last
  /// product, and the result. Queries, keys and values have ended by then.
  @Test void sevenWithoutGradients() {
    var device = new Noting(0);
    try (var _ = Scope.open(device)) {
      var tower = (VisionTransformer) ClipModel.create(ClipConfig.parse(MODEL), 1).visual();
      var block = tower.transformer().blocks().getFirst();
      var x = Tensor.zeros(Shape.of(ROWS, WIDTH));
      var all = Sequences.equal(PAIRS, 17);
      long start = 0;
      for (int i = 0; i < 2; i++) {                                             // the first draws the weights
        device.again();
        start = device.bytes();
        Scope.result(() -> block.apply(x, Sight.full(all), null)).end();
      }
      assertEquals(7, (device.peak() - start) / (4.0 * ROWS * WIDTH), 0.1);
    }
  }
}
