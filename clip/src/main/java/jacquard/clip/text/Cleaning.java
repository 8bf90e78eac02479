package jacquard.clip.text;

import jacquard.clip.text.repair.Characters;
import jacquard.clip.text.repair.Entities;
import jacquard.clip.text.repair.Repair;
import java.util.Locale;

/// What becomes of a caption before its words are cut (OpenCLIP's `clean`): it is repaired, its HTML references are
/// replaced twice, and its whitespace becomes single spaces with none at the ends.
public enum Cleaning {
  /// And small letters; OpenCLIP's default.
  LOWER,
  /// And nothing more.
  WHITESPACE,
  /// And spaces for underscores.
  WHITESPACE_UNDERSCORE,
  /// And small letters, spaces for underscores, no other ASCII punctuation; big_vision's, for SigLIP.
  CANONICALIZE,
  /// Nothing is done: for encoders that were trained on texts as they were. OpenCLIP has no such cleaning.
  NONE;

  /// The cleaning of OpenCLIP's name: `lower`, `whitespace`, `whitespace_underscore`, `canonicalize`; or `none`.
  public static Cleaning named(String name) {
    for (var c : values()) if (c.toString().equals(name)) return c;
    throw new IllegalArgumentException("cleaning \"" + name
        + "\" is unknown; known are lower, whitespace, whitespace_underscore, canonicalize and none");
  }

  /// The cleaned text. Any text has one; the time is in proportion to its length.
  public String of(String text) {
    if (this == NONE) return text;
    var s = Entities.unescaped(Entities.unescaped(Repair.of(text)));
    return switch (this) {
      case LOWER -> SmallLetters.of(spaced(s));
      case WHITESPACE -> spaced(s);
      case WHITESPACE_UNDERSCORE -> spaced(s.replace('_', ' '));
      case CANONICALIZE -> spaced(SmallLetters.of(unpunctuated(s)));
      case NONE -> s;
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
      boolean now = Characters.space(c);
      if (r == null && (now && (space || c != ' ' || i + 1 == text.length())))
        r = new StringBuilder(text.length()).append(text, 0, i);
      if (r != null && !(now && space)) r.append(now ? ' ' : c);
      space = now;
    }
    if (r == null) return text;
    if (!r.isEmpty() && r.charAt(r.length() - 1) == ' ') r.setLength(r.length() - 1);
    return r.toString();
  }

  /// OpenCLIP's name.
  @Override public String toString() { return name().toLowerCase(Locale.ROOT); }
}
