package jacquard.clip.text.pieces;

import java.nio.charset.StandardCharsets;

/// Pieces of a unigram language model (Kudo 2018): the cut of the highest sum of scores, by Viterbi's search; of equal
/// sums the one found first. Time is in proportion to the text's length times the longest piece.
public final class Unigrams implements Model {
  private static final double PENALTY = 10;

  private final Trie trie = new Trie();
  private final double[] scores;
  private final double unknownScore;
  private final int unknown;
  private final int[] bytes;
  private final boolean single;

  /// @param pieces null where a piece takes no part
  /// @param scores logarithms of probabilities
  /// @param lowest the lowest score that counts: a character without a piece has 10 less
  /// @param unknown the id of characters without a piece, as many as follow each other
  /// @param bytes ids of the 256 bytes that stand for them instead, or null
  /// @param single sums are made in single precision, as SentencePiece does: more of them are equal
  public Unigrams(String[] pieces, double[] scores, double lowest, int unknown, int[] bytes, boolean single) {
    for (int id = 0; id < pieces.length; id++)
      if (pieces[id] != null && !pieces[id].isEmpty()) trie.put(pieces[id], id);
    this.scores = scores;
    this.unknown = unknown;
    this.bytes = bytes;
    this.single = single;
    unknownScore = single ? (float) lowest - (float) PENALTY : lowest - PENALTY;
  }

  @Override public void encode(String text, Ids out) {
    int n = text.length();
    double[] best = new double[n + 1];
    int[] from = new int[n + 1], ids = new int[n + 1]; // from counts from 1: 0 where nothing ends
    for (int at = 0, length; at < n; at += length) {
      length = Character.isHighSurrogate(text.charAt(at)) ? 2 : 1;
      boolean character = false;
      double here = best[at];
      for (int i = at, node = Trie.ROOT; i < n && (node = trie.child(node, text.charAt(i))) >= 0;) {
        i++;
        int id = trie.value(node);
        if (id < 0) continue;
        double score = single ? (float) (here + scores[id]) : here + scores[id];
        if (from[i] == 0 || score > best[i]) {
          best[i] = score;
          from[i] = at + 1;
          ids[i] = id;
        }
        character |= i == at + length;
      }
      if (character) continue;
      int end = at + length;
      double score = single ? (float) (here + unknownScore) : here + unknownScore;
      if (from[end] == 0 || score > best[end]) {
        best[end] = score;
        from[end] = at + 1;
        ids[end] = -1;
      }
    }
    int kept = 0;
    for (int end = n; end > 0; end = from[end] - 1) best[n - kept++] = end; // the ends of the pieces, from the last on
    boolean before = false;
    for (int i = n - kept + 1; i <= n; i++) {
      int end = (int) best[i], id = ids[end];
      boolean known = id >= 0 && id != unknown, spelt = !known && bytes != null
          && fallBack(text, from[end] - 1, end, out);
      if (known) out.add(id);
      else if (!spelt && !before) out.add(unknown);
      before = !known && !spelt;
    }
  }

  private boolean fallBack(String text, int from, int to, Ids out) {
    byte[] utf8 = text.substring(from, to).getBytes(StandardCharsets.UTF_8);
    for (byte b : utf8) if (bytes[b & 255] < 0) return false;
    for (byte b : utf8) out.add(bytes[b & 255]);
    return true;
  }
}
