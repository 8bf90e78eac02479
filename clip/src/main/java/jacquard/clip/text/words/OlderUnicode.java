package jacquard.clip.text.words;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer.Form;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/// Unicode as the `tokenizers` library knows it: some of its tables are older than the JDK's, and ids depend on them.
/// Differences are data, measured over all code points.
public final class OlderUnicode {
  private static final int PUNCTUATION = 1 << Character.CONNECTOR_PUNCTUATION | 1 << Character.DASH_PUNCTUATION | 1
      << Character.START_PUNCTUATION | 1 << Character.END_PUNCTUATION
      | 1 << Character.INITIAL_QUOTE_PUNCTUATION | 1 << Character.FINAL_QUOTE_PUNCTUATION | 1
      << Character.OTHER_PUNCTUATION;
  private static final int MARKS =
      1 << Character.NON_SPACING_MARK | 1 << Character.ENCLOSING_MARK | 1 << Character.COMBINING_SPACING_MARK;
  private static final int CONTROLS = 1 << Character.CONTROL | 1 << Character.FORMAT | 1 << Character.PRIVATE_USE;
  private static final Map<String, BitSet> OTHERWISE = read();
  private static final BitSet NEWER = OTHERWISE.get("normal");

  private OlderUnicode() {}

  private static Map<String, BitSet> read() {
    var r = new HashMap<String, BitSet>();
    try (var in = new BufferedReader(new InputStreamReader(OlderUnicode.class.getResourceAsStream("older-unicode.txt"),
        StandardCharsets.US_ASCII))) {
      for (String line; (line = in.readLine()) != null;) {
        if (line.startsWith("#")) continue;
        var words = line.split(" ");
        var set = r.computeIfAbsent(words[0], _ -> new BitSet());
        for (int i = 1; i < words.length; i++) {
          var ends = words[i].split("-");
          set.set(Integer.parseInt(ends[0], 16), Integer.parseInt(ends[ends.length - 1], 16) + 1);
        }
      }
    } catch (IOException e) { throw new UncheckedIOException(e); }
    return r;
  }

  private static boolean is(int c, int types, String otherwise) {
    return (1 << Character.getType(c) & types) != 0 != OTHERWISE.get(otherwise).get(c);
  }

  /// ASCII's punctuation and symbols, and Unicode's punctuation.
  public static boolean punctuation(int c) {
    return c < 0x80 ? c > ' ' && c < 0x7f && !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z')
        : is(c, PUNCTUATION, "punctuation");
  }

  /// Control and format characters but for tab and line ends, and private ones.
  public static boolean control(int c) {
    return c < 0x7f ? c < ' ' && c != '\t' && c != '\n' && c != '\r' : is(c, CONTROLS, "control");
  }

  public static boolean nonSpacing(int c) { return c >= 0x300 && is(c, 1 << Character.NON_SPACING_MARK, "nonspacing"); }

  public static boolean mark(int c) { return c >= 0x300 && is(c, MARKS, "mark"); }

  /// A normal form. Characters that the library does not know stay, and nothing moves past them or joins them.
  public static String normal(String text, Form form) {
    int i = 0;
    while (i < text.length() && text.charAt(i) < 0x80) i++;
    if (i == text.length()) return text;
    StringBuilder r = null;
    int from = 0;
    for (int c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      if (!NEWER.get(c)) continue;
      if (r == null) r = new StringBuilder(text.length() + 16);
      r.append(java.text.Normalizer.normalize(text.substring(from, i), form)).appendCodePoint(c);
      from = i + Character.charCount(c);
    }
    var rest = java.text.Normalizer.normalize(r == null ? text : text.substring(from), form);
    return r == null ? rest : r.append(rest).toString();
  }
}
