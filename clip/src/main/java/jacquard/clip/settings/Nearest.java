package jacquard.clip.settings;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The known name that a mistyped one was probably meant to be.
public final class Nearest {
  private Nearest() {}

  /// The nearest by edits (insert, delete, replace a character), the first of several; empty if none is within a third
  /// of the name's length.
  public static Optional<String> of(String name, Collection<String> known) {
    if (name.length() > 200) return Optional.empty();
    return known.stream().filter(k -> edits(name, k) <= Math.max(2, name.length() / 3))
        .min(Comparator.comparingInt(k -> edits(name, k)));
  }

  /// The nearest three, the best first, by their letters and digits: those that hold the name, and those that are near
  /// by edits.
  public static List<String> several(String name, Collection<String> known) {
    if (name.length() > 200) return List.of();
    var plain = plain(name);
    Comparator<String> near = Comparator.comparingInt(k -> edits(plain, plain(k)));
    return known.stream().filter(k -> !plain.isEmpty() && plain(k).contains(plain)
        || edits(plain, plain(k)) <= Math.max(2, plain.length() / 3)).sorted(near).limit(3).toList();
  }

  /// The same as a question to end a message with; empty where none is near.
  public static String question(String name, Collection<String> known) {
    var near = several(name, known);
    if (near.isEmpty()) return "";
    var last = near.getLast();
    return " Did you mean " + (near.size() == 1 ? last
        : String.join(", ", near.subList(0, near.size() - 1)) + " or " + last) + "?";
  }

  private static String plain(String name) { return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", ""); }

  private static int edits(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) row[j] = j;
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
