package jacquard.clip.data.shards;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Walks the headers of a tar and reads none of its contents but long names: POSIX with its `ustar` prefix and PAX
/// records (path, size), GNU long names, sizes in base 256. Nothing is allocated that a fixed bound does not bound.
final class Tar {
  static final int BLOCK = 512;
  private static final int LONGEST = 1 << 16, READ = 1 << 16;

  /// A regular file.
  ///
  /// @param at     first byte of its content
  /// @param length in bytes
  record Entry(String name, long at, long length) {}

  interface Visitor { void entry(Entry entry); }

  private final ShardFile file;
  private final long size;
  private byte[] buffer = {};
  private long buffered = -1;

  private Tar(ShardFile file, long size) {
    this.file = file;
    this.size = size;
  }

  /// Tells of each regular file in order.
  ///
  /// @param size the file's
  /// @return why it stopped before the end of the archive; empty where it did not
  /// @throws IOException where the file is no tar, or cannot be read
  static String walk(ShardFile file, long size, Visitor visitor) throws IOException {
    return new Tar(file, size).walk(visitor);
  }

  private String walk(Visitor visitor) throws IOException {
    String name = null;
    long length = -1;
    for (long at = 0; ; ) {
      // many writers leave the two empty blocks out
      if (at == size && at > 0) return "";
      if (size - at < BLOCK) {
        if (at == 0) throw new IOException(file.name() + ": " + size + " bytes, expected a tar");
        return "it is cut at byte " + size;
      }
      var h = block(at);
      if (empty(h)) return "";
      if (!sound(h)) {
        if (at == 0)
          throw new IOException(file.name() + " is no tar: its first header's checksum is wrong"
              + (h[0] == 0x1f && (h[1] & 255) == 0x8b ? "; it looks gzipped" : ""));
        return "the header at byte " + at + " is broken";
      }
      char type = (char) (h[156] & 255);
      long own = number(h, 124, 12), skip = carries(type) ? length >= 0 && type != 'x' && type != 'L' && type != 'K'
          ? length : own : 0, content = at + BLOCK;
      if (skip < 0 || skip > size - content) return "it is cut within the entry at byte " + at;
      switch (type) {
        case 'L' -> name = text(read(content, skip), at);
        case 'x' -> {
          var records = read(content, skip);
          var path = record(records, "path");
          if (path != null) name = path;
          var bytes = record(records, "size");
          if (bytes != null && bytes.matches("\\d{1,18}")) length = Long.parseLong(bytes);
        }
        case 'K', 'g' -> { }
        case 'S' -> { return "the entry at byte " + at + " is a sparse file, which is not read"; }
        default -> {
          var full = name != null ? name : own(h);
          if ((type == '0' || type == 0 || type == '7') && !full.endsWith("/"))
            visitor.entry(new Entry(full, content, skip));
          name = null;
          length = -1;
        }
      }
      at = content + (skip + BLOCK - 1) / BLOCK * BLOCK;
      if (at > size) return "it is cut at byte " + size;
    }
  }

  /// Whether content follows: links, devices and folders have none, whatever their size says.
  private static boolean carries(char type) { return type < '1' || type > '6'; }

  private byte[] block(long at) throws IOException {
    if (buffered < 0 || at < buffered || at + BLOCK > buffered + buffer.length) {
      buffer = file.read(at, (int) Math.min(size - at, at == 0 ? READ : BLOCK));
      buffered = at;
    }
    int from = (int) (at - buffered);
    return Arrays.copyOfRange(buffer, from, from + BLOCK);
  }

  private byte[] read(long at, long length) throws IOException {
    if (length > LONGEST)
      throw new IOException(file.name() + ": a name of " + length + " bytes at byte " + at + ", expected at most "
          + LONGEST);
    return file.read(at, (int) length);
  }

  private static boolean empty(byte[] h) {
    for (byte b : h) if (b != 0) return false;
    return true;
  }

  /// The sum of all bytes, those of the sum itself as spaces; some old writers summed signed bytes.
  private static boolean sound(byte[] h) {
    long plain = 0, signed = 0;
    for (int i = 0; i < BLOCK; i++) {
      int b = i >= 148 && i < 156 ? ' ' : h[i];
      plain += b & 255;
      signed += b;
    }
    long sum = number(h, 148, 8);
    return sum == plain || sum == signed;
  }

  /// Octal digits, or base 256 where the first bit is set; −1 where it is neither.
  private static long number(byte[] h, int at, int length) {
    if ((h[at] & 0x80) != 0) {
      long r = h[at] & 0x7f;
      for (int i = 1; i < length; i++) {
        if (r >= 1L << 55) return -1;
        r = r << 8 | h[at + i] & 255;
      }
      return r;
    }
    var digits = new String(h, at, length, StandardCharsets.ISO_8859_1);
    int end = digits.indexOf('\0');
    digits = (end < 0 ? digits : digits.substring(0, end)).strip();
    if (digits.isEmpty()) return 0;
    return digits.matches("[0-7]{1,20}") ? Long.parseLong(digits, 8) : -1;
  }

  private static String own(byte[] h) {
    String name = field(h, 0, 100), prefix = new String(h, 257, 6, StandardCharsets.ISO_8859_1).equals("ustar\0")
        ? field(h, 345, 155) : "";
    return prefix.isEmpty() ? name : prefix + "/" + name;
  }

  private static String field(byte[] h, int at, int length) {
    int n = 0;
    while (n < length && h[at + n] != 0) n++;
    return new String(h, at, n, StandardCharsets.UTF_8);
  }

  private static String text(byte[] bytes, long at) { return field(bytes, 0, bytes.length); }

  /// The value of a PAX record `LENGTH KEY=VALUE\n`; of several the last; null where there is none.
  private static String record(byte[] records, String key) {
    String found = null;
    for (int at = 0; at < records.length; ) {
      int space = at;
      while (space < records.length && records[space] != ' ') space++;
      var digits = new String(records, at, space - at, StandardCharsets.ISO_8859_1);
      if (!digits.matches("\\d{1,6}")) return found;
      int length = Integer.parseInt(digits), end = at + length;
      if (end <= space || end > records.length) return found;
      var record = new String(records, space + 1, end - space - 2, StandardCharsets.UTF_8);
      if (record.startsWith(key + "=")) found = record.substring(key.length() + 1);
      at = end;
    }
    return found;
  }
}
