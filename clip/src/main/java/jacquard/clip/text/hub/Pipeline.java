package jacquard.clip.text.hub;

import jacquard.clip.text.pieces.Ids;
import jacquard.clip.text.pieces.Model;
import jacquard.clip.text.pieces.Vocabulary;
import jacquard.clip.text.words.AddedTokens;
import jacquard.clip.text.words.Decoder;
import jacquard.clip.text.words.Letters;
import jacquard.clip.text.words.PreTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// What a `tokenizer.json` describes: added tokens are cut out, the rest is normalised, cut into words, and the words
/// into pieces; marks go before and behind.
///
/// @param before ids before a text
/// @param behind ids behind it
record Pipeline(AddedTokens added, PreTokenizer words, Model model, Vocabulary vocabulary, Decoder decoder,
    int[] before, int[] behind, Map<String, int[]> known) {
  private static final int CACHED = 1 << 16, SHORT = 64;

  Pipeline(AddedTokens added, PreTokenizer words, Model model, Vocabulary vocabulary, Decoder decoder, int[] before,
      int[] behind) {
    this(added, words, model, vocabulary, decoder, before, behind, new ConcurrentHashMap<>());
  }

  /// The same with other marks.
  Pipeline marked(int[] before, int[] behind) {
    return new Pipeline(added, words, model, vocabulary, decoder, before, behind, known);
  }

  /// The same with other added tokens.
  Pipeline adding(List<AddedTokens.Token> tokens) {
    return new Pipeline(new AddedTokens(tokens, added.normalizer()), words, model, vocabulary, decoder, before, behind,
        known);
  }

  /// Ids of a text without marks. Surrogates without their other half are U+FFFD.
  int[] encode(String text) {
    var ids = new Ids();
    added.cut(Letters.paired(text), ids, (piece, first) -> words.split(piece, first, (word, _) -> pieces(word, ids)));
    return ids.toArray();
  }

  private void pieces(String word, Ids out) {
    if (word.length() >= SHORT) {
      model.encode(word, out);
      return;
    }
    int[] ids = known.get(word);
    if (ids == null) {
      int from = out.size();
      model.encode(word, out);
      if (known.size() < CACHED) known.put(word, out.from(from));
    } else out.add(ids);
  }

  /// The id of a token, an added one or a piece; −1 for none.
  int id(String token) {
    for (var t : added.all()) if (t.text().equals(token)) return t.id();
    return vocabulary.id(token);
  }

  /// One more than the highest id.
  int size() { return Math.max(vocabulary.size(), added.all().stream().mapToInt(t -> t.id() + 1).max().orElse(0)); }

  String decode(int[] ids) {
    var tokens = new ArrayList<String>(ids.length);
    var text = new StringBuilder();
    for (int id : ids) {
      var special = added.of(id);
      var piece = special == null ? vocabulary.piece(id) : null;
      if (special == null && piece == null)
        throw new IllegalArgumentException("token " + id + ", which the vocabulary of " + size() + " has not");
      if (special == null) tokens.add(piece);
      else {
        text.append(decoder.text(tokens)).append(special.text());
        tokens.clear();
      }
    }
    return text.append(decoder.text(tokens)).toString();
  }

  /// Joins two lists of ids.
  static int[] joined(int[] a, int[] b) {
    int[] r = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, r, a.length, b.length);
    return r;
  }

  static int[] ids(List<Integer> ids) { return ids.stream().mapToInt(i -> i).toArray(); }
}
