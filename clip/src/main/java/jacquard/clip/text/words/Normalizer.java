package jacquard.clip.text.words;

import java.text.Normalizer.Form;
import java.util.List;
import java.util.function.IntPredicate;

/// Rewrites a text before it is cut into words.
public interface Normalizer {
  String of(String text);

  Normalizer NONE = text -> text;
  /// Small letters, a code point at a time: no final sigma.
  Normalizer LOWERCASE = Normalizer::lowercase;
  /// Without marks, as far as the text's form shows them.
  Normalizer STRIP_ACCENTS = text -> without(text, OlderUnicode::mark);
  Normalizer BYTES = Letters::bytes;
  /// SentencePiece's nmt rule: control characters go, odd spaces are spaces.
  Normalizer NMT = Normalizer::nmt;

  static Normalizer form(Form form) { return text -> OlderUnicode.normal(text, form); }

  static Normalizer all(List<Normalizer> parts) {
    return text -> {
      for (var p : parts) text = p.of(text);
      return text;
    };
  }

  static Normalizer strip(boolean left, boolean right) {
    return text -> {
      int from = 0, to = text.length();
      while (left && from < to && Letters.space(text.charAt(from))) from++;
      while (right && to > from && Letters.space(text.charAt(to - 1))) to--;
      return text.substring(from, to);
    };
  }

  static Normalizer prepend(String prefix) { return text -> text.isEmpty() ? text : prefix + text; }

  private static boolean ascii(String text) {
    for (int i = 0; i < text.length(); i++) if (text.charAt(i) >= 0x80) return false;
    return true;
  }

  private static String lowercase(String text) {
    int i = 0;
    while (i < text.length() && text.charAt(i) < 0x80 && !(text.charAt(i) >= 'A' && text.charAt(i) <= 'Z')) i++;
    if (i == text.length()) return text;
    var r = new StringBuilder(text.length() + 8).append(text, 0, i);
    for (int c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      if (c == 'İ') r.append("i\u0307");
      else r.appendCodePoint(Character.toLowerCase(c));
    }
    return r.toString();
  }

  private static String without(String text, IntPredicate characters) {
    if (ascii(text)) return text;
    var r = new StringBuilder(text.length());
    text.codePoints().filter(characters.negate()).forEach(r::appendCodePoint);
    return r.toString();
  }

  private static String nmt(String text) {
    var r = new StringBuilder(text.length());
    text.codePoints().forEach(c -> {
      boolean gone = c >= 1 && c <= 8 || c == 0xb || c >= 0xe && c <= 0x1f || c == 0x7f || c == 0x8f || c == 0x9f;
      boolean space = c == 9 || c == 0xa || c == 0xc || c == 0xd || c == 0x1680 || c >= 0x200b && c <= 0x200f
          || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xfeff || c == 0xfffd;
      if (!gone) r.appendCodePoint(space ? ' ' : c);
    });
    return r.toString();
  }

  /// BERT's: control characters go, Chinese characters stand alone, accents go, letters are small; each if asked for.
  record Bert(boolean clean, boolean chinese, boolean accents, boolean small) implements Normalizer {
    @Override public String of(String text) {
      var s = text;
      if (clean || chinese) {
        var r = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
          if (clean && (c == 0 || c == 0xfffd || OlderUnicode.control(c))) return;
          if (clean && Letters.space(c)) r.append(' ');
          else if (chinese && ideograph(c)) r.append(' ').appendCodePoint(c).append(' ');
          else r.appendCodePoint(c);
        });
        s = r.toString();
      }
      if (accents) s = without(OlderUnicode.normal(s, Form.NFD), OlderUnicode::nonSpacing);
      return small ? lowercase(s) : s;
    }

    private static boolean ideograph(int c) {
      return c >= 0x3400 && (c >= 0x4e00 && c <= 0x9fff || c <= 0x4dbf || c >= 0x20000 && c <= 0x2a6df || c >= 0x2a700
          && c <= 0x2b73f || c >= 0x2b740 && c <= 0x2b81f
          || c >= 0x2b920 && c <= 0x2ceaf || c >= 0xf900 && c <= 0xfaff || c >= 0x2f800 && c <= 0x2fa1f);
    }
  }
}
