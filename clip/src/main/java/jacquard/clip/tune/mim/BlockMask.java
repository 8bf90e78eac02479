package jacquard.clip.tune.mim;

import jacquard.tensor.Random;

/// Which patches of a picture are hidden, in blocks, as EVA-02 draws them (Fang et al. 2023, after BEiT).
///
/// @param side  patches a side
/// @param count how many are to be hidden; since a block must fit into what is left, it may be a few less
/// @param least patches of a block
public record BlockMask(int side, int count, int least) {
  private static final int TRIES = 10;
  private static final double ASPECT = Math.log(0.3);

  public BlockMask {
    if (side < 1 || count < 0 || count > side * side || least < 1)
      throw new IllegalArgumentException(count + " of " + side + "×" + side + " patches, in blocks of " + least
          + " or more");
  }

  /// Where draws come from.
  public interface Draws {
    double uniform(double from, double to);
    /// From 0 to `largest`, both included.
    int upTo(int largest);

    static Draws of(Random key) {
      int[] at = {0};
      return new Draws() {
        @Override public double uniform(double from, double to) { return from + (to - from) * key.uniform(at[0]++); }
        @Override public int upTo(int largest) { return key.below(at[0]++, largest + 1); }
      };
    }
  }

  /// `[side·side]`, row by row.
  public boolean[] draw(Draws draws) {
    var r = new boolean[side * side];
    for (int hidden = 0; hidden < count; ) {
      int more = block(r, count - hidden, draws);
      if (more == 0) break;
      hidden += more;
    }
    return r;
  }

  /// Hides one more block of at most `left` new patches; returns how many are new, 0 if no try fits.
  private int block(boolean[] mask, int left, Draws draws) {
    for (int t = 0; t < TRIES; t++) {
      double area = draws.uniform(least, left), aspect = Math.exp(draws.uniform(ASPECT, -ASPECT));
      int h = (int) Math.rint(Math.sqrt(area * aspect)), w = (int) Math.rint(Math.sqrt(area / aspect));
      if (w >= side || h >= side) continue;
      int top = draws.upTo(side - h), column = draws.upTo(side - w), fresh = 0;
      for (int y = top; y < top + h; y++) for (int x = column; x < column + w; x++) if (!mask[y * side + x]) fresh++;
      if (fresh == 0 || fresh > left) continue;
      for (int y = top; y < top + h; y++) for (int x = column; x < column + w; x++) mask[y * side + x] = true;
      return fresh;
    }
    return 0;
  }
}
