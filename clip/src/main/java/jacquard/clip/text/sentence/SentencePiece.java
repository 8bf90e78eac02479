package jacquard.clip.text.sentence;

import jacquard.clip.text.sentence.SentencePieceFile.Type;
import jacquard.clip.text.pieces.Ids;
import jacquard.clip.text.pieces.Merges;
import jacquard.clip.text.pieces.Model;
import jacquard.clip.text.pieces.Trie;
import jacquard.clip.text.pieces.Unigrams;
import jacquard.clip.text.pieces.Vocabulary;
import jacquard.clip.text.words.Charsmap;
import jacquard.clip.text.words.Letters;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;

/// A SentencePiece model (Kudo and Richardson 2018), which normalises a text and cuts it as a whole: unigrams or byte
/// pairs. Ids are those of the `sentencepiece` library.
public final class SentencePiece {
  private static final char SPACE = '▁';
  private final SentencePieceFile file;
  private final Charsmap map;
  private final Model model;
  private final Vocabulary vocabulary;
  /// Pieces that the model's maker set: they are never rewritten or cut.
  private final Trie fixed = new Trie();
  private final boolean anyFixed;
  private final int unknown;

  private SentencePiece(Path path, SentencePieceFile file) throws IOException {
    this.file = file;
    var pieces = file.pieces();
    int n = pieces.size(), unknown = -1;
    boolean any = false;
    for (int i = 0; i < n; i++) {
      if (pieces.get(i).type() == Type.USER_DEFINED) {
        fixed.put(pieces.get(i).text(), i);
        any = true;
      }
      if (pieces.get(i).type() == Type.UNKNOWN) unknown = i;
    }
    if (unknown < 0) throw new IOException(path + " has no piece for the unknown");
    anyFixed = any;
    this.unknown = unknown;
    map = file.map().length == 0 ? null : map(path, file.map());
    vocabulary = Vocabulary.of(pieces.stream().map(SentencePieceFile.Piece::text).toArray(String[]::new));
    int[] bytes = file.bytes() ? vocabulary.bytes() : null;
    if (bytes != null && Arrays.stream(bytes).anyMatch(b -> b < 0))
      throw new IOException(path + " falls back to bytes, but lacks pieces for some of them");
    model = switch (file.kind()) {
      case UNIGRAM -> unigrams(file, unknown, bytes);
      case BPE -> new BytePairs(path, bytes);
      default -> throw new IOException(path + " is a model of the kind "
          + file.kind().name().toLowerCase(java.util.Locale.ROOT) + "; known are unigram and bpe");
    };
  }

  private static Charsmap map(Path path, byte[] blob) throws IOException {
    try { return new Charsmap(blob); }
    catch (IOException e) { throw new IOException(path + ": " + e.getMessage(), e); }
  }

  /// @throws IOException naming the file, if it cannot be read
  public static SentencePiece read(Path file) throws IOException {
    return new SentencePiece(file, SentencePieceFile.read(file));
  }

  /// Ids of a text.
  public int[] encode(String text) {
    var ids = new Ids();
    model.encode(normalized(Letters.paired(text)), ids);
    return ids.toArray();
  }

  private static Unigrams unigrams(SentencePieceFile file, int unknown, int[] bytes) {
    int n = file.pieces().size();
    var pieces = new String[n];
    var scores = new double[n];
    float lowest = Float.MAX_VALUE, highest = -Float.MAX_VALUE;
    for (var p : file.pieces())
      if (p.type() == Type.NORMAL) {
        lowest = Math.min(lowest, p.score());
        highest = Math.max(highest, p.score());
      }
    for (int i = 0; i < n; i++) {
      var p = file.pieces().get(i);
      if (p.type() != Type.NORMAL && p.type() != Type.USER_DEFINED) continue;
      pieces[i] = p.text();
      scores[i] = p.type() == Type.NORMAL ? p.score()
          : p.text().getBytes(StandardCharsets.UTF_8).length * highest - 0.1;
    }
    return new Unigrams(pieces, scores, lowest, unknown, bytes, true);
  }

  /// What the model sees of a text.
  public String normalized(String text) {
    var r = new StringBuilder(text.length() + 8);
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    var spaces = new Spaces(r);
    int at = 0;
    if (anyFixed)
      for (int i = 0, byteAt = 0; i < text.length();) { // what is fixed goes past the map
        int end = fixed.longest(text, i);
        if (end == i) {
          int c = text.codePointAt(i);
          i += Character.charCount(c);
          byteAt += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
          continue;
        }
        mapped(utf8, at, byteAt, spaces);
        var piece = text.substring(i, end);
        spaces.add(piece);
        byteAt += piece.getBytes(StandardCharsets.UTF_8).length;
        at = byteAt;
        i = end;
      }
    mapped(utf8, at, utf8.length, spaces);
    return spaces.end();
  }

  private void mapped(byte[] utf8, int from, int to, Spaces out) {
    if (map != null) map.longest(utf8, from, to, out::add);
    else if (to > from)
      new String(utf8, from, to - from, StandardCharsets.UTF_8).codePoints()
          .forEach(c -> out.add(Character.toString(c)));
  }

  /// Spaces at the ends and in a row go, where the model says so; one is put before the text; all become marks.
  private final class Spaces {
    private final StringBuilder out;
    private boolean begun, afterSpace = file.oneSpace();

    private Spaces(StringBuilder out) { this.out = out; }

    private void add(String piece) {
      if (!begun) {
        if (file.oneSpace() && piece.equals(" ")) return;
        begun = true;
        if (file.spaceBefore() && !file.spaceBehind()) space();
      }
      int from = 0;
      while (afterSpace && from < piece.length() && piece.charAt(from) == ' ') from++;
      for (int i = from; i < piece.length(); i++)
        if (piece.charAt(i) == ' ') space();
        else out.append(piece.charAt(i));
      if (from < piece.length()) afterSpace = piece.endsWith(" ");
      if (!file.oneSpace()) afterSpace = false;
    }

    private void space() { out.append(file.marks() ? SPACE : ' '); }

    private String end() {
      if (!begun) return "";
      char space = file.marks() ? SPACE : ' ';
      if (file.oneSpace())
        while (!out.isEmpty() && out.charAt(out.length() - 1) == space) out.setLength(out.length() - 1);
      if (file.spaceBefore() && file.spaceBehind()) space();
      return out.toString();
    }
  }

  /// Byte pairs by score: of all neighbours that are a piece together, those of the highest score are joined first,
  /// then the leftmost.
  private final class BytePairs implements Model {
    private final Merges merges = new Merges();
    private final HashMap<Integer, Integer> characters = new HashMap<>();
    /// Characters that are part of a piece, but none: their ids follow the vocabulary's.
    private final Ids parts = new Ids();
    private final int[] bytes;

    private BytePairs(Path path, int[] bytes) throws IOException {
      this.bytes = bytes;
      var pieces = file.pieces();
      var ids = HashMap.<String, Integer>newHashMap(pieces.size());
      for (int i = 0; i < pieces.size(); i++) {
        var p = pieces.get(i);
        if (p.type() == Type.UNUSED)
          throw new IOException(path + " has unused pieces among its byte pairs, which is not built in: " + p.text());
        if (p.type() == Type.NORMAL || p.type() == Type.USER_DEFINED) ids.put(p.text(), i);
      }
      for (var p : pieces)
        if (p.type() == Type.NORMAL || p.type() == Type.USER_DEFINED)
          for (int i = 0, c; i < p.text().length(); i += Character.charCount(c)) {
            c = p.text().codePointAt(i);
            if (characters.containsKey(c)) continue;
            if (ids.putIfAbsent(Character.toString(c), pieces.size() + parts.size()) == null) parts.add(c);
            characters.put(c, ids.get(Character.toString(c)));
          }
      double[] scores = pieces.stream().mapToDouble(p -> -p.score()).sorted().distinct().toArray();
      for (int i = 0; i < pieces.size(); i++) {
        var p = pieces.get(i);
        if (p.type() != Type.NORMAL && p.type() != Type.USER_DEFINED) continue;
        int rank = Arrays.binarySearch(scores, -p.score());
        for (int at = 1; at < p.text().length(); at++) {
          if (Character.isLowSurrogate(p.text().charAt(at))) continue;
          Integer left = ids.get(p.text().substring(0, at)), right = left == null ? null
              : ids.get(p.text().substring(at));
          if (right != null) merges.put(left, right, rank, i);
        }
      }
    }

    @Override public void encode(String text, Ids out) {
      int[] ids = new int[text.length()];
      int n = 0, size = vocabulary.size(), none = Integer.MIN_VALUE;
      for (int i = 0, end; i < text.length(); i = end) {
        end = anyFixed ? fixed.longest(text, i) : i;
        if (end > i) ids[n++] = -1 - fixed.get(text.subSequence(i, end)); // negative: never merged
        else {
          int c = text.codePointAt(i);
          ids[n++] = characters.getOrDefault(c, none + c);
          end = i + Character.charCount(c);
        }
      }
      n = merges.apply(ids, n);
      boolean before = false;
      for (int i = 0; i < n; i++) {
        int id = ids[i] < 0 && ids[i] > none + Character.MAX_CODE_POINT ? -1 - ids[i] : ids[i];
        boolean known = id >= 0 && id < size;
        if (known) out.add(id);
        else if (bytes != null)
          for (byte b : Character.toString(id < 0 ? id - none : parts.get(id - size)).getBytes(StandardCharsets.UTF_8))
            out.add(bytes[b & 255]);
        else if (!before) out.add(unknown);
        before = !known;
      }
    }
  }
}
