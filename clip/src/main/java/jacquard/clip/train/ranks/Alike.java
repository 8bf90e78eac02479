package jacquard.clip.train.ranks;

import jacquard.tensor.Group;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/// What all ranks must have been started with alike. Ranks of one JVM are, by themselves.
public final class Alike {
  private static final String LINE = "\n", WORD = "\t";

  private Alike() {}

  /// @param facts lists of words by name; the same names on all ranks
  /// @throws IllegalArgumentException on every rank, with what differs, if two ranks differ
  public static void check(Group group, SequencedMap<String, List<String>> facts) {
    if (group.size() == 1 || group.together()) return;
    var mine = facts.entrySet().stream()
        .map(e -> e.getKey() + e.getValue().stream().map(w -> WORD + plain(w)).collect(Collectors.joining()))
        .collect(Collectors.joining(LINE));
    var all = group.strings("how the ranks were started", mine);
    for (int r = 1; r < all.size(); r++)
      if (!all.get(r).equals(all.getFirst()))
        throw new IllegalArgumentException("ranks 0 and " + r + " were not started alike. "
            + difference(all.getFirst(), all.get(r), r));
  }

  private static String plain(String word) { return word.replace(LINE, " ").replace(WORD, " "); }

  private static String difference(String first, String other, int rank) {
    String[] a = first.split(LINE), b = other.split(LINE);
    var r = new ArrayList<String>();
    for (int i = 0; i < Math.min(a.length, b.length); i++)
      if (!a[i].equals(b[i])) {
        var x = new ArrayList<>(List.of(a[i].split(WORD)));
        var y = new ArrayList<>(List.of(b[i].split(WORD)));
        var name = x.removeFirst();
        y.removeFirst();
        r.add(name + ": rank 0 has " + beside(x, y) + ", rank " + rank + " has " + beside(y, x));
      }
    return r.isEmpty() ? "They know different facts: " + a.length + " and " + b.length : String.join("; ", r);
  }

  /// The words of one list from the first to the last that the other has not at that place.
  private static String beside(List<String> words, List<String> others) {
    int from = 0, to = words.size(), end = others.size();
    while (from < Math.min(to, end) && words.get(from).equals(others.get(from))) from++;
    while (to > from && end > from && words.get(to - 1).equals(others.get(end - 1))) {
      to--;
      end--;
    }
    // an option with its value
    if (from > 0 && from < to && words.get(from - 1).startsWith("--") && !words.get(from).startsWith("--")) from--;
    return from >= to ? "nothing there" : String.join(" ", words.subList(from, to));
  }
}
