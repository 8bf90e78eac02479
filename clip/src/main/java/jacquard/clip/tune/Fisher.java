package jacquard.clip.tune;

import jacquard.autograd.Grad;
import jacquard.autograd.Parameters;
import jacquard.clip.data.source.Source;
import jacquard.clip.loss.SoftmaxLoss;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/// How much of what a model says hangs on each weight: the mean over pictures of the squared gradient of log p(name),
/// where
/// the name is drawn from what the model itself says. Each picture's gradient by itself: the square of a batch's mean
/// is
/// another thing.
public final class Fisher {
  /// Pictures that are looked at.
  private static final int PICTURES = 256;

  private Fisher() {}

  /// Of the trained parameters, by path, over the old pairs and their names.
  public static Map<String, Tensor> of(Task task, Start start) throws IOException {
    var model = task.model();
    var bank = start.bank(model, start.old().names());
    var key = Random.of(start.seed()).fold("fisher");
    int n = Math.min(PICTURES, start.old().size());
    var sums = new LinkedHashMap<String, Tensor>();
    task.parameters().trained().forEach((path, t) -> sums.put(path, Tensor.zeros(t.shape())));
    for (int i = 0; i < n; i++) {
      try (var scope = Scope.open()) {
        var image = image(start, start.old(), key.below(2L * i, start.old().size()));
        double at = key.uniform(2L * i + 1);
        Pass.current().inference().call(() -> {
          square(task.parameters(), () -> model.embedImages(image).matmul(false, bank, true).mul(model.scale()), at,
              sums,
              scope, n);
          return null;
        });
      }
    }
    return sums;
  }

  private static void square(Parameters parameters, Supplier<Tensor> logits, double at,
      Map<String, Tensor> sums, Scope scope, int n) {
    float[] p = logits.get().softmax().floats();
    int drawn = 0;
    for (double sum = p[0]; sum < at && drawn + 1 < p.length; sum += p[drawn]) drawn++;
    float[] right = new float[p.length];
    right[drawn] = 1;
    var r = Grad.valueAndGrad(parameters, () -> SoftmaxLoss.of(logits.get(), Tensor.of(Shape.of(1, p.length), right)));
    r.gradients().forEach((path, g) -> sums.put(path, scope.keep(sums.get(path).add(g.mul(g).mul(1f / n)))));
  }

  private static ImageBatch image(Start start, Source source, int index) throws IOException {
    var config = start.transform().config();
    return ImageBatch.ofSamples(start.transform().pixels(source.picture(index)).rgb(), 1,
        start.config().vision().input(), config.mean(), config.std());
  }
}
