package jacquard.clip.eval.probe;

import jacquard.autograd.Optimizer;
import jacquard.clip.eval.metrics.Predictions;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.util.Arrays;
import java.util.List;

/// ELEVATER's linear probe (Li et al. 2022): each channel brought to mean 0 and variance 1 by a batch norm without
/// weights, then a linear layer that begins with the vectors of the classes' names, trained by SGD with Nesterov's
/// momentum 0.9. The rate is one of 10⁻⁶ … 10⁻¹, the decay one of [Span#INVERSE], chosen on a validation set by
/// trainings of `epochs`; the last one takes `more` epochs on both sets together.
///
/// @param batch samples a step; a last one of one sample alone is left out
public record ElevaterProbe(int batch, int epochs, int more, long seed, Device device) {
  private static final Optimizer.Sgd RULE = new Optimizer.Sgd(0.9, true);
  private static final double MOMENTUM = 0.1, EPSILON = 1e-5;
  private static final int RATES = 6;

  /// As its scripts set it.
  public static ElevaterProbe usual(long seed, Device device) { return new ElevaterProbe(32, 10, 40, seed, device); }

  /// @param mean,variance of each channel, running over batches
  public record Trained(LinearProbe.Head head, double[] mean, double[] variance) {
    public float[][] logits(float[][] rows, Device device) {
      return head.logits(Arrays.stream(rows).map(r -> scaled(r, mean, variance)).toArray(float[][]::new), device);
    }
  }

  /// @param rate,decay that were chosen
  public record Found(Trained trained, double rate, double decay) {}

  /// @param start the first weights; null for those that a linear layer of PyTorch begins with
  public Found fit(Features train, Features validation, int classes, LinearProbe.Head start) {
    double[] best = {0, 0, -1};                                                        // rate, decay, accuracy
    for (int r = -RATES; r < 0; r++) {
      double rate = Math.pow(10, r);
      var found = Span.INVERSE.search(d -> accuracy(train(train, classes, start, rate, d, epochs), validation));
      double reached = found.tried().stream().mapToDouble(Span.Trial::accuracy).max().orElse(0);
      if (reached > best[2]) best = new double[] {rate, found.best(), reached};
    }
    var all = train.and(validation);
    return new Found(train(all, classes, start, best[0], best[1], epochs + more), best[0], best[1]);
  }

  private double accuracy(Trained t, Features of) {
    boolean[] right = Predictions.of(t.logits(of.rows(), device)).hits(of.labels(), 1);
    int n = 0;
    for (boolean b : right) if (b) n++;
    return n / (double) right.length;
  }

  private Trained train(Features data, int classes, LinearProbe.Head start, double rate, double decay, int epochs) {
    var probe = new LinearProbe(1, batch, epochs, seed, device);
    var begun = start != null ? start : probe.start(classes, data.rows()[0].length);
    return train(data, begun, rate, decay, probe.order(data.size()));
  }

  /// @param order samples in the order taken, all epochs
  public Trained train(Features data, LinearProbe.Head begun, double rate, double decay, int[] order) {
    int width = data.rows()[0].length, samples = data.size(), classes = begun.bias().length;
    double[] mean = new double[width], variance = new double[width];
    Arrays.fill(variance, 1);
    long step = 0;
    try (var _ = Scope.open(device)) {
      Tensor w = Tensor.of(Shape.of(classes, width), begun.weight().clone()),
          b = Tensor.of(Shape.of(classes), begun.bias().clone()),
          mw = Tensor.zeros(w.shape()), mb = Tensor.zeros(b.shape());
      for (int e = 0; e < order.length / samples; e++) for (int from = 0; from < samples; from += batch) {
        int n = Math.min(batch, samples - from);
        if (n == 1) continue;
        int[] taken = Arrays.copyOfRange(order, e * samples + from, e * samples + from + n);
        var rows = normalised(data, taken, mean, variance);
        var labels = new float[n * classes];
        for (int i = 0; i < n; i++) labels[i * classes + data.labels()[taken[i]]] = 1;
        var update = RULE.update(++step, rate, decay, 1);
        try (var _ = Scope.open()) {
          Tensor x = Tensor.of(Shape.of(n, width), rows);
          Tensor d = x.matmul(false, w, true).add(b).softmax().subtract(Tensor.of(Shape.of(n, classes), labels))
              .mul(1f / n);                                                            // ∂loss/∂logits
          Tensor.applyAll(new Update.Together(List.of(update, update)), List.of(w, mw, d.matmul(true, x, false), b, mb,
              d.sum(0)));
        }
      }
      return new Trained(new LinearProbe.Head(w.floats(), b.floats()), mean, variance);
    }
  }

  /// The batch with its own statistics, `[n · width]`; the running ones follow.
  private static float[] normalised(Features data, int[] taken, double[] mean, double[] variance) {
    int n = taken.length, width = mean.length;
    var r = new float[n * width];
    for (int k = 0; k < width; k++) {
      double m = 0, v = 0;
      for (int i : taken) m += data.rows()[i][k] / n;
      for (int i : taken) v += (data.rows()[i][k] - m) * (data.rows()[i][k] - m);
      double scale = 1 / Math.sqrt(v / n + EPSILON);
      for (int i = 0; i < n; i++) r[i * width + k] = (float) ((data.rows()[taken[i]][k] - m) * scale);
      mean[k] += MOMENTUM * (m - mean[k]);
      variance[k] += MOMENTUM * (v / (n - 1) - variance[k]);
    }
    return r;
  }

  private static float[] scaled(float[] row, double[] mean, double[] variance) {
    var r = new float[row.length];
    for (int k = 0; k < r.length; k++) r[k] = (float) ((row[k] - mean[k]) / Math.sqrt(variance[k] + EPSILON));
    return r;
  }
}
