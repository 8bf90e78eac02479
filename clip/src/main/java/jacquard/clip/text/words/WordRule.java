package jacquard.clip.text.words;

import java.util.Map;

/// The regular expressions that cut a text into words before byte pairs, as a hand-written scanner each: linear, and
/// never deep. They differ in a few points.
///
/// @param anyCase contractions in capitals too
/// @param lead any one character but a line end, letter or number goes with the letters behind it, else only a space
/// @param digits digits in a row at most; 0: any number, and a space before goes with them
/// @param lines line ends go with the punctuation before, and spaces with the line end behind
/// @param tail spaces at the end are one word, before line ends are looked for
public record WordRule(boolean anyCase, boolean lead, int digits, boolean lines, boolean tail) {
  public static final WordRule GPT2 = new WordRule(false, false, 0, false, false);
  private static final String END = "|\\s+(?!\\S)|\\s+";
  private static final String LEAD = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|", LINES =
      "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+" + END;
  private static final Map<String, WordRule> KNOWN = Map.of(
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+" + END, GPT2,
      "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+" + END, GPT2,
      "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s", GPT2,
      "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| "
      + "?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
      new WordRule(true, true, 3, true, true),
      LEAD + "\\p{N}{1,3}" + LINES, new WordRule(true, true, 3, true, false),
      LEAD + "\\p{N}" + LINES, new WordRule(true, true, 1, true, false));

  /// The scanner of a regular expression, or null.
  public static WordRule of(String pattern) { return KNOWN.get(pattern); }

  /// The end of the word that begins at `from`.
  public int end(String text, int from) {
    int c = text.codePointAt(from), kind = Letters.of(c), i = from + Character.charCount(c);
    if (c == '\'') {
      int contraction = contraction(text, i);
      if (contraction > i) return contraction;
    }
    if (kind == Letters.LETTER) return run(text, i, Letters.LETTER);
    if (kind == Letters.NUMBER) return digits == 0 ? run(text, i, Letters.NUMBER) : digits(text, i);
    int next = i < text.length() ? Letters.of(text.codePointAt(i)) : -1;
    if (next == Letters.LETTER && (lead ? c != '\r' && c != '\n' : c == ' ')) return run(text, i, Letters.LETTER);
    if (c == ' ' && next == Letters.NUMBER && digits == 0) return run(text, i, Letters.NUMBER);
    if (kind == Letters.OTHER || c == ' ' && next == Letters.OTHER) {
      int end = run(text, i, Letters.OTHER);
      while (lines && end < text.length() && line(text.charAt(end))) end++;
      return end;
    }
    return spaces(text, from, i);
  }

  private int digits(String text, int i) {
    for (int n = 1; n < digits && i < text.length() && Letters.of(text.codePointAt(i)) == Letters.NUMBER; n++)
      i += Character.charCount(text.codePointAt(i));
    return i;
  }

  /// Spaces: to the last line end; all of them at the end of the text; else all but the last, which may go with the
  /// next word.
  private int spaces(String text, int from, int i) {
    int end = run(text, i, Letters.SPACE);
    if (tail && end == text.length()) return end;
    if (lines) for (int last = end; last > from; last--) if (line(text.charAt(last - 1))) return last;
    return end == text.length() || end == from + 1 ? end : end - 1;
  }

  private static boolean line(char c) { return c == '\r' || c == '\n'; }

  private static int run(String text, int i, int kind) {
    while (i < text.length()) {
      char c = text.charAt(i);
      if (!Character.isHighSurrogate(c)) {
        if (Letters.of(c) != kind) break;
        i++;
      } else {
        int point = text.codePointAt(i);
        if (Letters.of(point) != kind) break;
        i += Character.charCount(point);
      }
    }
    return i;
  }

  /// The end of `s t re ve m ll d` behind an apostrophe, or `i`. In any case ſ is an s.
  private int contraction(String text, int i) {
    if (i == text.length()) return i;
    char a = small(text.charAt(i)), b = i + 1 < text.length() ? small(text.charAt(i + 1)) : 0;
    return switch (a) {
      case 's', 't', 'm', 'd' -> i + 1;
      case 'r', 'v' -> b == 'e' ? i + 2 : i;
      case 'l' -> b == 'l' ? i + 2 : i;
      default -> i;
    };
  }

  private char small(char c) { return !anyCase ? c : c >= 'A' && c <= 'Z' ? (char) (c + 32) : c == 'ſ' ? 's' : c; }
}
