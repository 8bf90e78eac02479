package jacquard.clip.text.hub;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/// How ids become a row of a context: marks before and behind, the text cut between them, padding.
///
/// @param left the text's beginning is cut, not its end
/// @param padLeft padding goes before
record Cut(int[] before, int[] behind, int pad, boolean left, boolean padLeft, AtomicLong count) {
  private static final System.Logger LOG = System.getLogger(Cut.class.getName());

  Cut(int[] before, int[] behind, int pad, boolean left, boolean padLeft) {
    this(before, behind, pad, left, padLeft, new AtomicLong());
  }

  int[] row(int[] ids, int context) {
    int room = context - before.length - behind.length;
    if (room < 0)
      throw new IllegalArgumentException("a context of " + context + " tokens, expected at least "
          + (before.length + behind.length) + " for the marks of start and end");
    int n = Math.min(ids.length, room);
    if (n < ids.length && count.getAndIncrement() == 0)
      LOG.log(System.Logger.Level.WARNING, "a caption of {0} tokens was cut to {1}; further ones are only counted",
          ids.length + before.length + behind.length, context);
    int[] r = new int[before.length + n + behind.length];
    System.arraycopy(before, 0, r, 0, before.length);
    System.arraycopy(ids, left ? ids.length - n : 0, r, before.length, n);
    System.arraycopy(behind, 0, r, before.length + n, behind.length);
    return r;
  }

  int[] padded(int[] row, int context) {
    if (row.length == context) return row;
    int[] r = new int[context];
    Arrays.fill(r, pad);
    System.arraycopy(row, 0, r, padLeft ? context - row.length : 0, row.length);
    return r;
  }
}
