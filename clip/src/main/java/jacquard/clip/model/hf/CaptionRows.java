package jacquard.clip.model.hf;

import jacquard.clip.nn.transformer.SelfAttention;
import jacquard.tensor.Sequences;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import java.util.Arrays;
import java.util.stream.IntStream;

/// The rows of a batch of captions. Pads are masked out for all, so they are no rows; a decoder that follows (CoCa)
/// looks at them too, and then they are.
///
/// @param sequences the rows of each caption, and their places in it
/// @param ranges which rows a row attends to: the tokens of its caption
/// @param ids a row's token
/// @param counted how many tokens stand before a row in its caption; −1 for a pad
/// @param words the rows that are tokens
/// @param worded the captions as rows of `words`
public record CaptionRows(Sequences sequences, Ranges ranges, int[] ids, int[] counted, int[] words, Sequences worded) {
  /// @param first whether the first token is pooled
  /// @param padded whether pads are rows
  public static CaptionRows of(int[][] captions, int pad, boolean first, boolean padded) {
    int count = captions.length;
    int[][] kept = new int[count][];
    int[] lengths = new int[count];
    for (int b = 0; b < count; b++) {
      int[] ids = captions[b], tokens = IntStream.range(0, ids.length).filter(i -> ids[i] != pad).toArray();
      lengths[b] = tokens.length;
      if (tokens.length == 0 || first && tokens[0] != 0)
        throw new IllegalArgumentException("caption " + b + " begins with padding (id " + pad + "), expected a token");
      if (padded && tokens[tokens.length - 1] != tokens.length - 1) throw between(b, pad);
      kept[b] = padded ? IntStream.range(0, ids.length).toArray() : tokens;
    }
    int[] offsets = Sequences.ofLengths(Arrays.stream(kept).mapToInt(k -> k.length).toArray()).offsets();
    int[] place = new int[offsets[count]], id = new int[place.length], counted = new int[place.length];
    for (int b = 0; b < count; b++)
      for (int i = 0, r = offsets[b]; r < offsets[b + 1]; i++, r++) {
        place[r] = kept[b][i];
        id[r] = captions[b][place[r]];
        counted[r] = i < lengths[b] ? i : -1;
      }
    var sequences = new Sequences(offsets, place);
    var ranges = Ranges.full(sequences, sequences);
    for (int b = 0; b < count; b++) Arrays.fill(ranges.to(), offsets[b], offsets[b + 1], offsets[b] + lengths[b]);
    return new CaptionRows(sequences, ranges, id, counted, IntStream.range(0, place.length).filter(r -> counted[r] >= 0)
        .toArray(),
        Sequences.ofLengths(lengths));
  }

  private static IllegalArgumentException between(int caption, int pad) {
    return new IllegalArgumentException("caption " + caption + " has padding (id " + pad
        + ") between its tokens, expected it behind them");
  }

  /// Attention of all rows, or of some (null: all), to those that they see.
  public Attention attention(int heads, float scale, Ranges seen, int[] rows) {
    if (rows == null) return new Attention(heads, scale, sequences, sequences, seen);
    return new Attention(heads, scale, SelfAttention.picked(sequences, rows), sequences,
        SelfAttention.picked(seen, rows));
  }

  /// Fails where a pad stands between tokens: then a row's number in its caption is not its place.
  public CaptionRows contiguous(int pad) {
    for (int b = 0; b < sequences.count(); b++)
      if (sequences.positions()[sequences.to(b) - 1] != sequences.length(b) - 1) throw between(b, pad);
    return this;
  }
}
