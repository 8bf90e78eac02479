package jacquard.clip.eval.metrics;

/// Whether answers are as often right as they are sure: the expected calibration error (Guo et al. 2017), Σ over bins
/// of their share of samples times
/// |accuracy − mean confidence|.
public final class Calibration {
  /// Bins of equal width over 0 … 1.
  public static final int BINS = 15;

  private Calibration() {}

  /// @param confidence probabilities of the answers, each in the bin `((b)/15, (b+1)/15]`
  public static double error(float[] confidence, boolean[] right) {
    var sure = new double[BINS];
    var hits = new int[BINS];
    for (int i = 0; i < right.length; i++) {
      int b = Math.clamp((int) Math.ceil(confidence[i] * BINS) - 1, 0, BINS - 1);
      sure[b] += confidence[i];
      if (right[i]) hits[b]++;
    }
    double sum = 0;
    for (int b = 0; b < BINS; b++) sum += Math.abs(hits[b] - sure[b]);
    return sum / right.length;
  }
}
