package jacquard.clip.text.repair;

import java.text.Normalizer;
import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;

/// Normal form C in time that does not grow with the square of the text. The JDK orders a run of combining marks by
/// insertion (200,000 marks of two alternating classes take 9 s); long runs are therefore ordered before, which
/// Unicode's canonical equivalence allows.
final class Composed {
  private static final int LONG = 256;
  /// Marks of the lowest and of the highest combining class, 1 and 240.
  private static final String FIRST = "\u0334", LAST = "\u0345";

  private Composed() {}

  static String of(String text) {
    int i = 0;
    while (i < text.length() && text.charAt(i) < 0x300) i++;
    return i == text.length() ? text : Normalizer.normalize(ordered(text), Form.NFC);
  }

  /// The text with its long runs of marks in canonical order.
  private static CharSequence ordered(String text) {
    StringBuilder r = null;
    int done = 0;
    for (int i = 0, marks = 0, from = 0; i <= text.length(); ) {
      int c = i < text.length() ? text.codePointAt(i) : -1;
      if (c >= 0 && mark(c)) {
        if (marks++ == 0) from = i;
      } else {
        if (marks > LONG) {
          if (r == null) r = new StringBuilder(text.length());
          r.append(text, done, from);
          run(text.substring(from, i), r);
          done = i;
        }
        marks = 0;
      }
      i += c < 0 ? 1 : Character.charCount(c);
    }
    return r == null ? text : r.append(text, done, text.length());
  }

  private static boolean mark(int c) {
    return c >= 0x300 && switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK -> true;
      default -> false;
    };
  }

  private static void run(String marks, StringBuilder out) {
    var decomposed = new HashMap<Integer, int[]>();
    int[] all = marks.codePoints().flatMap(c -> Arrays.stream(decomposed.computeIfAbsent(c, Composed::decomposed)))
        .toArray();
    var ranks = ranks(all);
    for (int from = 0, to; from < all.length; from = to) {
      to = from + 1;
      if (ranks.get(all[from]) > 0) while (to < all.length && ranks.get(all[to]) > 0) to++;
      long[] keys = new long[to - from];
      for (int k = 0; k < keys.length; k++) keys[k] = (long) ranks.get(all[from + k]) << 32 | k;
      Arrays.sort(keys);
      for (long k : keys) out.appendCodePoint(all[from + (int) k]);
    }
  }

  private static int[] decomposed(int c) {
    return Normalizer.normalize(Character.toString(c), Form.NFD).codePoints().toArray();
  }

  /// Numbers from 1 that are in the order of the marks' combining classes, and 0 for marks that stay where they are.
  private static HashMap<Integer, Integer> ranks(int[] marks) {
    var r = new HashMap<Integer, Integer>();
    List<Integer> moving = new ArrayList<>();
    Arrays.stream(marks).distinct().forEach(m -> {
      var s = Character.toString(m);
      r.put(m, 0);
      if (behind(s, FIRST) || behind(LAST, s)) moving.add(m);
    });
    moving.sort((a, b) -> behind(Character.toString(a), Character.toString(b)) ? 1
        : behind(Character.toString(b), Character.toString(a)) ? -1 : 0);
    for (int i = 0, rank = 1; i < moving.size(); i++) {
      if (i > 0 && behind(Character.toString(moving.get(i)), Character.toString(moving.get(i - 1)))) rank++;
      r.put(moving.get(i), rank);
    }
    return r;
  }

  /// Whether the first mark's class is higher, so that canonical order puts the second before it.
  private static boolean behind(String a, String b) { return !Normalizer.isNormalized(a + b, Form.NFD); }
}
