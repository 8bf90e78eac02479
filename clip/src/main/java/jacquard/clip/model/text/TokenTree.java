package jacquard.clip.model.text;

import jacquard.clip.nn.transformer.Sight;
import jacquard.tensor.Sequences;
import jacquard.tensor.op.Ranges;
import java.util.Arrays;
import java.util.HashMap;

/// Captions of a causal tower as the tree of their tokens. What a token becomes follows from those up to it, so that
/// what captions begin with alike is computed once: a caption adds the rows that those before it do not have, and sees
/// all on its way.
///
/// @param ids  the token of each row
/// @param ends the row of each caption's last token
record TokenTree(Sight sight, int[] ids, int[] ends) {
  /// @param lengths how many tokens of each caption are read
  static TokenTree of(int[][] captions, int[] lengths) {
    int most = Arrays.stream(lengths).sum(), count = captions.length, rows = 0, sequences = 0, seen = 0;
    int[] ids = new int[most], places = new int[most], source = new int[most], ends = new int[count];
    int[] firsts = new int[count + 1], keys = new int[count + 1];
    // from a row and the token that follows it to that token's row
    var next = new HashMap<Long, Integer>();
    for (int c = 0; c < count; c++) {
      int before = rows, row = -1;
      for (int p = 0; p < lengths[c]; p++) {
        long step = (long) row << Integer.SIZE | Integer.toUnsignedLong(captions[c][p]);
        Integer known = next.putIfAbsent(step, rows);
        if (known == null) {
          ids[rows] = captions[c][p];
          places[rows++] = p;
        }
        row = known == null ? rows - 1 : known;
        source[seen + p] = row;
      }
      ends[c] = row;
      if (rows == before) continue;
      seen += lengths[c];
      firsts[++sequences] = rows;
      keys[sequences] = seen;
    }
    var own = new Sequences(Arrays.copyOf(firsts, sequences + 1), Arrays.copyOf(places, rows));
    source = Arrays.copyOf(source, seen);
    int[] stand = new int[seen];
    for (int k = 0; k < seen; k++) stand[k] = places[source[k]];
    var all = new Sequences(Arrays.copyOf(keys, sequences + 1), stand);
    return new TokenTree(new Sight(own, all, source, Ranges.causal(own, all)), Arrays.copyOf(ids, rows), ends);
  }
}
