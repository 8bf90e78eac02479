package jacquard.bench.peer;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.data.Batches;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.Presets;
import jacquard.clip.train.Step;
import jacquard.tensor.Device;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.BiConsumer;

/// Our training step of ViT-B/32 at batch 32: towers, softmax loss, backward, AdamW, as the trainer does it without clipping.
public record Training(Scope weights, ClipModel model, Parameters parameters, Optimizer optimizer, Batches.Batch batch) implements AutoCloseable {
  public static final String MODEL = "ViT-B-32";
  public static final int BATCH = 32;

  public static Training open() throws IOException {
    var file = Samples.weights(MODEL);
    var weights = Scope.detached(Device.best());
    return weights.within(() -> {
      try {
        var model = Checkpoint.load(Presets.of(MODEL), file);
        var parameters = model.parameters();
        int[] each = java.util.stream.IntStream.range(0, BATCH).toArray();
        return new Training(weights, model, parameters, new Optimizer(new Optimizer.AdamW(0.9, 0.98, 1e-6), parameters, 0.2, model.decayed()),
            new Batches.Batch(Samples.pixels(BATCH), Samples.tokens(BATCH), each, each, BATCH));
      } catch (IOException e) { throw new UncheckedIOException(e); }
    });
  }

  public void step() {
    try (var _ = Scope.open(Device.best())) {
      Step.of(model, parameters, batch, false, Pass.training(Random.of(0)), optimizer.step(1e-5, 1));
      Tensor.applyAll(new Update.Blend(1, 1), List.of(model.logitScale(), model.logitScale().clamp(0, (float) Math.log(100))));
    }
  }

  /// Loss and gradients, before any step.
  public void gradients(BiConsumer<Double, SequencedMap<String, Tensor>> use) {
    try (var _ = Scope.open(Device.best())) {
      var step = Step.of(model, parameters, batch, 1, false, Random.of(0));
      use.accept(step.loss(), step.gradients());
    }
  }

  @Override public void close() { weights.close(); }
}
