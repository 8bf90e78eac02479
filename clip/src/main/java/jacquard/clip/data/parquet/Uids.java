package jacquard.clip.data.parquet;

import jacquard.clip.settings.Presence;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// Keeps the samples whose `uid` in the Parquet file beside their shard is in a list, as DataComp's subsets are given:
/// a `.npy` of pairs of 64 bits, or a text file with 32 hexadecimal digits a line.
///
/// @param name  of the list, for words
/// @param high,low halves of the uids, sorted together
public record Uids(String name, long[] high, long[] low) implements Keeps {
  private static final String COLUMN = "uid";
  private static final byte[] NPY = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final Pattern TYPE =
      Pattern.compile("'descr':\\s*\\[\\('\\w*',\\s*'<u8'\\),\\s*\\('\\w*',\\s*'<u8'\\)\\]");

  /// @throws IOException naming the file and what is wrong with it
  public static Uids read(Path file) throws IOException {
    Presence.file(file, "a list of uids, .npy or a text file");
    byte[] bytes = Files.readAllBytes(file);
    boolean npy = bytes.length > 10 && Arrays.equals(bytes, 0, NPY.length, NPY, 0, NPY.length);
    return npy ? ofArray(file, bytes) : ofLines(file, bytes);
  }

  private static Uids ofArray(Path file, byte[] bytes) throws IOException {
    var b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int begin = bytes[6] == 1 ? 10 : 12, header = bytes[6] == 1 ? b.getShort(8) & 0xffff : b.getInt(8);
    if (header < 0 || begin + (long) header > bytes.length)
      throw new IOException(file + ": a header of " + header + " bytes");
    var text = new String(bytes, begin, header, StandardCharsets.ISO_8859_1);
    int data = bytes.length - begin - header;
    if (!TYPE.matcher(text).find() || data % 16 != 0)
      throw new IOException(file + " is no list of uids, expected pairs of <u8: " + text.strip());
    int at = begin + header;
    return sorted(file, data / 16, i -> b.getLong(at + 16 * i), i -> b.getLong(at + 16 * i + 8));
  }

  private static Uids ofLines(Path file, byte[] bytes) throws IOException {
    var lines = new String(bytes, StandardCharsets.UTF_8).lines().map(String::strip).filter(l -> !l.isEmpty()).toList();
    for (var l : lines)
      if (!hex(l)) throw new IOException(file + ": \"" + l + "\", expected a uid of 32 hexadecimal digits");
    return sorted(file, lines.size(), i -> half(lines.get(i), 0), i -> half(lines.get(i), 16));
  }

  private interface Half { long at(int i); }

  private static Uids sorted(Path file, int n, Half high, Half low) {
    var all = new long[n][];
    for (int i = 0; i < n; i++) all[i] = new long[] {high.at(i), low.at(i)};
    Arrays.sort(all, Uids::compare);
    return new Uids(file.toString(), Arrays.stream(all).mapToLong(u -> u[0]).toArray(),
        Arrays.stream(all).mapToLong(u -> u[1]).toArray());
  }

  private static int compare(long[] a, long[] b) {
    int c = Long.compareUnsigned(a[0], b[0]);
    return c != 0 ? c : Long.compareUnsigned(a[1], b[1]);
  }

  private static boolean hex(String s) { return s.matches("[0-9a-fA-F]{32}"); }
  private static long half(String s, int at) { return Long.parseUnsignedLong(s, at, at + 16, 16); }

  boolean has(String uid) {
    if (!hex(uid)) return false;
    long[] u = {half(uid, 0), half(uid, 16)};
    int from = 0, to = high.length;
    while (from < to) {
      int at = (from + to) >>> 1, c = compare(new long[] {high[at], low[at]}, u);
      if (c == 0) return true;
      if (c < 0) from = at + 1;
      else to = at;
    }
    return false;
  }

  @Override public String reason() { return "that are not in " + name; }

  @Override public Set<String> kept(Sidecar beside) throws IOException {
    var r = new HashSet<String>();
    Table.beside(beside).read(List.of(Sidecar.KEY, COLUMN), v -> {
      if (v[0] != null && v[1] != null && has(v[1].toString())) r.add(v[0].toString());
    });
    return r;
  }
}
