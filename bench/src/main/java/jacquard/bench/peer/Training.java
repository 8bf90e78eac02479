package jacquard.bench.peer;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.Presets;
import jacquard.clip.text.ClipTokenizer;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.parameter.Rates;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.clip.tune.adapter.PeftConfig;
import jacquard.clip.tune.learned.PromptWords;
import jacquard.clip.tune.learned.Prompted;
import jacquard.clip.tune.prompt.Captions;
import jacquard.clip.tune.prompt.Context;
import jacquard.clip.tune.task.Classes;
import jacquard.clip.tune.task.Classify;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Our training steps of ViT-B/32 at batch 32, as the trainer makes them without clipping: of all weights with AdamW;
/// of low-rank pairs beside all linear layers of the blocks; of a prompt before 100 names with descent.
public record Training(Scope weights, Task task, Optimizer optimizer, Batch batch) implements AutoCloseable {
  public static final String MODEL = "ViT-B-32";
  public static final int BATCH = 32;

  public static final int RANK = 8, NAMES = 100, VECTORS = 16;
  private static final Optimizer.Rule ADAMW = new Optimizer.AdamW(0.9, 0.98, 1e-6);

  /// @param what `step` (all weights), `lora` or `coop`
  public static Training open(String what) throws IOException {
    return switch (what) {
      case "step" -> open(m -> new Contrastive(m, Contrastive.Loss.SOFTMAX), ADAMW);
      case "lora" -> open(m -> {
        var adapter = Adapter.fresh(m, PeftConfig.of(RANK, 16, false, false,
            List.of("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")), 0);
        var onto = adapter.onto(m);
        return new Contrastive(onto, adapter.trained(onto), Contrastive.Loss.SOFTMAX);
      }, ADAMW);
      case "coop" -> open(Training::prompted, new Optimizer.Sgd(0.9, false));
      default -> throw new IllegalArgumentException("no step " + what);
    };
  }

  public static Training open() throws IOException { return open("step"); }

  private static Training open(Function<ClipModel, Task> of, Optimizer.Rule rule) throws IOException {
    var file = Samples.weights(MODEL);
    var weights = Scope.detached(Device.best());
    return weights.within(() -> {
      try {
        var task = of.apply(Checkpoint.load(Presets.of(MODEL), file));
        return new Training(weights, task, new Optimizer(rule, task.parameters(), Rates.decayed(0.2).of(task.model())),
            Batch.of(Samples.pixels(MODEL, BATCH), new Grid(224, 224), Samples.tokens(MODEL, BATCH)));
      } catch (IOException e) { throw new UncheckedIOException(e); }
    });
  }

  /// CoOp: picture i has the name i.
  private static Task prompted(ClipModel model) {
    int[] stop = Arrays.copyOfRange(ClipTokenizer.clip().unpadded(".", 77), 1, 2);
    var prompt = new Context(Tensor.of(Shape.of(VECTORS, 512), Samples.context(VECTORS)), Captions.Position.END);
    var onto = new Prompted(Prompted.COOP, prompt, new PromptWords(new int[0], stop)).onto(model, 1);
    var all = Parameters.of(onto);
    var names = List.of(Samples.names(NAMES));
    int[] labels = IntStream.range(0, BATCH).toArray();
    return new Classify(onto, all.freeze(all.all().keySet().stream().filter(p -> !p.equals("text.prompt.ctx"))
        .toArray(String[]::new)), new Classes(names, NAMES, labels), Tensor.zeros(Shape.of(NAMES, 512)),
        ClipTokenizer.clip().tokenize(names, 77));
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
