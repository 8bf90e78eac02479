package jacquard.clip.text.pieces;

/// Word pieces (BERT): the longest piece from the left, again and again; a word that cannot be cut so is unknown as a
/// whole.
public final class WordPieces implements Model {
  private final Trie first = new Trie(), further = new Trie();
  private final int unknown, longest;

  /// @param unknown the id of a word that has no pieces
  /// @param prefix what pieces within a word begin with
  /// @param longest code points of the longest word that is cut
  public WordPieces(Vocabulary vocabulary, int unknown, String prefix, int longest) {
    for (int id = 0; id < vocabulary.size(); id++) {
      var piece = vocabulary.piece(id);
      if (piece == null || piece.isEmpty()) continue;
      first.put(piece, id);
      if (piece.startsWith(prefix) && piece.length() > prefix.length())
        further.put(piece.substring(prefix.length()), id);
    }
    this.unknown = unknown;
    this.longest = longest;
  }

  @Override public void encode(String word, Ids out) {
    if (word.isEmpty()) return;
    if (word.length() > longest && word.codePointCount(0, word.length()) > longest) {
      out.add(unknown);
      return;
    }
    int[] ids = new int[word.length()];
    int n = 0;
    for (int at = 0; at < word.length();) {
      var trie = at == 0 ? first : further;
      int end = at, id = -1;
      for (int i = at, node = Trie.ROOT; i < word.length() && (node = trie.child(node, word.charAt(i))) >= 0;) {
        i++;
        if (trie.value(node) >= 0) {
          end = i;
          id = trie.value(node);
        }
      }
      if (id < 0) {
        out.add(unknown);
        return;
      }
      ids[n++] = id;
      at = end;
    }
    for (int i = 0; i < n; i++) out.add(ids[i]);
  }
}
