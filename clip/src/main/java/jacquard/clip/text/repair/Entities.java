package jacquard.clip.text.repair;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// HTML's character references: the names of the HTML standard (`entities.txt`: name, "?" where the semicolon may be
/// left out, code points), and numbers.
public final class Entities {
  private static final Pattern ANY = Pattern.compile("&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\\t\\n\\f <&#;]{1,32};?)"),
      CLOSED = Pattern.compile("&#?[0-9A-Za-z]{1,24};");
  private static final Map<String, String> NAMES = names(), CAPITALS = capitals();

  private Entities() {}

  /// Replaces references as a browser does, those without a semicolon too: the longest name that fits, numbers 80–9F as
  /// Windows-1252. Numbers that stand for no character become U+FFFD or nothing, names that are none stay.
  public static String unescaped(String text) {
    if (text.indexOf('&') < 0) return text;
    return ANY.matcher(text).replaceAll(m -> Matcher.quoteReplacement(reference(m.group(1))));
  }

  /// Replaces only references that are closed and certain: full names of up to 24 letters, also in capitals where that
  /// is no other name (`&EACUTE;` is É), and numbers.
  static String closed(String text) {
    if (text.indexOf('&') < 0) return text;
    return CLOSED.matcher(text).replaceAll(m -> {
      String all = m.group(), name = all.substring(1), found = NAMES.getOrDefault(name, CAPITALS.get(name));
      if (found == null && name.startsWith("#")) found = unescaped(all);
      return Matcher.quoteReplacement(found == null || name.startsWith("#") && found.indexOf(';') >= 0 ? all : found);
    });
  }

  private static String reference(String name) {
    if (name.charAt(0) == '#') return number(name);
    var found = NAMES.get(name);
    for (int n = name.length() - 1; found == null && n > 1; n--) {
      found = NAMES.get(name.substring(0, n));
      if (found != null) return found + name.substring(n);
    }
    return found == null ? "&" + name : found;
  }

  private static String number(String digits) {
    boolean hex = digits.charAt(1) == 'x' || digits.charAt(1) == 'X';
    int c = 0, end = digits.endsWith(";") ? digits.length() - 1 : digits.length();
    for (int i = hex ? 2 : 1; i < end && c <= Character.MAX_CODE_POINT; i++)
      c = c * (hex ? 16 : 10) + Character.digit(digits.charAt(i), 16);
    if (c == 0 || c > Character.MAX_CODE_POINT || c >= 0xd800 && c <= 0xdfff) return "\ufffd";
    if (c >= 0x80 && c <= 0x9f) return String.valueOf(SloppyEncoding.WINDOWS_1252.chars()[c]);
    boolean control = c < 0x20 && c != '\t' && c != '\n' && c != '\f' && c != '\r' || c == 0x7f;
    return control || c >= 0xfdd0 && c <= 0xfdef || (c & 0xfffe) == 0xfffe ? "" : Character.toString(c);
  }

  private static Map<String, String> names() {
    var names = new HashMap<String, String>(4096);
    try (var in = Entities.class.getResourceAsStream("entities.txt")) {
      new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().forEach(line -> {
        var words = line.split(" ");
        var text = new StringBuilder();
        for (int i = 1; i < words.length; i++) text.appendCodePoint(Integer.parseInt(words[i], 16));
        var name = words[0].replace("?", "");
        names.put(name + ";", text.toString());
        if (!name.equals(words[0])) names.put(name, text.toString());
      });
    } catch (IOException e) { throw new UncheckedIOException(e); }
    return Map.copyOf(names);
  }

  private static Map<String, String> capitals() {
    var r = new HashMap<String, String>();
    NAMES.forEach((name, text) -> {
      var upper = name.toUpperCase(Locale.ROOT);
      if (name.endsWith(";") && name.equals(name.toLowerCase(Locale.ROOT)) && reference(upper).equals("&" + upper))
        r.put(upper, text.toUpperCase(Locale.ROOT));
    });
    return Map.copyOf(r);
  }
}
