package jacquard.clip.text.words;

import java.nio.charset.StandardCharsets;

/// Classes of characters as the peers' regular expressions and libraries know them, and the letters that stand for
/// bytes in byte-level vocabularies.
public final class Letters {
  public static final int LETTER = 1, NUMBER = 2, SPACE = 3, OTHER = 0;
  private static final int LETTERS = 1 << Character.UPPERCASE_LETTER | 1 << Character.LOWERCASE_LETTER | 1
      << Character.TITLECASE_LETTER | 1 << Character.MODIFIER_LETTER | 1 << Character.OTHER_LETTER;
  private static final int NUMBERS =
      1 << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.LETTER_NUMBER | 1 << Character.OTHER_NUMBER;
  private static final byte[] CLASS = new byte[1 << 16];
  private static final char[] OF_BYTE = new char[256];
  private static final short[] BYTE_OF = new short[0x144];

  static {
    for (int c = 0; c < CLASS.length; c++) CLASS[c] = (byte) kind(c);
    java.util.Arrays.fill(BYTE_OF, (short) -1);
    for (int b = 0, others = 0x100; b < 256; b++) {
      boolean prints = b >= 0x21 && b <= 0x7e || b >= 0xa1 && b <= 0xac || b >= 0xae;
      OF_BYTE[b] = (char) (prints ? b : others++);
      BYTE_OF[OF_BYTE[b]] = (short) b;
    }
  }

  private Letters() {}

  private static int kind(int c) {
    int type = 1 << Character.getType(c);
    return (type & LETTERS) != 0 ? LETTER : (type & NUMBERS) != 0 ? NUMBER : space(c) ? SPACE : OTHER;
  }

  /// `\p{L}`, `\p{N}`, `\s`, or another.
  public static int of(int c) { return c < CLASS.length ? CLASS[c] : kind(c); }

  /// Unicode's White_Space.
  public static boolean space(int c) {
    return c >= 9 && c <= 13 || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || c >= 0x2000 && c <= 0x200a
        || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
  }

  /// `\w`.
  public static boolean word(int c) {
    return Character.isAlphabetic(c) || (1 << Character.getType(c)
        & (1 << Character.NON_SPACING_MARK | 1 << Character.ENCLOSING_MARK | 1 << Character.COMBINING_SPACING_MARK | 1
        << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.CONNECTOR_PUNCTUATION)) != 0
        || c == 0x200c || c == 0x200d;
  }

  /// A text's UTF-8 bytes as letters: those that print (21–7E, A1–AC, AE–FF) as themselves, the others from U+0100 on.
  public static String bytes(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    char[] r = new char[utf8.length];
    for (int i = 0; i < r.length; i++) r[i] = OF_BYTE[utf8[i] & 255];
    return new String(r);
  }

  /// The letter of a byte.
  public static char ofByte(int b) { return OF_BYTE[b]; }

  /// The byte of a letter, or −1.
  public static int toByte(char c) { return c < BYTE_OF.length ? BYTE_OF[c] : -1; }

  /// The text with U+FFFD for surrogates without their other half.
  public static String paired(String text) {
    int i = 0;
    while (i < text.length() && !Character.isSurrogate(text.charAt(i))) i++;
    if (i == text.length()) return text;
    var r = new StringBuilder(text.length()).append(text, 0, i);
    for (int c; i < text.length(); i += Character.charCount(c)) {
      c = text.codePointAt(i);
      r.appendCodePoint(c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
    }
    return r.toString();
  }
}
