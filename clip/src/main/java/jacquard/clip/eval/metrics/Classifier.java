package jacquard.clip.eval.metrics;

import java.util.Arrays;

/// The vectors of classes: each the mean of the normalised features of its sentences, normalised again.
/// `[classes][embedding]`
public final class Classifier {
  private Classifier() {}

  /// @param texts   features of all sentences, class by class; normalised here
  /// @param offsets where each class begins in them, and the end: `classes + 1` numbers
  public static float[][] of(float[][] texts, int[] offsets) {
    var r = new float[offsets.length - 1][];
    for (int c = 0; c < r.length; c++) {
      if (offsets[c] >= offsets[c + 1]) throw new IllegalArgumentException("class " + c + " has no sentence");
      r[c] = mean(Arrays.stream(texts, offsets[c], offsets[c + 1]).map(Classifier::normalised).toArray(float[][]::new));
    }
    return r;
  }

  /// The mean of normalised features, normalised.
  public static float[] mean(float[][] features) {
    var r = new float[features[0].length];
    for (int k = 0; k < r.length; k++) {
      double sum = 0;
      for (float[] f : features) sum += f[k];
      r[k] = (float) (sum / features.length);
    }
    return normalised(r);
  }

  /// x / max(|x|, 1e-12)
  public static float[] normalised(float[] x) {
    double squares = 0;
    for (float v : x) squares += (double) v * v;
    double norm = Math.max(Math.sqrt(squares), 1e-12);
    var r = new float[x.length];
    for (int k = 0; k < r.length; k++) r[k] = (float) (x[k] / norm);
    return r;
  }

  public static float[][] normalised(float[][] rows) {
    return Arrays.stream(rows).map(Classifier::normalised).toArray(float[][]::new);
  }
}
