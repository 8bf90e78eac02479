package jacquard.clip.nn;

import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.stream.IntStream;

/// One row of each sequence, without its first `prefix` rows: `[rows, width]` to `[sequences, width]`.
public final class Pooling {
  private Pooling() {}

  /// The first row, prefix or not.
  public static int[] first(Sequences s) { return IntStream.range(0, s.count()).map(s::from).toArray(); }

  /// The mean of all rows but the prefix.
  public static Tensor mean(Tensor x, Sequences s, int prefix) {
    int[] owners = s.owners();
    float[] share = new float[s.count()];
    for (int i = 0; i < share.length; i++) {
      for (int p = 0; p < prefix; p++) owners[s.from(i) + p] = -1;
      share[i] = 1f / (s.length(i) - prefix);
    }
    return x.scatterAdd(s.count(), Tensor.ofInts(Shape.of(owners.length), owners))
        .mul(Tensor.of(Shape.of(share.length, 1), share));
  }

  /// The largest of each channel. Shorter sequences are filled with copies of their own first row, which is shared out
  /// equally among ties.
  public static Tensor max(Tensor x, Sequences s, int prefix) {
    int longest = s.longest() - prefix, width = x.dim(1);
    int[] rows = new int[s.count() * longest];
    for (int i = 0; i < rows.length; i++) {
      int sequence = i / longest, at = i % longest + prefix;
      rows[i] = s.from(sequence) + (at < s.length(sequence) ? at : prefix);
    }
    return x.gather(rows).reshape(s.count(), longest, width).maxKeeping(1).reshape(s.count(), width);
  }
}
