package jacquard.clip.text.words;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.text.BreakIterator;
import java.util.Locale;

/// SentencePiece's precompiled map of characters: a double-array trie of UTF-8 sequences, each with the place of its
/// replacement in a list of strings that end with 0.
public final class Charsmap {
  private static final int NONE = -1;
  private final int[] units;
  private final byte[] strings;
  /// What becomes of a character of the first plane by itself: 0 not known yet, 1 it stays, 2 another.
  private final byte[] alone = new byte[1 << 16];

  /// @throws IOException if the map does not hold what its length says
  public Charsmap(byte[] blob) throws IOException {
    var in = ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN);
    long bytes = blob.length < 4 ? -1 : in.getInt() & 0xffffffffL;
    if (bytes < 4 || bytes % 4 != 0 || bytes > in.remaining())
      throw new IOException("a precompiled charsmap of " + blob.length + " bytes names " + bytes
          + " for its trie, expected a multiple of 4 that fits");
    units = new int[(int) bytes / 4];
    in.asIntBuffer().get(units);
    strings = new byte[in.remaining() - (int) bytes];
    in.position(4 + (int) bytes).get(strings);
  }

  private int offset(int unit) { return unit >>> 10 << ((unit & 0x200) >>> 6); }

  /// The replacement of a prefix of `text[from, to)`: of the longest, or the shortest. Its length in bytes in the upper
  /// half, the place of the replacement in the lower; −1 for none.
  private long prefix(byte[] text, int from, int to, boolean longest) {
    long found = NONE;
    int node = offset(units[0]);
    for (int i = from; i < to && text[i] != 0; i++) {
      node ^= text[i] & 255;
      if (node < 0 || node >= units.length) return found;
      int unit = units[node];
      if ((unit & 0x800000ff) != (text[i] & 255)) return found;
      node ^= offset(unit);
      if ((unit >>> 8 & 1) == 0) continue;
      if (node < 0 || node >= units.length) return found;
      found = (long) (i + 1 - from) << 32 | units[node] & 0x7fffffff;
      if (!longest) return found;
    }
    return found;
  }

  private String replacement(long found) {
    int from = (int) found, to = from;
    while (to < strings.length && strings[to] != 0) to++;
    return from >= strings.length ? "" : new String(strings, from, to - from, StandardCharsets.UTF_8);
  }

  /// How SentencePiece itself maps: the longest known prefix, else a character as it is.
  public void longest(byte[] utf8, int from, int to, Sink out) {
    for (int i = from; i < to;) {
      int length = length(utf8[i]);
      long found = prefix(utf8, i, to, true);
      out.accept(found < 0 ? new String(utf8, i, length, StandardCharsets.UTF_8) : replacement(found));
      i += found < 0 ? length : (int) (found >>> 32);
    }
  }

  /// Takes the pieces of a text in order.
  public interface Sink { void accept(String text); }

  private static int length(byte first) {
    return first >= 0 ? 1 : (first & 0xe0) == 0xc0 ? 2 : (first & 0xf0) == 0xe0 ? 3 : 4;
  }

  /// How the `tokenizers` library maps: a user-perceived character of fewer than six bytes becomes the replacement of
  /// its shortest known prefix, as a whole; in others, and where there is none, every code point by itself.
  public String clusters(String text) {
    int i = 0;
    while (i < text.length() && settled(text, i)) i++;
    if (i == text.length()) return text;
    var r = new StringBuilder(text.length() + 16).append(text, 0, i);
    BreakIterator breaks = null;
    while (i < text.length()) {
      if (settled(text, i)) {
        r.append(text.charAt(i++));
        continue;
      }
      int to = i + 1;
      while (to < text.length() && !(simple(text.charAt(to)) && simple(text.charAt(to - 1)))) to++;
      if (to == i + 1) cluster(text.substring(i, to), r);
      else {
        if (breaks == null) breaks = BreakIterator.getCharacterInstance(Locale.ROOT);
        breaks.setText(text.substring(i, to));
        for (int from = breaks.first(), end; (end = breaks.next()) != BreakIterator.DONE; from = end)
          cluster(text.substring(i + from, i + end), r);
      }
      i = to;
    }
    return r.toString();
  }

  /// Whether a character stands alone and stays.
  private boolean settled(String text, int i) {
    char c = text.charAt(i);
    return simple(c) && (i + 1 == text.length() || simple(text.charAt(i + 1))) && stays(c);
  }

  private void cluster(String cluster, StringBuilder out) {
    byte[] utf8 = null;
    if (cluster.length() <= 5 && (utf8 = cluster.getBytes(StandardCharsets.UTF_8)).length < 6) {
      long found = prefix(utf8, 0, utf8.length, false);
      if (found >= 0) {
        out.append(replacement(found));
        return;
      }
    }
    cluster.codePoints().forEach(c -> {
      byte[] one = Character.toString(c).getBytes(StandardCharsets.UTF_8);
      long found = prefix(one, 0, one.length, false);
      if (found < 0) out.appendCodePoint(c);
      else out.append(replacement(found));
    });
  }

  private boolean stays(char c) {
    if (alone[c] == 0) {
      byte[] one = Character.toString(c).getBytes(StandardCharsets.UTF_8);
      alone[c] = (byte) (prefix(one, 0, one.length, false) < 0 ? 1 : 2);
    }
    return alone[c] == 1;
  }

  /// Characters between any two of which a user-perceived character ends: letters of scripts whose letters do not join,
  /// punctuation, CJK.
  private static boolean simple(char c) {
    return c < 0x300 ? c >= 0x20 && c < 0x7f || c >= 0xa0 && c != 0xad
        : c < 0x3041 ? c >= 0x370 && c < 0x483 || c >= 0x48a && c < 0x530 || c >= 0x1e00 && c < 0x2000
        : c <= 0x3096 || c >= 0x30a1 && c <= 0x30fa || c >= 0x3400 && c <= 0x9fff;
  }
}
