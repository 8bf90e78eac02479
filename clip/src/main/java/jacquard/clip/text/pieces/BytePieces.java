package jacquard.clip.text.pieces;

import java.util.Arrays;

/// Byte pairs as the `tokenizers` library applies them (Sennrich et al. 2016): a word's characters, merged by rank.
public final class BytePieces implements Model {
  /// What a `tokenizer.json` says of its BPE model.
  ///
  /// @param unknown the piece of a character that the vocabulary has not, or null: such a character is left out
  /// @param prefix before every character but a word's first
  /// @param suffix behind a word's last character
  /// @param fuse unknown characters in a row are one piece
  /// @param bytes an unknown character becomes the pieces `<0x00>` … of its UTF-8 bytes, where all are there
  /// @param whole a word that is a piece is that piece, whatever the merges say
  public record Options(String unknown, String prefix, String suffix, boolean fuse, boolean bytes, boolean whole) {}

  private final Vocabulary vocabulary;
  private final Merges merges;
  private final Options options;
  private final int unknown;
  private final int[] bytes;
  /// Ids of characters in the middle of a word, −1 for none.
  private final int[] ofCharacter;

  public BytePieces(Vocabulary vocabulary, Merges merges, Options options) {
    this.vocabulary = vocabulary;
    this.merges = merges;
    this.options = options;
    unknown = vocabulary.id(options.unknown);
    if (options.unknown != null && unknown < 0)
      throw new IllegalArgumentException("unk_token is " + options.unknown + ", which the vocabulary has not");
    bytes = options.bytes ? vocabulary.bytes() : null;
    ofCharacter = new int[1 << 16];
    Arrays.setAll(ofCharacter, c -> Character.isSurrogate((char) c) ? -1 : vocabulary.id(options.prefix + (char) c));
  }

  @Override public void encode(String word, Ids out) {
    if (word.isEmpty()) return;
    if (options.whole) {
      int id = vocabulary.id(word);
      if (id >= 0) {
        out.add(id);
        return;
      }
    }
    var symbols = new Symbols(word.length());
    boolean plain = options.prefix.isEmpty() && options.suffix.isEmpty();
    for (int i = 0, c; i < word.length(); i += Character.charCount(c)) {
      c = word.codePointAt(i);
      boolean last = i + Character.charCount(c) == word.length();
      int id = c < 1 << 16 && (plain || i > 0 && !last) ? ofCharacter[c]
          : vocabulary.id((i == 0 ? "" : options.prefix) + Character.toString(c) + (last ? options.suffix : ""));
      if (id >= 0) {
        symbols.flush();
        symbols.add(id);
      } else if (!symbols.bytes(c)) symbols.unknown();
    }
    symbols.flush();
    int n = merges.apply(symbols.ids, symbols.size);
    for (int i = 0; i < n; i++) out.add(symbols.ids[i]);
  }

  /// A word's characters. An unknown one is held back until a known one comes, as the library does.
  private final class Symbols {
    private int[] ids;
    private int size;
    private boolean held;

    private Symbols(int length) { ids = new int[length]; }

    private void add(int id) {
      if (size == ids.length) ids = Arrays.copyOf(ids, 2 * size + 4);
      ids[size++] = id;
    }

    private void flush() {
      if (held) add(unknown);
      held = false;
    }

    private void unknown() {
      if (unknown < 0) return;
      if (!options.fuse) flush();
      held = true;
    }

    private boolean bytes(int c) {
      if (bytes == null) return false;
      byte[] utf8 = Character.toString(c).getBytes(java.nio.charset.StandardCharsets.UTF_8);
      for (byte b : utf8) if (bytes[b & 255] < 0) return false;
      for (byte b : utf8) add(bytes[b & 255]);
      return true;
    }
  }
}
