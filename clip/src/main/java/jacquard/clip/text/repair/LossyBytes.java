package jacquard.clip.text.repair;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// UTF-8 of which bytes were changed before it was misread.
final class LossyBytes {
  private static final byte[] REPLACEMENT = {(byte) 0xef, (byte) 0xbf, (byte) 0xbd};
  /// What follows "Ã " where its space is no more than the second byte of à: another space, and the rest of Portuguese
  /// àquele, àquela, àquilo and às.
  private static final List<byte[]> AFTER_A_LETTER =
      Stream.of(" ", "quele", "quela", "quilo", "s ").map(s -> s.getBytes(StandardCharsets.US_ASCII)).toList();

  private LossyBytes() {}

  /// Puts byte A0 back where somebody, taking it for a space, wrote 20, and where the character so restored is a likely
  /// one:
  ///
  /// ```
  /// C2 C3 C5 CE D0 D9   20                 no-break space, à, Š, Π, Р, ٠
  /// E2 E3               20   cont
  /// E0 to E3            cont 20            cont = 80–BF without 85 and A0
  /// F0                  three of 80–BF, one of them 20
  /// ```
  /// If there is any, each other "C3 20" is the word "à" and the space behind it.
  static byte[] spacesRestored(byte[] b) {
    int first = 0;
    while (first < b.length && spaced(b, first) == 0) first++;
    if (first == b.length) return b;
    b = wordsRestored(b);
    for (int i = 0, n; i < b.length; i += Math.max(1, n)) {
      n = spaced(b, i);
      for (int k = i; k < i + n; k++) if (b[k] == ' ') b[k] = (byte) 0xa0;
    }
    return b;
  }

  /// The length of the sequence that begins here, or 0.
  private static int spaced(byte[] b, int i) {
    int lead = b[i] & 255;
    if (lead < 0xc2 || lead > 0xf0) return 0;
    switch (lead) {
      case 0xc2, 0xc3, 0xc5, 0xce, 0xd0, 0xd9 -> { return at(b, i + 1) == ' ' ? 2 : 0; }
      case 0xe0, 0xe1, 0xe2, 0xe3 -> {
        int x = at(b, i + 1), y = at(b, i + 2);
        return lead >= 0xe2 && x == ' ' && likely(y) || likely(x) && y == ' ' ? 3 : 0;
      }
      case 0xf0 -> {
        int spaces = 0;
        for (int k = i + 1; k < i + 4; k++)
          if (at(b, k) == ' ') spaces++;
          else if (!continuation(at(b, k))) return 0;
        return spaces == 1 ? 4 : 0;
      }
      default -> { return 0; }
    }
  }

  private static boolean likely(int b) { return continuation(b) && b != 0x85 && b != 0xa0; }

  private static byte[] wordsRestored(byte[] b) {
    var r = new ByteArrayOutputStream(b.length + 8);
    for (int i = 0; i < b.length; i++) {
      r.write(b[i]);
      if (at(b, i) != 0xc3 || at(b, i + 1) != ' ') continue;
      int after = i + 2;
      boolean word = true;
      for (byte[] w : AFTER_A_LETTER)
        word &= after + w.length > b.length || !Arrays.equals(b, after, after + w.length, w, 0, w.length);
      if (word) r.write(0xa0);
    }
    return r.toByteArray();
  }

  /// Turns what was a UTF-8 sequence until some of its bytes were lost into U+FFFD. A lost byte is 1A; one a sequence
  /// may be "?" too, of two-byte sequences only after C2 and C3. A pair of surrogates, as CESU-8 writes them, is one
  /// sequence. A 1A alone is U+FFFD as well.
  static byte[] lostReplaced(byte[] b) {
    ByteArrayOutputStream r = null;
    for (int i = 0; i < b.length; ) {
      int n = lost(b, i);
      if (n > 0 && r == null) {
        r = new ByteArrayOutputStream(b.length + 8);
        r.write(b, 0, i);
      }
      if (n > 0) r.writeBytes(REPLACEMENT);
      else if (r != null) r.write(b[i]);
      i += Math.max(1, n);
    }
    return r == null ? b : r.toByteArray();
  }

  private static int lost(byte[] b, int i) {
    int lead = b[i] & 255;
    if (lead == 0x1a) return 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    if (lead < 0xe0) return at(b, i + 1) == 0x1a || lead <= 0xc3 && at(b, i + 1) == '?' ? 2 : 0;
    if (lead == 0xed && pair(b, i)) return 6;
    int n = lead < 0xf0 ? 3 : 4, gone = 0, asked = 0;
    for (int k = i + 1; k < i + n; k++)
      switch (at(b, k)) {
        case 0x1a -> gone++;
        case '?' -> asked++;
        default -> { if (!continuation(at(b, k))) return 0; }
      }
    return asked <= 1 && gone + asked > 0 ? n : 0;
  }

  private static boolean pair(byte[] b, int i) {
    int high = at(b, i + 1), x = at(b, i + 2), low = at(b, i + 4), y = at(b, i + 5);
    boolean noX = x == 0x1a || x == '?', noY = y == 0x1a || y == '?';
    return high >= 0xa0 && high <= 0xaf && at(b, i + 3) == 0xed && low >= 0xb0 && low <= 0xbf
        && (noX || continuation(x)) && (noY || continuation(y)) && (noX || noY);
  }

  /// The byte, or −1 behind the end.
  static int at(byte[] b, int i) { return i < b.length ? b[i] & 255 : -1; }

  static boolean continuation(int b) { return b >= 0x80 && b <= 0xbf; }
}
