package jacquard.clip.text.repair;

import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// One byte, one character: an encoding through which UTF-8 is commonly misread. The Windows ones are "sloppy", as
/// browsers read them: a byte without a character stands for the control character of its number, and byte 1A for
/// U+FFFD, what a stricter reader wrote for a byte that it could not read.
///
/// @param chars the character of each byte
/// @param sorted those characters in order, each with its byte: `char << 8 | byte`
record SloppyEncoding(String name, boolean sloppy, char[] chars, int[] sorted) {
  /// Bytes 80 to FF of Mac OS Roman, which the JDK has only in an optional module.
  private static final String MAC_ROMAN = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø"
      + "¿¡¬√ƒ≈∆«»…\u00a0ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uf8ffÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";

  static final SloppyEncoding WINDOWS_1252 = of("windows-1252"), MACROMAN = of("macroman", ascii() + MAC_ROMAN);

  /// Those close to Latin-1: the same halves hold letters, the same punctuation.
  static final List<SloppyEncoding> LATIN_LIKE =
      List.of(of("ISO-8859-1"), WINDOWS_1252, of("windows-1251"), of("windows-1250"), of("windows-1253"),
      of("windows-1254"), of("windows-1257"));

  /// In the order in which they are tried.
  static final List<SloppyEncoding> TRIED =
      Stream.concat(LATIN_LIKE.stream(), Stream.of(of("ISO-8859-2"), MACROMAN, of("IBM437"))).toList();

  private static SloppyEncoding of(String charset) {
    byte[] all = new byte[256];
    for (int b = 0; b < 256; b++) all[b] = (byte) b;
    return of(charset, new String(all, Charset.forName(charset)));
  }

  private static SloppyEncoding of(String name, String characters) {
    char[] chars = characters.toCharArray();
    boolean sloppy = name.startsWith("windows");
    for (int b = 0; b < 256; b++) if (chars[b] == '\ufffd') chars[b] = (char) b;
    if (sloppy) chars[0x1a] = '\ufffd';
    int[] sorted = new int[256];
    for (int b = 0; b < 256; b++) sorted[b] = chars[b] << 8 | b;
    Arrays.sort(sorted);
    return new SloppyEncoding(name, sloppy, chars, sorted);
  }

  private static String ascii() {
    var s = new StringBuilder();
    for (char c = 0; c < 128; c++) s.append(c);
    return s.toString();
  }

  /// The bytes that it would misread as this text, or null where it has no byte for a character.
  byte[] bytes(String text) {
    byte[] r = new byte[text.length()];
    for (int i = 0; i < r.length; i++) {
      char c = text.charAt(i);
      if (c < 0x80 && c != 0x1a) {
        r[i] = (byte) c;
        continue;
      }
      int at = Arrays.binarySearch(sorted, c << 8);
      if (at < 0) at = -at - 1;
      if (at == 256 || sorted[at] >> 8 != c) return null;
      r[i] = (byte) sorted[at];
    }
    return r;
  }
}
