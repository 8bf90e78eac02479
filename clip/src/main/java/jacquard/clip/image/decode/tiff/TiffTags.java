package jacquard.clip.image.decode.tiff;


import jacquard.clip.image.ImageException;
import jacquard.clip.image.decode.FileBytes;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// The first directory of a TIFF file (TIFF 6.0, section 2; BigTIFF too): numbers by tag. Nothing is read that lies
/// beyond the file.
final class TiffTags {
  static final int WIDTH = 256, LENGTH = 257, BITS = 258, COMPRESSION = 259, PHOTOMETRIC = 262, FILL_ORDER =
      266, STRIP_OFFSETS = 273,
      ORIENTATION = 274, SAMPLES = 277, ROWS_PER_STRIP = 278, STRIP_COUNTS = 279, PLANAR = 284, T4_OPTIONS =
      292, PREDICTOR = 317,
      COLOUR_MAP = 320, TILE_WIDTH = 322, TILE_LENGTH = 323, TILE_OFFSETS = 324, TILE_COUNTS = 325, EXTRA_SAMPLES = 338,
      SAMPLE_FORMAT = 339, JPEG_TABLES = 347, SUBSAMPLING = 530, XMP = 700;
  private static final int BYTES = 1, WORDS = 3, LONGS = 4, ANY_BYTES = 7, LONGER = 16; // types
  private static final Pattern TURNED = Pattern.compile("tiff:Orientation(?:=\"|>)([0-9])");
  private static final int[] SIZES = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8}; // bytes by type

  private record Entry(int type, long count, long at) {}

  private final FileBytes source;
  private final boolean lowFirst, big;
  private final Map<Integer, Entry> entries = new HashMap<>();
  private final Set<Integer> twice = new HashSet<>();

  TiffTags(FileBytes source) throws ImageException {
    this.source = source;
    lowFirst = source.u8(0) == 'I';
    big = word(2) == 43;
    if (big && !lowFirst)
      throw source.refusal("a BigTIFF with the high byte first, which Pillow does not read either; convert the file");
    if (big && (word(4) != 8 || word(6) != 0)) throw source.refusal("a BigTIFF whose offsets have no 8 bytes");
    long at = big ? value(8, 8) : value(4, 4), count = value(at, big ? 8 : 2), size = big ? 20 : 12;
    at += big ? 8 : 2;
    if (count > source.length() / size)
      throw source.refusal("a TIFF directory of %,d entries in %,d bytes", count, source.length());
    for (long i = 0; i < count; i++, at += size) {
      source.require(at, size);
      int type = word(at + 2), bytes = type < SIZES.length ? SIZES[type] : 0;
      long values = value(at + 4, big ? 8 : 4), inline = big ? 8 : 4, place = at + size - inline;
      if (bytes == 0 || values <= 0 || values > source.length()) place = -1;
      else if (values * bytes > inline) place = value(place, (int) inline);
      if (place < 0 || place > source.length() - values * bytes) place = -1;
      if (entries.putIfAbsent(word(at), new Entry(type, values, place)) != null) twice.add(word(at));
    }
  }

  boolean lowFirst() { return lowFirst; }

  /// Two bytes in the file's order.
  int word(long at) throws ImageException { return lowFirst ? source.u16(at) : source.big16(at); }

  private long value(long at, int bytes) throws ImageException {
    source.require(at, bytes);
    long number = 0;
    for (int i = 0; i < bytes; i++) number |= (long) source.u8(at + i) << 8 * (lowFirst ? i : bytes - 1 - i);
    return number;
  }

  boolean has(int tag) { return entries.containsKey(tag); }

  ImageException refusal(String problem, Object... values) { return source.refusal(problem, values); }

  /// A tag that is told by one value and one type; null where it is absent. Where the directory says it twice, or in
  /// numbers of another kind, each reader takes something else.
  private Entry entry(int tag, int... types) throws ImageException {
    Entry entry = entries.get(tag);
    if (entry == null) return null;
    if (Arrays.stream(types).noneMatch(t -> t == entry.type) || entry.type == LONGER && !big)
      throw source.refusal("tag %d of the TIFF is of type %d, expected %s", tag, entry.type,
          types[0] == WORDS ? "whole numbers of 2 or 4 bytes" : "bytes");
    if (twice.contains(tag)) throw source.refusal("the TIFF says tag %d twice", tag);
    if (entry.at < 0)
      throw source.refusal("tag %d of the TIFF is empty or lies beyond its %,d bytes", tag, source.length());
    return entry;
  }

  /// The whole numbers of a tag, at most `most`; none where it is absent.
  long[] numbers(int tag, int most) throws ImageException {
    Entry entry = entry(tag, WORDS, LONGS, LONGER);
    if (entry == null) return new long[0];
    long[] numbers = new long[(int) Math.min(entry.count, most)];
    int bytes = SIZES[entry.type];
    for (int i = 0; i < numbers.length; i++) numbers[i] = value(entry.at + (long) i * bytes, bytes);
    return numbers;
  }

  /// The number of a tag, or `absent`; beyond 2³¹ it is no size of anything.
  int number(int tag, int absent) throws ImageException {
    long[] numbers = numbers(tag, 2);
    if (numbers.length == 0) return absent;
    if (numbers.length > 1) throw source.refusal("tag %d of the TIFF has several numbers, expected one", tag);
    if (numbers[0] < 0 || numbers[0] > Integer.MAX_VALUE) {
      if (tag == ROWS_PER_STRIP) return Integer.MAX_VALUE;
      throw source.refusal("tag %d of the TIFF says %s, which is no size", tag, Long.toUnsignedString(numbers[0]));
    }
    return (int) numbers[0];
  }

  /// The bytes of a tag; none where it is absent.
  byte[] bytes(int tag) throws ImageException {
    Entry entry = entry(tag, BYTES, ANY_BYTES);
    if (entry == null) return new byte[0];
    return Arrays.copyOfRange(source.bytes(), (int) entry.at, (int) (entry.at + entry.count * SIZES[entry.type]));
  }

  /// How the picture is turned: the tag says it, else the XMP data, as for Pillow's loader.
  int orientation() throws ImageException {
    if (has(ORIENTATION) || !has(XMP)) return number(ORIENTATION, 1);
    var found = TURNED.matcher(new String(bytes(XMP), StandardCharsets.ISO_8859_1));
    return found.find() ? Integer.parseInt(found.group(1)) : 1;
  }
}
