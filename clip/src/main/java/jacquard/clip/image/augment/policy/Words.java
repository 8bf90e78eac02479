package jacquard.clip.image.augment.policy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/// The parts of a policy's name, `rand-m9-mstd0.5-inc1`: what it is, then keys with numbers.
final class Words {
  private static final Pattern PART = Pattern.compile("([a-z]+?)(\\d[\\d.]*|inf)");
  private final String name;
  private final List<String> left;

  Words(String name) {
    this.name = name;
    this.left = new ArrayList<>(Arrays.asList(name.split("-")));
  }

  String first() { return left.isEmpty() ? "" : left.getFirst(); }

  /// The second word.
  String next(String otherwise) { return left.size() < 2 ? otherwise : left.remove(1); }

  /// What follows `key` where it begins a part; null where none does.
  String text(String key) {
    for (int i = 1; i < left.size(); i++)
      if (left.get(i).startsWith(key)) return left.remove(i).substring(key.length());
    return null;
  }

  double number(String key, double otherwise) {
    for (int i = 1; i < left.size(); i++) {
      var m = PART.matcher(left.get(i));
      if (!m.matches() || !m.group(1).equals(key)) continue;
      left.remove(i);
      try { return m.group(2).equals("inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(m.group(2)); }
      catch (NumberFormatException e) {
        throw new IllegalArgumentException("augmentation \"" + name + "\": " + m.group(2) + " is no number", e);
      }
    }
    return otherwise;
  }

  double number(String key, double otherwise, double least, double most) {
    double n = number(key, otherwise);
    if (!(n >= least && n <= most))
      throw new IllegalArgumentException("augmentation \"%s\": %s is %s, expected %s to %s".formatted(name, key, n,
          least, most));
    return n;
  }

  int whole(String key, int otherwise, int least, int most) { return (int) number(key, otherwise, least, most); }

  /// @throws IllegalArgumentException where a part was not asked for
  void check() {
    if (left.size() > 1)
      throw new IllegalArgumentException("augmentation \"" + name + "\": what is \"" + left.get(1) + "\"? Known are "
          + Policy.KNOWN);
  }

  IllegalArgumentException unknown() {
    return new IllegalArgumentException("augmentation \"" + name + "\" is unknown; known are " + Policy.KNOWN);
  }
}
