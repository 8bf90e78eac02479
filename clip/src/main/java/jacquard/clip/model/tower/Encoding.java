package jacquard.clip.model.tower;

import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;

/// All that a tower gives for a batch.
///
/// @param features `[count, embedding]`, not normalised
/// @param tokens the rows that a decoder would look at, `[rows, width]`: those that OpenCLIP gives with
///   `output_tokens`, before any projection
/// @param sequences which rows belong to which image or caption, and their positions
public record Encoding(Tensor features, Tensor tokens, Sequences sequences) {
  /// Picks rows of a larger table of rows.
  public static Encoding of(Tensor features, Tensor rows, Sequences all, int[] picked) {
    int[] offsets = new int[all.count() + 1], positions = new int[picked.length];
    for (int i = 0, at = 0; i < all.count(); i++) {
      while (at < picked.length && picked[at] < all.to(i)) at++;
      offsets[i + 1] = at;
    }
    for (int i = 0; i < picked.length; i++) positions[i] = all.positions()[picked[i]];
    return new Encoding(features, rows.gather(picked), new Sequences(offsets, positions));
  }

  /// The same without the first `prefix` rows of each sequence.
  public static Encoding without(int prefix, Tensor features, Tensor rows, Sequences all) {
    int[] picked = java.util.stream.IntStream.range(0, all.count())
        .flatMap(i -> java.util.stream.IntStream.range(all.from(i) + prefix, all.to(i))).toArray();
    return of(features, rows, all, picked);
  }
}
