package jacquard.clip.image.resize;

import jacquard.clip.image.Interpolation;
import java.util.Arrays;

/// One resizing pass: target position X takes source positions `first(X)` to `first(X) + count(X)`, with the weights at
/// `X·stride` of [#weights] or, as multiples of 2⁻²², of [#fixed].
final class Filter {
  private final int stride;
  private final int[] first, count;
  private final double[] weights;

  private Filter(int stride, int[] first, int[] count, double[] weights) {
    this.stride = stride;
    this.first = first;
    this.count = count;
    this.weights = weights;
  }

  /// Filter that map [`from`, `to`] of a source of `length` to `size` positions.
  static Filter of(int length, float from, float to, int size, Interpolation interpolation) {
    double scale = (double) (to - from) / size, widening = Math.max(scale, 1);
    double support = interpolation.support() * widening, inverse = 1 / widening;
    int stride = Math.min((int) Math.ceil(support) * 2 + 1, length);
    int[] first = new int[size], count = new int[size];
    double[] weights = new double[Math.multiplyExact(stride, size)];
    for (int x = 0; x < size; x++) {
      double centre = from + (x + .5) * scale, sum = 0;
      int start = Math.max((int) (centre - support + .5), 0), end = Math.min((int) (centre + support + .5), length);
      for (int i = start, at = x * stride; i < end; i++, at++)
        sum += weights[at] = interpolation.weight((i - centre + .5) * inverse);
      if (sum != 0) for (int at = x * stride; at < x * stride + end - start; at++) weights[at] /= sum;
      first[x] = start;
      count[x] = end - start;
    }
    return new Filter(stride, first, count, weights);
  }

  /// The same for target positions `from` to `from + size` alone.
  Filter part(int from, int size) {
    return new Filter(stride, Arrays.copyOfRange(first, from, from + size),
        Arrays.copyOfRange(count, from, from + size),
        Arrays.copyOfRange(weights, from * stride, (from + size) * stride));
  }

  int size() { return first.length; }

  int stride() { return stride; }

  int first(int x) { return first[x]; }

  int count(int x) { return count[x]; }

  double[] weights() { return weights; }

  /// The weights times 2²², rounded half away from zero.
  int[] fixed() {
    int[] fixed = new int[weights.length];
    for (int i = 0; i < fixed.length; i++) fixed[i] = (int) (weights[i] * (1 << 22) + (weights[i] < 0 ? -.5 : .5));
    return fixed;
  }

  int lowest() { return first[0]; }

  int highest() { return first[size() - 1] + count[size() - 1]; }

  @Override public String toString() { return "Filter" + Arrays.toString(first); }
}
