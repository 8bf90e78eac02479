package jacquard.clip.eval.probe;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Features with labels.
///
/// @param rows   `[samples][width]`
/// @param labels from 0
public record Features(float[][] rows, int[] labels) {
  public Features {
    if (rows.length != labels.length)
      throw new IllegalArgumentException(rows.length + " features and " + labels.length + " labels, expected as many");
  }

  public int size() { return labels.length; }

  /// The largest label plus 1.
  public int classes() { return Arrays.stream(labels).max().orElse(-1) + 1; }

  public Features at(int[] samples) {
    return new Features(IntStream.of(samples).mapToObj(i -> rows[i]).toArray(float[][]::new),
        IntStream.of(samples).map(i -> labels[i]).toArray());
  }

  /// These, then others.
  public Features and(Features more) {
    return new Features(Stream.concat(Arrays.stream(rows), Arrays.stream(more.rows)).toArray(float[][]::new),
        IntStream.concat(Arrays.stream(labels), Arrays.stream(more.labels)).toArray());
  }

  /// The first `k` samples of each class in an order of all, in that order; all of them where `k` is negative.
  ///
  /// @throws IllegalArgumentException naming the class that has fewer
  public Features shots(int k, int[] order) {
    var n = new int[classes()];
    int[] taken = Arrays.stream(order).filter(i -> k < 0 || n[labels[i]]++ < k).toArray();
    for (int c = 0; c < n.length; c++)
      if (n[c] < k && n[c] > 0)
        throw new IllegalArgumentException("class %d has %d samples, expected %d for as many shots"
            .formatted(c, n[c], k));
    return at(taken);
  }
}
