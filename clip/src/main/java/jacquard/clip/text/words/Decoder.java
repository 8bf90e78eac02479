package jacquard.clip.text.words;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/// Pieces back to text: each step rewrites the list, and what is left is joined.
public interface Decoder {
  List<String> step(List<String> pieces);

  default String text(List<String> pieces) { return pieces.isEmpty() ? "" : String.join("", step(pieces)); }

  /// Pieces with spaces between.
  Decoder SPACED = pieces -> List.of(String.join(" ", pieces));
  /// All in one piece.
  Decoder FUSE = pieces -> List.of(String.join("", pieces));
  /// Letters that stand for bytes.
  Decoder BYTE_LEVEL = pieces -> List.of(bytes(String.join("", pieces)));
  /// `<0x41>` and its like become the characters that they spell.
  Decoder BYTE_FALLBACK = Decoder::spelt;

  static Decoder each(UnaryOperator<String> change) { return pieces -> pieces.stream().map(change).toList(); }

  static Decoder all(List<Decoder> steps) {
    return pieces -> {
      for (var s : steps) pieces = s.step(pieces);
      return pieces;
    };
  }

  /// WordPiece: pieces that begin with the prefix go on with the word before.
  static Decoder wordPieces(String prefix, boolean tidy) {
    return pieces -> {
      var r = new ArrayList<String>();
      for (var p : pieces) {
        var s = r.isEmpty() ? p : p.startsWith(prefix) ? p.substring(prefix.length()) : " " + p;
        r.add(tidy ? s.replace(" .", ".").replace(" ?", "?").replace(" !", "!").replace(" ,", ",").replace(" ' ",
            "'").replace(" n't", "n't").replace(" 'm", "'m")
            .replace(" do not", " don't").replace(" 's", "'s").replace(" 've", "'ve").replace(" 're", "'re") : s);
      }
      return r;
    };
  }

  /// Marks become spaces, but for the one that was put before the text.
  static Decoder metaspace(char mark, boolean prepended) {
    return pieces -> {
      var r = new ArrayList<String>();
      for (var p : pieces)
        r.add((r.isEmpty() && prepended && p.indexOf(mark) == 0 ? p.substring(1) : p).replace(mark, ' '));
      return r;
    };
  }

  private static String bytes(String letters) {
    var out = new ByteArrayOutputStream();
    letters.codePoints().forEach(c -> {
      int b = c < 1 << 16 ? Letters.toByte((char) c) : -1;
      if (b >= 0) out.write(b);
      else out.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
    });
    return out.toString(StandardCharsets.UTF_8);
  }

  private static List<String> spelt(List<String> pieces) {
    var r = new ArrayList<String>();
    var held = new ByteArrayOutputStream();
    for (var p : pieces) {
      int b = value(p);
      if (b >= 0) held.write(b);
      else {
        flush(held, r);
        r.add(p);
      }
    }
    flush(held, r);
    return r;
  }

  private static void flush(ByteArrayOutputStream held, List<String> out) {
    if (held.size() > 0) out.add(held.toString(StandardCharsets.UTF_8));
    held.reset();
  }

  /// The byte of `<0xXX>`, or −1.
  static int value(String piece) {
    if (piece.length() != 6 || !piece.startsWith("<0x") || piece.charAt(5) != '>') return -1;
    int high = Character.digit(piece.charAt(3), 16), low = Character.digit(piece.charAt(4), 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }
}
