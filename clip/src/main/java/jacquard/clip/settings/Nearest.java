package jacquard.clip.settings;

import java.util.Collection;
import java.util.Comparator;
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
