package jacquard.clip.text;

/// Unicode's full mapping to small letters, independent of language. The JDK's own finds the word around each Σ by its
/// breaks, which are not Unicode's rule for the final sigma, and scans the text anew for every one.
final class SmallLetters {
  private SmallLetters() {}

  static String of(String text) {
    int i = 0;
    while (i < text.length() && text.charAt(i) < 0x80 && !(text.charAt(i) >= 'A' && text.charAt(i) <= 'Z')) i++;
    if (i == text.length()) return text;
    var r = new StringBuilder(text.length() + 8).append(text, 0, i);
    boolean word = endsWord(text, i);
    for (int c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      switch (c) {
        case 'İ' -> r.append("i\u0307");
        case 'Σ' -> r.append(word && !beginsWord(text, i + 1) ? 'ς' : 'σ');
        default -> r.appendCodePoint(Character.toLowerCase(c));
      }
      if (!ignored(c)) word = cased(c);
    }
    return r.toString();
  }

  /// Whether a cased letter stands before, with only ignored characters between.
  private static boolean endsWord(String text, int i) {
    for (int c; i > 0; i -= Character.charCount(c)) if (!ignored(c = text.codePointBefore(i))) return cased(c);
    return false;
  }

  private static boolean beginsWord(String text, int i) {
    for (int c; i < text.length(); i += Character.charCount(c)) if (!ignored(c = text.codePointAt(i))) return cased(c);
    return false;
  }

  private static boolean cased(int c) {
    return Character.isLowerCase(c) || Character.isUpperCase(c) || Character.isTitleCase(c);
  }

  /// Unicode's Case_Ignorable.
  private static boolean ignored(int c) {
    return switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT, Character.MODIFIER_LETTER,
          Character.MODIFIER_SYMBOL -> true;
      default -> "'.:··՟״‘’․‧︓﹒﹕＇．：".indexOf(c) >= 0;
    };
  }
}
