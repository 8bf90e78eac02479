package jacquard.clip.text;

import jacquard.clip.text.repair.Entities;
import jacquard.clip.text.repair.Repair;

/// What becomes of a caption before its words are cut (OpenCLIP's `clean`): it is repaired, its HTML references are replaced twice, and its whitespace becomes single
/// spaces with none at the ends.
public enum Cleaning {
  /// And small letters; OpenCLIP's default.
  LOWER,
  /// And nothing more.
  WHITESPACE,
  /// And small letters, spaces for underscores, no other ASCII punctuation; big_vision's, for SigLIP.
  CANONICALIZE;

  /// Python's whitespace, inside a character class.
  static final String SPACE = "\\x09-\\x0d\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

  /// The cleaning of OpenCLIP's name: `lower`, `whitespace`, `canonicalize`.
  public static Cleaning named(String name) {
    for (var c : values()) if (c.toString().equals(name)) return c;
    throw new IllegalArgumentException("cleaning \"" + name + "\" is unknown; known are lower, whitespace and canonicalize");
  }

  /// The cleaned text. Any text has one; the time is in proportion to its length.
  public String of(String text) {
    var s = Entities.unescaped(Entities.unescaped(Repair.of(text)));
    return switch (this) {
      case LOWER -> SmallLetters.of(spaced(s));
      case WHITESPACE -> spaced(s);
      case CANONICALIZE -> spaced(SmallLetters.of(unpunctuated(s)));
    };
  }

  private static String unpunctuated(String text) {
    var r = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean letter = c <= ' ' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= 0x7f;
      if (c == '_') r.append(' ');
      else if (letter) r.append(c);
    }
    return r.toString();
  }

  private static String spaced(String text) {
    StringBuilder r = null; // until something is to be changed
    boolean space = true;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean now = space(c);
      if (r == null && (now && (space || c != ' ' || i + 1 == text.length()))) r = new StringBuilder(text.length()).append(text, 0, i);
      if (r != null && !(now && space)) r.append(now ? ' ' : c);
      space = now;
    }
    if (r == null) return text;
    if (!r.isEmpty() && r.charAt(r.length() - 1) == ' ') r.setLength(r.length() - 1);
    return r.toString();
  }

  private static boolean space(char c) {
    return c == ' ' || c >= '\t' && c <= '\r' || c >= 0x1c && c <= 0x1f || c >= 0x85 && (c == 0x85 || c == 0xa0 || c == 0x1680 || c >= 0x2000 && c <= 0x200a
        || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000);
  }

  /// OpenCLIP's name.
  @Override public String toString() { return name().toLowerCase(java.util.Locale.ROOT); }
}
