package jacquard.clip.checkpoint.torch;

import jacquard.clip.checkpoint.files.Mapping;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// The entries of a zip archive in a mapped file (PKWARE's APPNOTE, with its 64-bit form). What is stored is read where
/// it lies; what is deflated, when it is asked for. Every offset and length is checked against the file before it is
/// used.
public final class Archive {
  /// Deflate makes a byte of no less than 1/1032 byte.
  private static final int LARGEST_RATIO = 1032;
  private static final int LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END = 0x06054b50, END_64 = 0x06064b50, LOCATOR_64 =
      0x07064b50;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private record Entry(int method, long packed, long size, long local) {}

  private final MemorySegment file;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  /// @throws IOException that says what is wrong; the caller adds the file's name
  public Archive(Mapping mapping) throws IOException {
    file = mapping.bytes();
    long end = end(), count = u16(end + 10), size = u32(end + 12), at = u32(end + 16), locator = end - 20;
    if (locator >= 0 && i32(locator) == LOCATOR_64) {
      long end64 = within(i64(locator + 8), 56, "the end of its directory");
      if (i32(end64) != END_64) throw new IOException("the end of its directory is damaged");
      count = i64(end64 + 32);
      size = i64(end64 + 40);
      at = i64(end64 + 48);
    }
    within(at, size, "its directory");
    if (count < 0 || count > size / 46)
      throw new IOException("its directory names " + count + " entries and has room for " + size / 46);
    for (long i = 0, limit = at + size; i < count; i++) at = entry(at, limit);
  }

  private long end() throws IOException {
    long size = file.byteSize();
    for (long at = size - 22; at >= Math.max(0, size - 22 - 0xffff); at--) if (i32(at) == END) return at;
    throw new IOException("the zip archive has no directory; is the file cut off?");
  }

  private long entry(long at, long limit) throws IOException {
    if (limit - at < 46 || i32(at) != CENTRAL) throw new IOException("its directory is damaged");
    int flags = u16(at + 8), name = u16(at + 28), extra = u16(at + 30), comment = u16(at + 32);
    long next = at + 46 + name + extra + comment, packed = u32(at + 20), size = u32(at + 24), local = u32(at + 42);
    if (next > limit) throw new IOException("its directory is damaged");
    var text = new String(file.asSlice(at + 46, name).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    if ((flags & 1) != 0) throw new IOException(text + " is encrypted");
    for (long x = at + 46 + name, last = x + extra; x + 4 <= last; x += 4 + u16(x + 2)) {
      if (u16(x) != 1) continue;
      long y = x + 4, stop = Math.min(last, y + u16(x + 2));
      if (size == 0xffffffffL && y + 8 <= stop) { size = i64(y); y += 8; }
      if (packed == 0xffffffffL && y + 8 <= stop) { packed = i64(y); y += 8; }
      if (local == 0xffffffffL && y + 8 <= stop) local = i64(y);
    }
    if (entries.put(text, new Entry(u16(at + 10), packed, size, local)) != null)
      throw new IOException("it names " + text + " twice");
    return next;
  }

  public Iterable<String> names() { return entries.keySet(); }

  public boolean has(String name) { return entries.containsKey(name); }

  /// The bytes of an entry.
  public MemorySegment data(String name) throws IOException {
    var e = entries.get(name);
    if (e == null) throw new IOException("the archive has no entry " + name);
    long local = within(e.local, 30, name);
    if (i32(local) != LOCAL) throw new IOException(name + " does not lie where the directory says");
    long at = within(local + 30 + u16(local + 26) + u16(local + 28), e.packed, name);
    var packed = file.asSlice(at, e.packed);
    return switch (e.method) {
      case 0 -> {
        if (e.packed != e.size)
          throw new IOException(name + " is stored, but has two sizes, " + e.packed + " and " + e.size);
        yield packed;
      }
      case 8 -> inflated(name, packed, e.size);
      default ->
          throw new IOException(name + " is compressed by method " + e.method + ", expected 0 (stored) or 8 (deflate)");
    };
  }

  private static MemorySegment inflated(String name, MemorySegment packed, long size) throws IOException {
    if (size < 0 || size > Integer.MAX_VALUE - 8 || size / LARGEST_RATIO > packed.byteSize())
      throw new IOException(name + " claims " + size + " bytes of " + packed.byteSize() + " compressed");
    byte[] r = new byte[(int) size];
    try (var inflater = new Inflater(true)) {
      inflater.setInput(packed.asByteBuffer());
      int at = 0;
      for (int n; at < r.length && (n = inflater.inflate(r, at, r.length - at)) > 0; ) at += n;
      if (at < r.length) throw new IOException(name + " has " + at + " bytes, the directory says " + size);
    } catch (DataFormatException e) { throw new IOException(name + " cannot be decompressed: " + e.getMessage(), e); }
    return MemorySegment.ofArray(r);
  }

  private long within(long at, long size, String what) throws IOException {
    if (at < 0 || size < 0 || at > file.byteSize() || size > file.byteSize() - at)
      throw new IOException(what + " would lie at " + at + ", " + size + " bytes, of a file of " + file.byteSize());
    return at;
  }

  private int u16(long at) { return file.get(SHORT, at) & 0xffff; }

  private int i32(long at) { return file.get(INT, at); }

  private long u32(long at) { return file.get(INT, at) & 0xffffffffL; }

  private long i64(long at) { return file.get(LONG, at); }
}
