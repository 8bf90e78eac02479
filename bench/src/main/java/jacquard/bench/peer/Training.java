package jacquard.bench.peer;

import jacquard.autograd.Optimizer;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.data.Batch;
import jacquard.clip.model.Presets;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.parameter.Rates;
import jacquard.clip.train.task.Match;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.SequencedMap;
import java.util.function.BiConsumer;

/// Our training step of ViT-B/32 at batch 32: towers, softmax loss, backward, AdamW, as the trainer does it without
/// clipping.
public record Training(Scope weights, Match task, Optimizer optimizer, Batch batch) implements AutoCloseable {
  public static final String MODEL = "ViT-B-32";
  public static final int BATCH = 32;

  public static Training open() throws IOException {
    var file = Samples.weights(MODEL);
    var weights = Scope.detached(Device.best());
    return weights.within(() -> {
      try {
        var task = new Match(Checkpoint.load(Presets.of(MODEL), file), Match.Loss.SOFTMAX);
        return new Training(weights, task,
            new Optimizer(new Optimizer.AdamW(0.9, 0.98, 1e-6), task.parameters(), Rates.decayed(0.2).of(task.model())),
            Batch.of(Samples.pixels(BATCH), new Grid(224, 224), Samples.tokens(BATCH)));
      } catch (IOException e) { throw new UncheckedIOException(e); }
    });
  }

  public void step() {
    try (var _ = Scope.open(Device.best())) {
      Gradients.streamed(task, batch, Pass.training(Random.of(0)), optimizer.step(1e-5, 1));
      task.after();
    }
  }

  /// Loss and gradients, before any step.
  public void gradients(BiConsumer<Double, SequencedMap<String, Tensor>> use) {
    try (var _ = Scope.open(Device.best())) {
      var step = Gradients.of(task, batch, 1, Pass.training(Random.of(0)));
      use.accept(step.loss(), step.gradients());
    }
  }

  @Override public void close() { weights.close(); }
}
