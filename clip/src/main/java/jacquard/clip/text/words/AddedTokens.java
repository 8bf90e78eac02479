package jacquard.clip.text.words;

import jacquard.clip.text.pieces.Ids;
import jacquard.clip.text.pieces.Trie;
import java.util.List;

/// Tokens that stand for themselves wherever a text names them: the leftmost first, of those the longest.
public final class AddedTokens {
  /// @param word not within a word
  /// @param left takes spaces before it along
  /// @param right takes spaces behind it along
  /// @param normalized looked for in the normalised text
  /// @param special a mark, which decoding leaves out
  public record Token(int id, String text, boolean word, boolean left, boolean right, boolean normalized,
      boolean special) {}

  private final List<Token> tokens;
  private final Trie plain = new Trie(), normalized = new Trie();
  private final boolean[] begins = new boolean[1 << 16], beginsNormalized = new boolean[1 << 16];
  private final Normalizer normalizer;

  public AddedTokens(List<Token> tokens, Normalizer normalizer) {
    this.tokens = List.copyOf(tokens);
    this.normalizer = normalizer;
    for (int i = 0; i < tokens.size(); i++) {
      var t = tokens.get(i);
      var text = t.normalized ? normalizer.of(t.text) : t.text;
      if (text.isEmpty()) continue;
      (t.normalized ? normalized : plain).put(text, i);
      (t.normalized ? beginsNormalized : begins)[text.charAt(0)] = true;
    }
  }

  public List<Token> all() { return tokens; }

  public Normalizer normalizer() { return normalizer; }

  /// Takes what lies between tokens, in order; `first` where the whole text begins with it.
  public interface Words { void accept(String text, boolean first); }

  /// Appends the tokens of a text; what lies between goes, normalised, to `words`.
  public void cut(String text, Ids out, Words words) {
    each(text, true, plain, begins, out, (piece, first) -> {
      var s = normalizer.of(piece);
      if (!s.isEmpty()) each(s, first, normalized, beginsNormalized, out, words);
    });
  }

  private void each(String text, boolean first, Trie trie, boolean[] begins, Ids out, Words words) {
    int done = 0;
    for (int i = 0; i < text.length();) {
      int to;
      if (!begins[text.charAt(i)] || (to = trie.longest(text, i)) == i) {
        i++;
        continue;
      }
      int from = i;
      var token = tokens.get(trie.get(text.subSequence(from, to)));
      i = to;
      if (token.word && (from > 0 && Letters.word(text.codePointBefore(from)) || to < text.length()
          && Letters.word(text.codePointAt(to))))
        continue;
      while (token.left && from > done && Letters.space(text.charAt(from - 1))) from--;
      while (token.right && to < text.length() && Letters.space(text.charAt(to))) to++;
      if (from > done) words.accept(text.substring(done, from), first && done == 0);
      out.add(token.id);
      done = to;
      i = Math.max(i, to);
    }
    if (done < text.length()) words.accept(done == 0 ? text : text.substring(done), first && done == 0);
  }

  /// The token of an id, or null.
  public Token of(int id) {
    for (var t : tokens) if (t.id == id) return t;
    return null;
  }
}
