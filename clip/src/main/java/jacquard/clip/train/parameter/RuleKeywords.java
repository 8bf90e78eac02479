package jacquard.clip.train.parameter;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoublePredicate;

/// `--opt-kwargs`: what an optimizer has beside the options that all have, under PyTorch's and timm's names, over what
/// these options say. A value is Python's: a number, True, False, None, or numbers in brackets.
final class RuleKeywords {
  private static final String OPTION = "--opt-kwargs ";

  private final String optimizer;
  private final Map<String, String> given = new LinkedHashMap<>();
  private final Set<String> known = new TreeSet<>();

  /// @param optimizer as --opt names it
  /// @param words     `key=value` each
  RuleKeywords(String optimizer, List<String> words) {
    this.optimizer = optimizer;
    for (var w : words) {
      int at = w.indexOf('=');
      if (at <= 0 || at == w.length() - 1 || w.indexOf('=', at + 1) >= 0)
        throw new IllegalArgumentException(OPTION + w + ", expected KEY=VALUE, as betas=(0.9,0.95)");
      given.put(w.substring(0, at).strip(), w.substring(at + 1).strip());
    }
  }

  /// @param absent  where the key is not given
  /// @param allowed what it may be, which `expected` says
  double number(String key, double absent, DoublePredicate allowed, String expected) {
    known.add(key);
    var text = given.get(key);
    if (text == null) return absent;
    return checked(key, text, text, allowed, expected);
  }

  double share(String key, double absent) {
    return number(key, absent, v -> v >= 0 && v < 1, "a number of 0 or more and less than 1");
  }

  double positive(String key, double absent) { return number(key, absent, v -> v > 0, "a number of more than 0"); }

  /// The same, or 0 for None.
  double positiveOrNone(String key, double absent) {
    if (!"None".equals(given.get(key)))
      return number(key, absent, v -> v > 0, "a number of more than 0, or None");
    known.add(key);
    return 0;
  }

  int whole(String key, int absent) {
    return (int) number(key, absent, v -> v >= 1 && v == (int) v, "a whole number above 0");
  }

  boolean truth(String key, boolean absent) {
    known.add(key);
    var text = given.get(key);
    if (text == null) return absent;
    if (text.equals("True") || text.equals("False")) return text.equals("True");
    throw wrong(key, text, "True or False");
  }

  /// β₁ and β₂.
  double[] betas(double first, double second) {
    known.add("betas");
    var text = given.get("betas");
    if (text == null) return new double[] {first, second};
    var expected = "two numbers of 0 or more and less than 1, as (0.9,0.95)";
    var inner = text.matches("\\(.*\\)|\\[.*]") ? text.substring(1, text.length() - 1) : text;
    var parts = inner.split(",");
    if (parts.length != 2) throw wrong("betas", text, expected);
    var r = new ArrayList<Double>();
    for (var p : parts) r.add(checked("betas", text, p.strip(), v -> v >= 0 && v < 1, expected));
    return new double[] {r.getFirst(), r.getLast()};
  }

  /// Refuses what was given and nobody asked for.
  void done() {
    for (var e : given.entrySet())
      if (!known.contains(e.getKey()))
        throw new IllegalArgumentException(OPTION + e.getKey() + "=" + e.getValue() + ": --opt " + optimizer
            + " has no such keyword here, expected one of " + String.join(", ", known));
  }

  private static double checked(String key, String text, String number, DoublePredicate allowed, String expected) {
    try {
      double v = Double.parseDouble(number);
      if (allowed.test(v) && Double.isFinite(v)) return v;
    } catch (NumberFormatException e) { throw wrong(key, text, expected); }
    throw wrong(key, text, expected);
  }

  private static IllegalArgumentException wrong(String key, String value, String expected) {
    return new IllegalArgumentException(OPTION + key + "=" + value + ", expected " + expected);
  }
}
