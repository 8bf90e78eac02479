package jacquard.tests.roofline;

import java.util.Map;

/// A sum of products of numbers and names, as `4·(5·q·d + 4·k·d) + n²`: what `cuda-src/rooflines.tsv` says of a
/// kernel's work.
final class Formula {
  private final String text;
  private final Map<String, Double> names;
  private int at;

  private Formula(String text, Map<String, Double> names) {
    this.text = text;
    this.names = names;
  }

  /// Its value where each name stands for a number.
  static double value(String text, Map<String, Double> names) {
    var f = new Formula(text.replace(" ", ""), names);
    double v = f.sum();
    if (f.at < f.text.length()) throw f.wrong("nothing more");
    return v;
  }

  private double sum() {
    double s = product();
    while (true)
      if (next('+')) s += product();
      else if (next('−')) s -= product();
      else return s;
  }

  private double product() {
    double p = factor();
    while (next('·')) p *= factor();
    return p;
  }

  private double factor() {
    double v;
    if (next('(')) {
      v = sum();
      if (!next(')')) throw wrong(")");
    } else {
      int from = at;
      while (at < text.length() && Character.isLetterOrDigit(text.charAt(at)) && text.charAt(at) != '²') at++;
      var word = text.substring(from, at);
      if (word.isEmpty()) throw wrong("a number or a name");
      if (Character.isDigit(word.charAt(0))) v = Double.parseDouble(word);
      else if (names.containsKey(word)) v = names.get(word);
      else
        throw new IllegalArgumentException("formula %s: %s stands for nothing here, known are %s".formatted(text, word,
            names));
    }
    return next('²') ? v * v : v;
  }

  private boolean next(char c) {
    if (at == text.length() || text.charAt(at) != c) return false;
    at++;
    return true;
  }

  private IllegalArgumentException wrong(String expected) {
    return new IllegalArgumentException("formula %s, character %d: expected %s".formatted(text, at + 1, expected));
  }
}
