package jacquard.clip.text.pieces;

/// Cuts a word into pieces of a vocabulary.
public interface Model {
  /// Appends the ids of a word, whose surrogates are paired.
  void encode(String word, Ids out);
}
