package jacquard.clip.tune.head;

import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;

/// Few pictures a name, remembered (Tip-Adapter, Zhang et al. 2022): 100·f·Wᵀ + α·exp(−β·(1 − f·Kᵀ))·V. With the keys
/// trained it is Tip-Adapter-F.
///
/// @param keys   normalised features of the pictures, `[shots, embedding]`
/// @param values 1 at each picture's name, `[shots, names]`
public record TipAdapter(Tensor keys, Tensor values) {
  /// The grids that α and β are chosen from, on validation: least, and how far the steps reach.
  private static final double LEAST = 0.1, BETAS = 12, ALPHAS = 5;
  private static final int BETA_STEPS = 200, ALPHA_STEPS = 20;

  public static TipAdapter of(Tensor keys, int[] labels, int names) {
    float[] v = new float[labels.length * names];
    for (int i = 0; i < labels.length; i++) v[i * names + labels[i]] = 1;
    return new TipAdapter(keys, Tensor.of(Shape.of(labels.length, names), v));
  }

  /// @param features   normalised, `[n, embedding]`
  /// @param classifier features of the names, normalised, `[names, embedding]`
  public Tensor logits(Tensor features, Tensor classifier, double alpha, double beta) {
    return features.matmul(false, classifier, true).mul(100).add(remembered(features, beta).mul((float) alpha));
  }

  /// exp(−β·(1 − f·Kᵀ))·V, `[n, names]`.
  private Tensor remembered(Tensor features, double beta) {
    return features.matmul(false, keys, true).affine((float) beta, (float) -beta).exp().matmul(values);
  }

  /// What was chosen, and the share of right answers with it.
  public record Choice(double alpha, double beta, double accuracy) {}

  /// The best of the grids; of equal ones the first.
  public Choice choose(Tensor features, Tensor classifier, int[] labels) {
    int names = classifier.dim(0);
    float[] plain = features.matmul(false, classifier, true).mul(100).floats();
    var best = new Choice(0, 0, -1);
    for (int b = 0; b < BETA_STEPS; b++) {
      double beta = LEAST + b * (BETAS - LEAST) / BETA_STEPS;
      float[] more = remembered(features, beta).floats();
      for (int a = 0; a < ALPHA_STEPS; a++) {
        double alpha = LEAST + a * (ALPHAS - LEAST) / ALPHA_STEPS;
        int right = 0;
        for (int i = 0; i < labels.length; i++) {
          int top = 0;
          for (int k = 1; k < names; k++)
            if (plain[i * names + k] + alpha * more[i * names + k] > plain[i * names + top]
                + alpha * more[i * names + top])
              top = k;
          if (top == labels[i]) right++;
        }
        double accuracy = right / (double) labels.length;
        if (accuracy > best.accuracy) best = new Choice(alpha, beta, accuracy);
      }
    }
    return best;
  }
}
