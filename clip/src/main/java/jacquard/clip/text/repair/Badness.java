package jacquard.clip.text.repair;

/// Whether a text holds neighbours that hardly any language writes but misread UTF-8 does: `Ã©`, `â€œ`, `вЂњ`. The
/// heuristic of ftfy 6.3.1: some 400 characters in kinds, which kinds may not follow which, and single cases.
final class Badness {
  private static final int COMMON = 1, C1 = 1 << 1, BAD = 1 << 2, LAW = 1 << 3, CURRENCY = 1 << 4, OPENING =
      1 << 5, CLOSING = 1 << 6, NUMERIC = 1 << 7, FACE = 1 << 8,
      UPPER = 1 << 9, LOWER = 1 << 10, CAPITAL = 1 << 11, SMALL = 1 << 12, BOX = 1 << 13, KINDS = 14;
  private static final short[] KIND = kinds();
  /// For each kind the kinds that make it bad by following it.
  private static final int[] FORBIDDEN = forbidden();
  /// Kinds between ГГ and ΓΓ that betray Cyrillic and Greek letters misread.
  private static final int BETWEEN = C1 | BAD | OPENING | CLOSING | CURRENCY, OF_ARABIC =
      COMMON | CURRENCY | BAD | NUMERIC | OPENING;

  private Badness() {}

  static boolean in(String text) {
    for (int i = 0; i < text.length(); i++) if (text.charAt(i) >= 0x80 && begins(text, i)) return true;
    return false;
  }

  /// Whether a bad sequence has its first character beyond ASCII here; ASCII may stand before it.
  private static boolean begins(String text, int i) {
    char c = text.charAt(i), next = at(text, i + 1), third = at(text, i + 2), before = i > 0 ? text.charAt(i - 1) : 0;
    int kind = kind(c), then = kind(next);
    if ((kind & C1) != 0 || forbidden(kind, then) || single(text, i, c, next, third)) return true;
    if (kind == 0) return false;
    boolean letter = before >= 'a' && before <= 'z', accented = (kind & (UPPER | LOWER)) != 0;
    if ((kind & (SMALL | CAPITAL)) != 0 && (letter || before >= 'A' && before <= 'Z') && (then & BAD) != 0) return true;
    if ((kind & UPPER) != 0 && (next == '°' || i > 0 && Characters.space(before) && (then & CURRENCY) != 0 || letter
        && (then & (OPENING | CURRENCY)) != 0))
      return true;
    if ((then & OPENING) != 0 && (kind & (LOWER | UPPER | BOX | CURRENCY | CLOSING)) != 0
        && (kind(third) & NUMERIC) != 0)
      return true;
    if ((then & CLOSING) != 0 && (kind & (LOWER | UPPER | CURRENCY | NUMERIC | BOX | LAW)) != 0
        && (kind(third) & OPENING) != 0)
      return true;
    return accented && (then & (OPENING | CLOSING)) != 0 && i + 2 < text.length() && word(text.codePointAt(i + 2));
  }

  /// Sequences known by their characters.
  private static boolean single(String text, int i, char c, char next, char third) {
    int then = kind(next);
    return switch (c) {
      case 'Œ', 'œ' -> i + 1 < text.length() && !ascii(next);
      // UTF-8 in Windows-1252
      case 'Â', 'Ã', 'Î', 'Ð' -> (then & (OPENING | CLOSING)) != 0 || among(next, "€œŠš¢£Ÿž\u00a0\u00ad®©°·»–—´")
          || c == 'Ã' && among(next, "\u00a0¡") || (c == 'Â' || c == 'Ã') && next == ' ' && loneA(text, i) || c == 'Â'
          && twin(text, i, next);
      case '×' -> among(next, "²³");
      case 'Ø', 'Ù' -> arabic(next) && among(third, "ØÙ") && arabic(at(text, i + 3));
      case 'à' -> among(next, "²µ¹¼½¾"); // South Asian letters
      case '√' -> among(next, "±∂†≠®™´≤≥¥µø"); // Mac OS Roman from here
      case '≈' -> among(next, "°¢");
      case '‚' -> next == 'Ä' && among(third, "ìîïòôúùû†°¢π") || among(next, "âó") && among(third, "àä°ê");
      case 'в' -> next == 'Ђ'; // punctuation from U+2000 in Windows-1251, -1253, -1257
      case 'β' -> next == '€' && among(third, "™\u00a0Ά\u00ad®°");
      case 'ā' -> next == '€';
      case 'В', 'Г', 'Р', 'С' -> among(third, "ВГРС") && ((then & BETWEEN) != 0 || among(next, "°µ")) || c == 'Г'
          && twiceMisread(text, i);
      case 'Β', 'Γ', 'Ξ', 'Ο' -> among(third, "ΒΓΞΟ") && ((then & BETWEEN) != 0 || next == '°');
      default -> false;
    };
  }

  /// `Ã ` or `Â ` at the text's start, or behind a small letter with at most one space between.
  private static boolean loneA(String text, int i) {
    if (i == 0) return true;
    int letter = Characters.space(text.charAt(i - 1)) ? i - 2 : i - 1;
    return letter >= 0 && text.charAt(letter) >= 'a' && text.charAt(letter) <= 'z';
  }

  /// Â behind a word's end and before a space or quotation mark, whose first byte it then was.
  private static boolean twin(String text, int i, char next) {
    if (i == 0 || next != ' ' && (kind(next) & (OPENING | CLOSING)) == 0) return false;
    char before = text.charAt(i - 1);
    return before >= 'a' && before <= 'z' || among(before, ".,?!") || (kind(before) & CLOSING) != 0;
  }

  private static boolean arabic(char c) { return (kind(c) & OF_ARABIC) != 0 || among(c, "ŸŠ®°µ»"); }

  /// ГўВЂВ, any character, and a Latin letter or a space: Windows-1252 read as Latin-1, written as UTF-8 and read as
  /// Windows-1251.
  private static boolean twiceMisread(String text, int i) {
    if (!text.startsWith("ГўВЂВ", i) || i + 5 >= text.length() || text.charAt(i + 5) == '\n') return false;
    int last = text.offsetByCodePoints(i + 5, 1);
    return last < text.length() && (ascii(text.charAt(last)) || text.charAt(last) == ' ');
  }

  private static boolean forbidden(int kind, int then) {
    for (; kind != 0; kind &= kind - 1) if ((FORBIDDEN[Integer.numberOfTrailingZeros(kind)] & then) != 0) return true;
    return false;
  }

  private static char at(String text, int i) { return i < text.length() ? text.charAt(i) : 0; }

  private static boolean among(char c, String set) { return set.indexOf(c) >= 0; }

  private static boolean ascii(char c) { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'; }

  /// Python's `\w`.
  private static boolean word(int c) {
    return c == '_' || Character.isLetter(c) || switch (Character.getType(c)) {
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
      default -> false;
    };
  }

  private static int kind(char c) {
    return c < 0x2600 ? KIND[c] : c == '\uf8ff' ? OPENING : c == 'ﬁ' || c == 'ﬂ' ? LOWER : c == '\ufffd' ? BAD : 0;
  }

  private static int[] forbidden() {
    int[] r = new int[KINDS];
    int marks = OPENING | CLOSING | CURRENCY | NUMERIC | LAW, accented = UPPER | LOWER;
    for (int from : new int[] {BAD, LOWER, UPPER, BOX, OPENING, CLOSING, CURRENCY, NUMERIC, LAW})
      follows(r, from, from == BOX ? BAD : BAD | BOX);
    follows(r, BAD, accented | marks);
    follows(r, LOWER, UPPER | CURRENCY);
    follows(r, UPPER, NUMERIC | LAW);
    follows(r, BOX, accented | marks | FACE);
    follows(r, CLOSING, accented | CURRENCY);
    follows(r, CURRENCY | NUMERIC, accented | OPENING);
    follows(r, SMALL, UPPER);
    return r;
  }

  private static void follows(int[] r, int kinds, int then) {
    for (; kinds != 0; kinds &= kinds - 1) r[Integer.numberOfTrailingZeros(kinds)] |= then;
  }

  private static short[] kinds() {
    short[] r = new short[0x2600];
    put(r, COMMON, "", "\u00a0\u00ad´·–—―’…");
    put(r, C1, "\u0080\u009f", "");
    put(r, BAD, "", "¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊");
    put(r, LAW, "", "§¶");
    put(r, CURRENCY, "", "¢£¥₧€");
    put(r, OPENING, "", "¡©«¿΄΅‘‚“„•‹");
    put(r, CLOSING, "", "®»˝”›™");
    put(r, NUMERIC, "", "±²³µ¹¼½¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥");
    put(r, FACE, "ÒÖÙÜòöøü", "°ŌŐŪŲ");
    put(r, UPPER, "ÀÑ", "ØÜÝĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ");
    put(r, LOWER, "ßñ", "üāăąćčďđēėęěğģīįķĺļľłœŕśşšťźżžґ");
    put(r, CAPITAL, "ΑΫЁЯ", "ÞΆΈΉΊΌΎΏ");
    put(r, SMALL, "άωаџ", "");
    put(r, BOX, "═╬▐▓", "│┌┐┘├┤┬┼▀▄█▌");
    return r;
  }

  /// @param ranges first and last character of each
  private static void put(short[] r, int kind, String ranges, String single) {
    for (int i = 0; i < ranges.length(); i += 2)
      for (char c = ranges.charAt(i); c <= ranges.charAt(i + 1); c++) r[c] |= (short) kind;
    for (char c : single.toCharArray()) r[c] |= (short) kind;
  }
}
