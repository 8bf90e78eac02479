package jacquard.clip.tune.learned;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;

/// What stands around a name in a prompted caption: start, vectors, `before`, the name, `behind`, end.
///
/// @param before,behind tokens
public record PromptWords(int[] before, int[] behind) {
  ObjectNode settings() {
    var r = new ObjectMapper().createObjectNode();
    var first = r.putArray("before");
    for (int w : before) first.add(w);
    var last = r.putArray("behind");
    for (int w : behind) last.add(w);
    return r;
  }

  /// Captions with a prompt's vectors as tokens −1 … −M before them. A name too long for the context is cut.
  ///
  /// @param captions padded tokens, the end of each its first largest
  /// @throws IllegalArgumentException if the context has no room for a name
  int[][] around(int[][] captions, int vectors) {
    int[][] r = new int[captions.length][];
    for (int c = 0; c < r.length; c++) {
      int[] ids = captions[c];
      int end = 0, at = 1;
      for (int i = 1; i < ids.length; i++) if (ids[i] > ids[end]) end = i;
      int room = ids.length - 2 - vectors - before.length - behind.length, name = Math.min(room, end - 1);
      if (room < 1)
        throw new IllegalArgumentException("a prompt of " + vectors + " vectors and " + (before.length + behind.length)
            + " words leaves no room for a name in " + ids.length + " tokens; use fewer vectors");
      r[c] = new int[ids.length];
      Arrays.fill(r[c], end + 1 < ids.length ? ids[ids.length - 1] : 0);
      r[c][0] = ids[0];
      for (int v = 0; v < vectors; v++) r[c][at++] = -1 - v;
      for (int w : before) r[c][at++] = w;
      for (int i = 0; i < name; i++) r[c][at++] = ids[1 + i];
      for (int w : behind) r[c][at++] = w;
      r[c][at] = ids[end];
    }
    return r;
  }
}
