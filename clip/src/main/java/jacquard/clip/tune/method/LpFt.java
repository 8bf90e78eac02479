package jacquard.clip.tune.method;

import jacquard.autograd.Grad;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Embedder;
import jacquard.clip.loss.SoftmaxLoss;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.learned.NameVectors;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;

/// LP-FT (Kumar et al. 2022): first a linear classifier on the features as they are, then the image tower and the
/// classifier together, which then need not tear each other about.
public record LpFt() implements Method {
  private static final int STEPS = 500, BATCH = 256;
  private static final double RATE = 1e-3;

  @Override public Task task(ClipModel model, Start start) throws IOException {
    var fixed = Extended.fixed(model);
    var vectors = LinearHead.vectors(fixed, start);
    probe(fixed, start, vectors);
    return Extended.task(fixed, start, vectors, true, p -> p.startsWith("visual."));
  }

  /// Trains the vectors on features of the new pictures, without changes by chance.
  private static void probe(ClipModel model, Start start, NameVectors learned) throws IOException {
    var source = start.fresh();
    float[][] seen = new Embedder(model, start.transform(), 256, () -> start.tokenizer())
        .images(source.size(), source::picture, Advance.UNHEARD);
    int[] labels = start.classes().labels();
    var parameters = Parameters.of(learned.tensors());
    var vectors = learned.tensors().vectors();
    int e = vectors.dim(1), names = vectors.dim(0), n = Math.min(BATCH, source.size());
    var optimizer = new Optimizer(new Optimizer.AdamW(.9, .999, 1e-8), parameters, _ -> new Optimizer.Rate(1, 0));
    var key = Random.of(start.seed()).fold("probe");
    for (int step = 0; step < STEPS; step++)
      try (var _ = Scope.open()) {
        float[] x = new float[n * e], right = new float[n * names];
        for (int i = 0; i < n; i++) {
          int k = key.below((long) step * n + i, source.size());
          System.arraycopy(seen[k], 0, x, i * e, e);
          right[i * names + labels[k]] = 1;
        }
        Tensor pictures = Tensor.of(Shape.of(n, e), x), chosen = Tensor.of(Shape.of(n, names), right);
        var r = Grad.valueAndGrad(parameters, () -> SoftmaxLoss.of(pictures.matmul(false, vectors.normalize(), true)
            .mul(model.scale()), chosen));
        optimizer.step(r.gradients(), RATE * (1 + Math.cos(Math.PI * step / STEPS)) / 2, 1);
      }
  }
}
