package jacquard.clip.text.words;

import java.util.regex.Pattern;

/// Cuts a text at what a pattern finds, and what becomes of the pieces found (the `tokenizers` library's behaviours).
///
/// @param finder finds the pieces
/// @param behavior of the pieces found
/// @param inverted the pieces between those found are meant
public record Split(Finder finder, Behavior behavior, boolean inverted) implements PreTokenizer {
  /// Left out, a word of its own, the end of the word before, the beginning of the next, or one word with its likes.
  public enum Behavior { REMOVED, ISOLATED, MERGED_WITH_PREVIOUS, MERGED_WITH_NEXT, CONTIGUOUS }

  /// The next piece at or behind `from`: its start in the upper half, its end in the lower; −1 for none.
  public interface Finder {
    long next(String text, int from);

    /// Runs or single ones of characters of a kind.
    static Finder of(java.util.function.IntPredicate kind, boolean runs) {
      return (text, from) -> {
        for (int i = from, c; i < text.length(); i += Character.charCount(c)) {
          c = text.codePointAt(i);
          if (!kind.test(c)) continue;
          int end = i + Character.charCount(c);
          while (runs && end < text.length() && kind.test(text.codePointAt(end)))
            end += Character.charCount(text.codePointAt(end));
          return pair(i, end);
        }
        return -1;
      };
    }

    static Finder of(String literal) {
      return (text, from) -> {
        int i = text.indexOf(literal, from);
        return i < 0 ? -1 : pair(i, i + literal.length());
      };
    }

    static Finder of(WordRule rule) {
      return (text, from) -> from == text.length() ? -1 : pair(from, rule.end(text, from));
    }
  }

  public static long pair(int from, int to) { return (long) from << 32 | to; }

  @Override public void split(String text, boolean first, Sink out) {
    var pieces = new Pieces(text, first, out);
    int at = 0;
    Finder f = finder instanceof Regex r ? r.on(text) : finder;
    for (long found; at < text.length() && (found = f.next(text, at)) >= 0;) {
      int from = (int) (found >>> 32), to = (int) found;
      if (from > at) pieces.add(at, from, inverted);
      pieces.add(from, to, !inverted);
      at = to;
    }
    if (at < text.length()) pieces.add(at, text.length(), inverted);
    pieces.end();
  }

  /// A regular expression of any kind, by the JDK's engine.
  public record Regex(Pattern pattern) implements Finder {
    @Override public long next(String text, int from) { return on(text).next(text, from); }

    Finder on(String text) {
      var m = pattern.matcher(text);
      return (_, from) -> {
        while (m.find(from)) {
          if (m.end() > m.start()) return pair(m.start(), m.end());
          if (m.end() == text.length()) return -1;
          from = m.end() + 1;
        }
        return -1;
      };
    }
  }

  /// Joins pieces as the behaviour says: one is held back until it is known to be whole.
  private final class Pieces {
    private final String text;
    private final boolean first;
    private final Sink out;
    private int from, to;
    private boolean matched;

    private Pieces(String text, boolean first, Sink out) {
      this.text = text;
      this.first = first;
      this.out = out;
    }

    private void add(int from, int to, boolean match) {
      boolean joins = this.to > this.from && switch (behavior) {
        case REMOVED, ISOLATED -> false;
        case MERGED_WITH_PREVIOUS -> match && !matched;
        case MERGED_WITH_NEXT -> matched && !match;
        case CONTIGUOUS -> match == matched;
      };
      if (!joins) {
        end();
        this.from = from;
      }
      this.to = behavior == Behavior.REMOVED && match ? this.from : to;
      matched = match;
    }

    private void end() {
      if (to > from) out.accept(from == 0 && to == text.length() ? text : text.substring(from, to), first && from == 0);
    }
  }
}
