package jacquard.clip.text.pieces;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// Pieces and their ids. An id without a piece is a gap.
public final class Vocabulary {
  private final Map<String, Integer> ids;
  private final String[] pieces;

  /// @param ids distinct, below `size`
  public Vocabulary(Map<String, Integer> ids, int size) {
    this.ids = ids;
    pieces = new String[size];
    ids.forEach((piece, id) -> pieces[id] = piece);
  }

  /// Pieces in the order of their ids; of two that are equal the later one is found.
  public static Vocabulary of(String[] pieces) {
    var ids = HashMap.<String, Integer>newHashMap(pieces.length);
    for (int i = 0; i < pieces.length; i++) ids.put(pieces[i], i);
    var r = new Vocabulary(ids, pieces.length);
    System.arraycopy(pieces, 0, r.pieces, 0, pieces.length);
    return r;
  }

  public int size() { return pieces.length; }

  /// A piece's id, or −1.
  public int id(String piece) { return piece == null ? -1 : ids.getOrDefault(piece, -1); }

  /// An id's piece, or null.
  public String piece(int id) { return id < 0 || id >= pieces.length ? null : pieces[id]; }

  /// The ids of `<0x00>` … `<0xFF>`, −1 where missing.
  public int[] bytes() {
    int[] r = new int[256];
    Arrays.setAll(r, b -> id("<0x%02X>".formatted(b)));
    return r;
  }
}
