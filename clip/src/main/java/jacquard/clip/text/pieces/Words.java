package jacquard.clip.text.pieces;

/// Whole words alone.
///
/// @param unknown the id of any other, or −1: it is left out
public record Words(Vocabulary vocabulary, int unknown) implements Model {
  @Override public void encode(String word, Ids out) {
    int id = vocabulary.id(word);
    if (id < 0) id = unknown;
    if (id >= 0) out.add(id);
  }
}
