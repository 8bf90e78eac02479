package jacquard.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Clipping;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.Presets;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.task.Match;
import jacquard.kernels.cuda.CudaDevice;
import jacquard.kernels.cuda.driver.Installed;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Precision;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opentest4j.TestAbortedException;

/// How many kernels, copies and clears a training step asks of the GPU: its host time is mostly theirs.
class LaunchesTest {
  /// Forward, backward, the norm of all gradients, AdamW and the bound of the scale, of 24 blocks of real widths.
  @ParameterizedTest @CsvSource({"FP32,4", "FP32,256", "BF16,4", "BF16,256"}) void aStepOfViTB32(Precision precision,
      int batch) throws Exception {
    if (LaunchesTest.class.getClassLoader().getResource("jacquard/cuda/toolkit.txt") == null)
      throw new TestAbortedException("no fatbin was built");
    var driver = new CountingDriver();
    var config = Presets.of("ViT-B-32");
    try (var device = new CudaDevice(new Installed(driver, null, false), 0)) {
      try (var _ = Scope.open(device)) {
        var model = Parameters.map(ClipModel.describe(config), (_, t) -> Tensor.empty(t.type()));
        var parameters = model.parameters();
        var optimizer = new Optimizer(new Optimizer.AdamW(0.9, 0.98, 1e-6), parameters, 0.2, model.decayed());
        int[][] tokens = new int[batch][77];
        for (int b = 0; b < batch; b++)
          for (int i = 0; i < 5 + b * 13 % 70; i++) tokens[b][i] = i == 4 + b * 13 % 70 ? 49407 : 1000 + i;
        var pairs = Batch.of(new float[batch * 3 * 224 * 224], new Grid(224, 224), tokens);
        var task = new Match(model, Match.Loss.SOFTMAX);
        // the first steps make what later ones find
        for (int s = 0; s < 3; s++) {
          driver.reset();
          try (var _ = Scope.open()) {
            var step = Gradients.of(task, pairs, 1, Pass.training(Random.of(1)).precision(precision));
            optimizer.step(step.gradients(), 1e-3, Clipping.factor(Clipping.norm(step.gradients().values()), 1));
            task.after();
          }
        }
        assertTrue(driver.total() <= 800, driver.toString());
      }
    }
  }
}
