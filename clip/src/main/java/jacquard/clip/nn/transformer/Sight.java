package jacquard.clip.nn.transformer;

import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;

/// Which rows a transformer computes, and which of them each row sees.
///
/// @param rows   the rows, each in one sequence
/// @param keys   what the rows of each of these sequences can see
/// @param source the row that each key is made of, several keys perhaps of one; null: the keys are the rows
/// @param ranges of keys, one a row
public record Sight(Sequences rows, Sequences keys, int[] source, Ranges ranges) {
  public Sight(Sequences rows, Ranges ranges) { this(rows, rows, null, ranges); }

  /// Each row sees all of its sequence.
  public static Sight full(Sequences s) { return new Sight(s, Ranges.full(s, s)); }

  /// Each row sees those of its sequence up to itself.
  public static Sight causal(Sequences s) { return new Sight(s, Ranges.causal(s, s)); }

  /// What some rows (null: all) find, of keys and values of all rows.
  Tensor attend(int heads, float scale, int[] some, Tensor q, Tensor k, Tensor v) {
    var op = some == null ? new Attention(heads, scale, rows, keys, ranges)
        : new Attention(heads, scale, SelfAttention.picked(rows, some), keys, SelfAttention.picked(ranges, some));
    return Tensor.apply(op, q, source == null ? k : k.gather(source), source == null ? v : v.gather(source));
  }
}
