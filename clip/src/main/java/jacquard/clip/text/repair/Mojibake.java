package jacquard.clip.text.repair;

/// Text that was UTF-8, was read in another encoding, and is put right by going back: written in that encoding, read as
/// UTF-8.
final class Mojibake {
  private static final int LENGTH = 7, CONTINUES = 8, SURELY = 16;
  /// For each character what its byte is in UTF-8, if Latin-1 or one of its kin misread it: the length of a sequence
  /// that it leads, and whether it continues one.
  private static final byte[] ROLES = roles();

  private Mojibake() {}

  static String repaired(String text, Effort effort) {
    while (effort.spend(text.length()) && Badness.in(text)) {
      var next = step(text, effort);
      if (next.equals(text)) break;
      text = next;
    }
    return text;
  }

  /// The whole text through the first encoding that makes sense of it; or else those parts that look like UTF-8; or
  /// else its C1 controls.
  private static String step(String text, Effort effort) {
    for (var encoding : SloppyEncoding.TRIED) {
      byte[] bytes = encoding.bytes(text);
      if (bytes == null) continue;
      if (encoding != SloppyEncoding.MACROMAN) bytes = LossyBytes.spacesRestored(bytes);
      if (encoding.sloppy()) bytes = LossyBytes.lostReplaced(bytes);
      var decoded = Utf8Variants.decode(bytes);
      if (decoded != null) return decoded;
    }
    var parts = parts(text, effort);
    return parts.equals(text) ? Characters.windows(text) : parts;
  }

  /// Repairs each run of whole sequences that is bad by itself. A run does not begin behind a character that surely
  /// continues a sequence: that would mend the end of a longer garble alone.
  private static String parts(String text, Effort effort) {
    var r = new StringBuilder(text.length());
    int done = 0;
    for (int i = 0, end; i < text.length(); i = Math.max(i + 1, end)) {
      end = i > 0 && (role(text, i - 1) & SURELY) != 0 ? i : run(text, i);
      if (end == i || end - i == text.length()) continue;
      var part = text.substring(i, end);
      if (!Badness.in(part)) continue;
      r.append(text, done, i).append(repaired(part, effort));
      done = end;
    }
    return r.append(text, done, text.length()).toString();
  }

  /// Where the whole sequences from here on end.
  private static int run(String text, int from) {
    for (int at = from; ; ) {
      int n = role(text, at) & LENGTH, k = 1;
      while (k < n && (role(text, at + k) & CONTINUES) != 0) k++;
      if (n == 0 || k < n) return at;
      at += n;
    }
  }

  private static int role(String text, int i) {
    char c = i < text.length() ? text.charAt(i) : 0;
    return c < ROLES.length ? ROLES[c] : 0;
  }

  /// Leads: C2–DF two, E0–EF three, F0 and F3 four (the only ones with much behind them). Spaces, dashes, quotes,
  /// bullets and ellipses continue, but stand for themselves too; a space may have been A0.
  private static byte[] roles() {
    byte[] r = new byte[0x2123];
    for (var encoding : SloppyEncoding.LATIN_LIKE)
      for (int b = 0x80; b < 0xf4; b++)
        r[encoding.chars()[b]] |= (byte) (b < 0xc0 ? CONTINUES | SURELY : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3
            : b == 0xf0 || b == 0xf3 ? 4 : 0);
    for (char c : " –—―‘’‚“”„•…".toCharArray()) r[c] = CONTINUES;
    return r;
  }
}
