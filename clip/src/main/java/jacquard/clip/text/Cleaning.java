package jacquard.clip.text;

import java.text.Normalizer;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/// What CLIP does to a caption before its words are cut: entities, whitespace, case. Of ftfy's repairs these are made: quotes
/// straightened, Latin ligatures opened, full-width forms narrowed, control characters and terminal escapes dropped, NFC. Mojibake is
/// not repaired yet.
final class Cleaning {
  /// Python's whitespace, inside a character class.
  static final String SPACE = "\\x09-\\x0d\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
  private static final Pattern SPACES = Pattern.compile("[" + SPACE + "]+"), ENTITY = Pattern.compile("&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});");
  private static final Pattern TERMINAL = Pattern.compile("\\x1b\\[[0-9;]*[A-Za-z]"), CONTROL = Pattern.compile("[\\x00-\\x08\\x0b\\x0e-\\x1f\\x7f\\u206a-\\u206f\\ufeff\\ufff9-\\ufffc]");
  private static final Map<String, String> ENTITIES = entities();

  private Cleaning() {}

  static String clip(String text) {
    var s = fixed(text);
    s = unescaped(unescaped(s));
    return SPACES.matcher(s).replaceAll(" ").strip().toLowerCase(Locale.ROOT);
  }

  private static String fixed(String s) {
    boolean plain = true;
    for (int i = 0; plain && i < s.length(); i++) plain = s.charAt(i) >= 0x20 && s.charAt(i) < 0x7f && s.charAt(i) != '&';
    if (plain) return s;
    if (s.indexOf('<') < 0) s = unescaped(s);
    s = CONTROL.matcher(TERMINAL.matcher(s).replaceAll("")).replaceAll("");
    var b = new StringBuilder(s.length());
    s.chars().forEach(c -> {
      switch (c) {
        case 0x2018, 0x2019, 0x201a, 0x201b, 0x02bc -> b.append('\'');
        case 0x201c, 0x201d, 0x201e, 0x201f -> b.append('"');
        case 0xfb00 -> b.append("ff");
        case 0xfb01 -> b.append("fi");
        case 0xfb02 -> b.append("fl");
        case 0xfb03 -> b.append("ffi");
        case 0xfb04 -> b.append("ffl");
        case 0xfb05 -> b.append("ſt");
        case 0xfb06 -> b.append("st");
        case 0x3000 -> b.append(' ');
        default -> b.append(c >= 0xff01 && c <= 0xff5e ? (char) (c - 0xfee0) : (char) c);
      }
    });
    return Normalizer.normalize(b, Normalizer.Form.NFC);
  }

  static String unescaped(String s) {
    if (s.indexOf('&') < 0) return s;
    return ENTITY.matcher(s).replaceAll(m -> {
      var n = m.group(1);
      String r = m.group();
      if (n.charAt(0) != '#') r = ENTITIES.getOrDefault(n, r);
      else {
        int c = n.charAt(1) == 'x' || n.charAt(1) == 'X' ? Integer.parseInt(n.substring(2), 16) : Integer.parseInt(n.substring(1));
        if (Character.isValidCodePoint(c) && c != 0) r = Character.toString(c);
      }
      return java.util.regex.Matcher.quoteReplacement(r);
    });
  }

  /// HTML's names of Latin-1 in the order of their codes from U+00A0, and the common others.
  private static Map<String, String> entities() {
    var m = new HashMap<String, String>();
    var latin = ("nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 "
        + "frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times "
        + "Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde "
        + "ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml").split(" ");
    for (int i = 0; i < latin.length; i++) m.put(latin[i], String.valueOf((char) (0xa0 + i)));
    Object[] more = {"quot", 0x22, "amp", 0x26, "apos", 0x27, "lt", 0x3c, "gt", 0x3e, "ndash", 0x2013, "mdash", 0x2014, "lsquo", 0x2018, "rsquo", 0x2019, "ldquo", 0x201c,
        "rdquo", 0x201d, "bull", 0x2022, "hellip", 0x2026, "trade", 0x2122, "euro", 0x20ac, "OElig", 0x152, "oelig", 0x153, "Scaron", 0x160, "scaron", 0x161};
    for (int i = 0; i < more.length; i += 2) m.put((String) more[i], String.valueOf((char) (int) more[i + 1]));
    return Map.copyOf(m);
  }
}
