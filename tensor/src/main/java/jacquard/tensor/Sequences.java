package jacquard.tensor;

import java.util.Arrays;

/// A batch of sequences as one matrix of rows: sequence `s` has rows `offsets[s] … offsets[s+1]−1`, and each row knows
/// its position.
///
/// @param offsets   `[count + 1]`, ascending from 0
/// @param positions `[rows]`: where the row stood in its full sequence (a dropped patch leaves a gap)
public record Sequences(int[] offsets, int[] positions) {
  public Sequences {
    if (offsets.length == 0 || offsets[0] != 0)
      throw new IllegalArgumentException("offsets of sequences start with 0, not " + Arrays.toString(offsets));
    for (int s = 1; s < offsets.length; s++)
      if (offsets[s] < offsets[s - 1])
        throw new IllegalArgumentException("offsets of sequences ascend; number " + s + " is " + offsets[s] + " after "
            + offsets[s - 1]);
    if (positions.length != offsets[offsets.length - 1])
      throw new IllegalArgumentException(positions.length + " positions for " + offsets[offsets.length - 1] + " rows");
  }

  /// Sequences of these lengths, positions from 0.
  public static Sequences ofLengths(int... lengths) {
    int[] o = new int[lengths.length + 1];
    for (int s = 0; s < lengths.length; s++) o[s + 1] = o[s] + lengths[s];
    int[] p = new int[o[lengths.length]];
    for (int s = 0; s < lengths.length; s++) for (int i = 0; i < lengths[s]; i++) p[o[s] + i] = i;
    return new Sequences(o, p);
  }

  /// `count` sequences of one length.
  public static Sequences equal(int count, int length) {
    int[] l = new int[count];
    Arrays.fill(l, length);
    return ofLengths(l);
  }

  public int count() { return offsets.length - 1; }
  public int rows() { return offsets[offsets.length - 1]; }
  public int from(int sequence) { return offsets[sequence]; }
  public int to(int sequence) { return offsets[sequence + 1]; }
  public int length(int sequence) { return offsets[sequence + 1] - offsets[sequence]; }

  public int longest() {
    int m = 0;
    for (int s = 0; s < count(); s++) m = Math.max(m, length(s));
    return m;
  }

  /// For each row the number of its sequence. `[rows]`
  public int[] owners() {
    int[] r = new int[rows()];
    for (int s = 0; s < count(); s++) Arrays.fill(r, from(s), to(s), s);
    return r;
  }

  @Override public boolean equals(Object o) {
    return o instanceof Sequences s && Arrays.equals(offsets, s.offsets) && Arrays.equals(positions, s.positions);
  }
  @Override public int hashCode() { return 31 * Arrays.hashCode(offsets) + Arrays.hashCode(positions); }
  @Override public String toString() { return count() + " sequences, " + rows() + " rows"; }
}
