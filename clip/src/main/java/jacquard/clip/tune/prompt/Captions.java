package jacquard.clip.tune.prompt;

import jacquard.clip.text.Tokenizer;
import java.util.Arrays;
import java.util.List;

/// The captions of some names around `vectors` places that a prompt fills: tokens below zero stand for its vectors.
///
/// @param ids     `[names][context]`: start, places, name, full stop, end
/// @param lengths tokens of each name
/// @param vectors how many places follow the start
public record Captions(int[][] ids, int[] lengths, int vectors) {
  /// Where the name stands.
  public enum Position {
    /// v₁ … v_M name.
    END,
    /// v₁ … v_{M/2} name v_{M/2+1} … v_M.
    MIDDLE,
    /// name v₁ … v_M.
    FRONT
  }

  /// @param before what stands before each name: as many tokens as there are vectors, or more
  /// @throws IllegalArgumentException if a caption is longer than the context
  public static Captions of(Tokenizer tokenizer, int context, String before, int vectors, List<String> names) {
    int[][] ids = new int[names.size()][];
    int[] lengths = new int[names.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = tokenizer.tokenize(before + names.get(i) + ".", context);
      lengths[i] = tokenizer.unpadded(names.get(i), context).length - 2;
      int all = tokenizer.unpadded(before + names.get(i) + ".", context + 1).length;
      if (all > context)
        throw new IllegalArgumentException("\"" + before + names.get(i) + ".\" has " + all + " tokens, the model takes "
            + context + "; use fewer vectors");
    }
    return new Captions(ids, lengths, vectors);
  }

  /// With the places as tokens −1 … −M, and those of caption i `i·shift` further.
  int[][] placed(Position position, int shift) {
    int[][] r = new int[ids.length][];
    for (int i = 0; i < r.length; i++) {
      r[i] = ids[i].clone();
      int first = switch (position) { case END -> vectors; case MIDDLE -> vectors / 2; case FRONT -> 0; }, at = 1;
      for (int v = 0; v < first; v++) r[i][at++] = -1 - i * shift - v;
      for (int n = 0; n < (position == Position.END ? 0 : lengths[i]); n++) r[i][at++] = ids[i][1 + vectors + n];
      for (int v = first; v < vectors; v++) r[i][at++] = -1 - i * shift - v;
    }
    return r;
  }

  /// The tokens of some places of the first caption, as a prompt may begin with them.
  public int[] words(int count) { return Arrays.copyOfRange(ids[0], 1, 1 + count); }
}
