package jacquard.clip.text.repair;

import static jacquard.clip.text.repair.LossyBytes.at;
import static jacquard.clip.text.repair.LossyBytes.continuation;

/// Strict UTF-8, but for two habits of other writers: surrogate pairs as two sequences of three bytes (CESU-8), and C0
/// 80 for U+0000 (Java).
final class Utf8Variants {
  private Utf8Variants() {}

  /// The text, or null where a byte is out of place.
  static String decode(byte[] b) {
    var s = new StringBuilder(b.length);
    for (int i = 0; i < b.length; ) {
      int lead = b[i] & 255, x = at(b, i + 1);
      if (lead < 0x80) {
        s.append((char) lead);
        i++;
      // ftfy's "end of the text" is also before its final line feed, which the null then takes along
      } else if (lead == 0xc0) {
        if (x != 0x80 && !lastFeed(b, i + 1)) return null;
        s.append('\0');
        i += 2;
      } else if (lead == 0xed && x >= 0xa0) {
        if (!surrogates(b, i)) return null;
        s.appendCodePoint(0x10000 + ((x & 15) << 16 | (b[i + 2] & 63) << 10 | (b[i + 4] & 15) << 6 | b[i + 5] & 63));
        i += 6;
      } else {
        int n = length(lead);
        if (n == 0 || x < lowest(lead) || x > highest(lead)) return null;
        int c = lead & 0x7f >> n;
        for (int k = 1; k < n; k++) {
          if (!continuation(at(b, i + k))) return null;
          c = c << 6 | b[i + k] & 63;
        }
        s.appendCodePoint(c);
        i += n;
      }
    }
    return s.toString();
  }

  private static int length(int lead) { return lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4; }

  /// Shortest forms only, nothing above U+10FFFF.
  private static int lowest(int lead) { return lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80; }

  private static int highest(int lead) { return lead == 0xf4 ? 0x8f : 0xbf; }

  /// ED A0–AF cont, ED B0–BF cont; the last byte may be the final line feed, for the reason above.
  private static boolean surrogates(byte[] b, int i) {
    int low = at(b, i + 4);
    return at(b, i + 1) <= 0xaf && continuation(at(b, i + 2)) && at(b, i + 3) == 0xed && low >= 0xb0 && low <= 0xbf
        && (continuation(at(b, i + 5)) || lastFeed(b, i + 5));
  }

  private static boolean lastFeed(byte[] b, int i) { return i == b.length - 1 && b[i] == '\n'; }
}
