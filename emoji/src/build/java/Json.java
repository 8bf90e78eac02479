import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;

/// A small JSON reader, so that this program needs nothing but decoders of drawings.
final class Json {
  private final String s;
  private int i;

  private Json(String s) { this.s = s; }

  static Object parse(String s) { return new Json(s).value(); }
  @SuppressWarnings("unchecked") static Map<String, Object> object(Object o) { return (Map<String, Object>) o; }
  static double number(Object o, double otherwise) { return o == null ? otherwise : (Double) o; }

  private void space() { while (i < s.length() && Character.isWhitespace(s.charAt(i))) i++; }
  private Object value() {
    space();
    char c = s.charAt(i);
    if (c == '{') {
      var m = new LinkedHashMap<String, Object>(); i++; space();
      while (s.charAt(i) != '}') {
        var k = string();
        space();
        i++;
        m.put(k, value());
        space();
        if (s.charAt(i) == ',') { i++; space(); }
      }
      i++; return m;
    }
    if (c == '[') {
      var l = new ArrayList<Object>();
      i++;
      space();
      while (s.charAt(i) != ']') { l.add(value()); space(); if (s.charAt(i) == ',') { i++; space(); } }
      i++;
      return l;
    }
    if (c == '"') return string();
    int from = i;
    while (i < s.length() && ",}] \n\r\t".indexOf(s.charAt(i)) < 0) i++;
    var w = s.substring(from, i);
    return switch (w) { case "true" -> true; case "false" -> false; case "null" -> null;
        default -> Double.parseDouble(w); };
  }
  private String string() {
    space();
    var b = new StringBuilder();
    for (i++; s.charAt(i) != '"'; i++) {
      char c = s.charAt(i);
      if (c != '\\') { b.append(c); continue; }
      switch (s.charAt(++i)) {
        case 'n' -> b.append('\n'); case 't' -> b.append('\t'); case 'r' -> b.append('\r'); case 'b' ->
            b.append('\b'); case 'f' -> b.append('\f');
        case 'u' -> { b.append((char) Integer.parseInt(s.substring(i + 1, i + 5), 16)); i += 4; }
        default -> b.append(s.charAt(i));
      }
    }
    i++;
    return b.toString();
  }
}
