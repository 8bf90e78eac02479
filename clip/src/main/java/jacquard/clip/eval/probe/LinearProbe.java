package jacquard.clip.eval.probe;

import jacquard.autograd.Optimizer;
import jacquard.tensor.Device;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.util.Arrays;
import java.util.List;

/// A linear classifier on features, trained as CLIP_benchmark does: AdamW (the bias decays too), the rate falling by
/// half a cosine from its first value to 0 without warm-up, batches of a new order each epoch, the last smaller.
///
/// @param rate  at the first step
/// @param batch samples a step
public record LinearProbe(double rate, int batch, int epochs, long seed, Device device) {
  private static final Optimizer.AdamW RULE = new Optimizer.AdamW(0.9, 0.999, 1e-8);

  /// @param weight `[classes · width]`, row-major
  public record Head(float[] weight, float[] bias) {
    /// `[samples][classes]`
    public float[][] logits(float[][] rows, Device device) {
      int classes = bias.length, width = weight.length / classes;
      var r = new float[rows.length][];
      try (var _ = Scope.open(device)) {
        var w = Tensor.of(Shape.of(classes, width), weight);
        var b = Tensor.of(Shape.of(classes), bias);
        for (int from = 0; from < rows.length; from += 1024) {
          int n = Math.min(1024, rows.length - from);
          try (var _ = Scope.open()) {
            float[] all = matrix(rows, from, n).matmul(false, w, true).add(b).floats();
            for (int i = 0; i < n; i++) r[from + i] = Arrays.copyOfRange(all, i * classes, (i + 1) * classes);
          }
        }
      }
      return r;
    }
  }

  /// As PyTorch begins a linear layer: uniform within ±1/√width.
  public Head start(int classes, int width) {
    var r = new Head(new float[classes * width], new float[classes]);
    double bound = 1 / Math.sqrt(width);
    var random = Random.of(seed).fold("probe");
    for (int i = 0; i < r.weight.length; i++) r.weight[i] = (float)
      (bound * (2 * random.fold("weight").uniform(i) - 1));
    for (int i = 0; i < r.bias.length; i++) r.bias[i] = (float) (bound * (2 * random.fold("bias").uniform(i) - 1));
    return r;
  }

  /// Samples in the order taken, all epochs.
  public int[] order(int samples) {
    var r = new int[samples * epochs];
    for (int e = 0; e < epochs; e++) {
      var drawn = Random.of(seed).fold("order").fold(e);
      for (int i = 0; i < samples; i++) r[e * samples + i] = i;
      for (int i = samples - 1; i > 0; i--) {
        int a = e * samples + i, b = e * samples + drawn.below(i, i + 1), t = r[a];
        r[a] = r[b];
        r[b] = t;
      }
    }
    return r;
  }

  public Head train(Features data, int classes, double decay) {
    return train(data, decay, start(classes, data.rows()[0].length), order(data.size()));
  }

  /// @param order samples in the order taken, all epochs
  public Head train(Features data, double decay, Head start, int[] order) {
    int classes = start.bias.length, width = start.weight.length / classes, samples = data.size();
    long steps = (long) Math.ceilDiv(samples, batch) * epochs, step = 0;
    try (var _ = Scope.open(device)) {
      Tensor all = matrix(data.rows(), 0, samples);                                // [samples, width]
      Tensor w = Tensor.of(Shape.of(classes, width), start.weight.clone()),
          b = Tensor.of(Shape.of(classes), start.bias.clone());
      var moments = List.of(zeros(w), zeros(w), zeros(b), zeros(b));
      for (int e = 0; e < epochs; e++) for (int from = 0; from < samples; from += batch, step++) {
        int n = Math.min(batch, samples - from);
        int[] taken = Arrays.copyOfRange(order, e * samples + from, e * samples + from + n);
        double now = 0.5 * (1 + Math.cos(Math.PI * step / steps)) * rate;
        try (var _ = Scope.open()) {
          Tensor x = all.gather(taken);                                            // [n, width]
          // ∂loss/∂logits = (p − y)/n, [n, classes]
          Tensor d = x.matmul(false, w, true).add(b).softmax()
              .subtract(Tensor.of(Shape.of(n, classes), labels(data, taken, classes))).mul(1f / n);
          var update = RULE.update(step + 1, now, decay, 1);
          Tensor.applyAll(new Update.Together(List.of(update, update)), List.of(w, moments.get(0), moments.get(1),
              d.matmul(true, x, false), b, moments.get(2), moments.get(3), d.sum(0)));
        }
      }
      return new Head(w.floats(), b.floats());
    }
  }

  private static Tensor zeros(Tensor like) { return Tensor.zeros(like.shape()); }

  private static float[] labels(Features data, int[] taken, int classes) {
    var r = new float[taken.length * classes];
    for (int i = 0; i < taken.length; i++) r[i * classes + data.labels()[taken[i]]] = 1;
    return r;
  }

  private static Tensor matrix(float[][] rows, int from, int count) {
    int width = rows[from].length;
    var all = new float[count * width];
    for (int i = 0; i < count; i++) System.arraycopy(rows[from + i], 0, all, i * width, width);
    return Tensor.of(Shape.of(count, width), all);
  }

  /// The decay that is best on a validation set: each is trained anew from the same weights in the same order.
  public Span.Found decay(Features train, Features validation, int classes) {
    return Span.DECAYS.search(d -> accuracy(train(train, classes, d), validation));
  }

  /// The share of samples whose label has the highest logit.
  public double accuracy(Head head, Features of) {
    var logits = head.logits(of.rows(), device);
    int hits = 0;
    for (int i = 0; i < logits.length; i++) {
      int best = 0;
      for (int c = 1; c < logits[i].length; c++) if (logits[i][c] > logits[i][best]) best = c;
      if (best == of.labels()[i]) hits++;
    }
    return hits / (double) logits.length;
  }
}
