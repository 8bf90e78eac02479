package jacquard.clip.text.repair;

import java.text.Normalizer;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;

/// Repairs of single characters.
public final class Characters {
  private static final Pattern TERMINAL = Pattern.compile("\\x1b\\[[\\p{Nd};]*[a-zA-Z]");
  private static final String[] LATIN =
      "IJ ij ʼn DŽ Dž dž LJ Lj lj NJ Nj nj DZ Dz dz ff fi fl ffi ffl ſt st".split(" ");
  private static final Map<Character, String> LIGATURES = ligatures("ĲĳŉǄǅǆǇǈǉǊǋǌǱǲǳﬀﬁﬂﬃﬄﬅﬆ");

  private Characters() {}

  /// Python's whitespace, which is Unicode's and the separators 1C to 1F; the JDK's lacks U+0085, U+00A0, U+2007 and
  /// U+202F.
  public static boolean space(char c) {
    return c == ' ' || c >= '\t' && c <= '\r' || c >= 0x1c && c < ' ' || c >= 0x85
        && (c == 0x85 || c == 0xa0 || c == 0x1680 || c >= 0x2000 && c <= 0x200a
        || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000);
  }

  /// C1 controls as Windows-1252, as browsers read them.
  static String windows(String text) {
    int i = 0;
    while (i < text.length() && !c1(text.charAt(i))) i++;
    if (i == text.length()) return text;
    char[] r = text.toCharArray();
    for (; i < r.length; i++) if (c1(r[i])) r[i] = SloppyEncoding.WINDOWS_1252.chars()[r[i]];
    return new String(r);
  }

  private static boolean c1(char c) { return c >= 0x80 && c <= 0x9f; }

  /// Opens Latin ligatures, gives half- and full-width forms their usual width, straightens quotes, ends lines with a
  /// line feed, replaces lone surrogates; then drops terminal escapes, and then controls.
  static String plain(String text) {
    var r = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\r' -> { if (i + 1 == text.length() || text.charAt(i + 1) != '\n') r.append('\n'); }
        case 0x2028, 0x2029, 0x85 -> r.append('\n');
        case 0x2bc, 0x2018, 0x2019, 0x201a, 0x201b -> r.append('\'');
        case 0x201c, 0x201d, 0x201e, 0x201f -> r.append('"');
        case 0x3000 -> r.append(' ');
        default -> {
          if (c < 0x132) r.append(c);
          else if (c >= 0xff01 && c < 0xfff0) r.append(Normalizer.normalize(String.valueOf(c), Normalizer.Form.NFKC));
          else if (Character.isSurrogate(c)) {
            boolean pair = Character.isHighSurrogate(c) && i + 1 < text.length()
                && Character.isLowSurrogate(text.charAt(i + 1));
            if (pair) r.append(c).append(text.charAt(++i));
            else r.append('\ufffd');
          } else if (c < 0x1f4 || c >= 0xfb00) {
            var letters = LIGATURES.get(c);
            if (letters == null) r.append(c);
            else r.append(letters.replace('ʼ', '\''));
          } else r.append(c);
        }
      }
    }
    var s = r.indexOf("\u001b") < 0 ? r.toString() : TERMINAL.matcher(r).replaceAll("");
    if (s.chars().noneMatch(Characters::control)) return s;
    r.setLength(0);
    s.chars().filter(c -> !control(c)).forEach(c -> r.append((char) c));
    return r.toString();
  }

  /// Those without an effect on plain text; tab, line feed and form feed have one.
  private static boolean control(int c) {
    return c < 0x20 && c != '\t' && c != '\n' && c != '\f' && c != '\r' || c == 0x7f || c >= 0x206a && c <= 0x206f
        || c == 0xfeff || c >= 0xfff9 && c <= 0xfffc;
  }

  private static Map<Character, String> ligatures(String characters) {
    var r = new HashMap<Character, String>();
    for (int i = 0; i < LATIN.length; i++) r.put(characters.charAt(i), LATIN[i]);
    return Map.copyOf(r);
  }
}
