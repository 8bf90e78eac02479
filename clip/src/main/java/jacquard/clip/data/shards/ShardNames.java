package jacquard.clip.data.shards;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The names of shards that a short form stands for, as webdataset and braceexpand read it: sources apart by `::`,
/// `${name}` for the environment's `WDS_name`, then braces: `{0..3}`, `{00..10}` keeps the width, `{1..9..3}` steps,
/// `{a,b}` lists; several are all combinations, the last fastest. Braces around a single word stay.
public final class ShardNames {
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{(\\w+)\\}"), NUMBERS =
      Pattern.compile("(-?\\d{1,18})\\.\\.(-?\\d{1,18})(?:\\.\\.(-?\\d{1,18}))?"),
      LETTERS = Pattern.compile("([A-Za-z])\\.\\.([A-Za-z])(?:\\.\\.(-?\\d{1,4}))?"), SHARD =
      Pattern.compile("\\.tar(?=$|::|[,}?\\s])");
  private static final int ROUNDS = 10, MOST = 4_000_000;

  private ShardNames() {}

  /// Whether a text names shards: one that ends in `.tar`.
  public static boolean in(String data) { return SHARD.matcher(data).find(); }

  /// The names of each source, all sources in one list.
  public static List<String> expand(String data) { return expand(data, System::getenv); }

  /// @param environment the value of a variable; null where there is none
  public static List<String> expand(String data, UnaryOperator<String> environment) {
    var all = new ArrayList<String>();
    for (var source : sources(data)) all.addAll(braces(variables(source, environment)));
    return List.copyOf(all);
  }

  /// The texts between `::`.
  public static List<String> sources(String data) { return List.of(data.split("::")); }

  /// @param sources the names of the shards of each
  /// @throws IllegalArgumentException where a shard is named twice: its pairs would be read twice an epoch
  public static void distinct(List<List<String>> sources) {
    var seen = new HashMap<String, Integer>();
    for (int s = 0; s < sources.size(); s++)
      for (var name : sources.get(s)) {
        var before = seen.putIfAbsent(name.contains(":") ? name : Path.of(name).normalize().toString(), s);
        if (before != null)
          throw new IllegalArgumentException(name + " is named twice" + (sources.size() == 1 ? "" : before == s
              ? " in source " + (s + 1) : ", in source " + (before + 1) + " and in source " + (s + 1))
              + ": its pairs would be read twice. Name it once; --train-data-upsampling-factors reads a source more "
              + "often");
      }
  }

  /// @throws IllegalArgumentException where a variable is not set
  private static String variables(String s, UnaryOperator<String> environment) {
    for (int i = 0; i < ROUNDS && VARIABLE.matcher(s).find(); i++)
      s = VARIABLE.matcher(s).replaceAll(m -> {
        var value = environment.apply("WDS_" + m.group(1));
        if (value == null)
          throw new IllegalArgumentException("${" + m.group(1) + "} in the names of shards: the environment has no WDS_"
              + m.group(1));
        return Matcher.quoteReplacement(value);
      });
    return s;
  }

  /// Braces alone.
  public static List<String> braces(String s) {
    for (int from = s.indexOf('{'); from >= 0; from = s.indexOf('{', from + 1)) {
      int to = closing(s, from);
      if (to < 0) return List.of(s);
      var choices = choices(s.substring(from + 1, to));
      if (choices == null) continue;
      var heads = s.substring(0, from);
      var tails = braces(s.substring(to + 1));
      if ((long) choices.size() * tails.size() > MOST)
        throw new IllegalArgumentException(s + " stands for more than " + MOST + " names");
      var r = new ArrayList<String>(choices.size() * tails.size());
      for (var c : choices) for (var t : tails) r.add(heads + c + t);
      return r;
    }
    return List.of(s);
  }

  private static int closing(String s, int from) {
    for (int i = from, depth = 0; i < s.length(); i++) {
      if (s.charAt(i) == '{') depth++;
      if (s.charAt(i) == '}' && --depth == 0) return i;
    }
    return -1;
  }

  /// What stands between braces means; null where it is a single word.
  private static List<String> choices(String inside) {
    var parts = new ArrayList<String>();
    int begin = 0, depth = 0;
    for (int i = 0; i <= inside.length(); i++) {
      char c = i == inside.length() ? ',' : inside.charAt(i);
      if (c == '{') depth++;
      if (c == '}') depth--;
      if (c == ',' && depth == 0) {
        parts.add(inside.substring(begin, i));
        begin = i + 1;
      }
    }
    if (parts.size() > 1) return parts.stream().flatMap(p -> braces(p).stream()).toList();
    var numbers = NUMBERS.matcher(inside);
    if (numbers.matches()) {
      String a = numbers.group(1), b = numbers.group(2);
      int width = padded(a) || padded(b) ? Math.max(a.length(), b.length()) : 0;
      return range(Long.parseLong(a), Long.parseLong(b), numbers.group(3), n ->
          width == 0 ? Long.toString(n) : ("%0" + width + "d").formatted(n));
    }
    var letters = LETTERS.matcher(inside);
    if (letters.matches())
      return range(letters.group(1).charAt(0), letters.group(2).charAt(0), letters.group(3), n ->
          Character.toString((int) n));
    return null;
  }

  private static boolean padded(String number) { return number.matches("-?0\\d+"); }

  private interface Name { String of(long number); }

  private static List<String> range(long a, long b, String step, Name name) {
    long by = step == null ? 1 : Math.abs(Long.parseLong(step));
    if (by == 0) by = 1;
    if (Math.abs(b - a) / by >= MOST)
      throw new IllegalArgumentException("{" + a + ".." + b + "} stands for more than " + MOST + " names");
    var r = new ArrayList<String>();
    for (long i = 0; i <= Math.abs(b - a); i += by) r.add(name.of(a <= b ? a + i : a - i));
    return r;
  }
}
