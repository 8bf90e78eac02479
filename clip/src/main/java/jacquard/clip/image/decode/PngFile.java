package jacquard.clip.image.decode;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// A PNG file (ISO/IEC 15948) as Pillow reads it: the transparent colour, gamma and profile are left out; checksums
/// count up to the first data; rows that the data leave out are zero where the data end after a whole row.
final class PngFile {
  private static final int HEADER = 0x49484452, PALETTE = 0x504C5445, DATA = 0x49444154, END = 0x49454E44, EXIF =
      0x65584966;
  private static final int LARGEST_RATIO = 1032; // what Deflate can expand a byte to
  private static final int[][] PASSES =
      {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

  /// A stretch of the file that holds packed samples.
  private record Stretch(int from, int length) {}

  private final FileBytes source;
  private final List<Stretch> data = new ArrayList<>();
  private int width, height, bits, colour, orientation = 1;
  private boolean interlaced, ended, cut;
  private long packed;
  private byte[] palette;

  private PngFile(FileBytes source) { this.source = source; }

  static Picture decode(FileBytes source) throws ImageException {
    PngFile file = new PngFile(source);
    file.parse();
    return source.options().upright() ? file.picture().upright(file.orientation) : file.picture();
  }

  private void parse() throws ImageException {
    ByteBuffer file = ByteBuffer.wrap(source.bytes());
    for (int at = 8; ; ) {
      if (at > source.length() - 12) {
        if (packed > 0) break; // no end chunk, but the picture may be whole
        throw source.refusal("the PNG ends after %d bytes inside a chunk", source.length());
      }
      long length = file.getInt(at) & 0xFFFFFFFFL;
      int type = file.getInt(at + 4);
      if (at == 8 && type != HEADER) throw source.refusal("the PNG begins with chunk %s, expected IHDR", title(type));
      if (length > source.length() - at - 12) {
        if (type == DATA && !ended) {
          keep(at + 8, source.length() - at - 8);
          cut = true;
          break;
        }
        if (packed > 0 && !named(type)) break;
        throw source.refusal("chunk %s of the PNG at byte %d says %,d bytes, %,d are left", title(type), at, length,
            source.length() - at - 12);
      }
      if (packed == 0 && type != DATA) checkSum(file, type, at, (int) length);
      chunk(file, type, at + 8, (int) length);
      if (type == END) break;
      if (packed > 0 && type != DATA) ended = true;
      at += (int) length + 12;
    }
    if (colour == 3 && palette == null) throw source.refusal("a PNG of indices without a palette");
    if (packed == 0) throw source.refusal("the PNG has no data");
  }

  private void checkSum(ByteBuffer file, int type, int at, int length) throws ImageException {
    CRC32 sum = new CRC32();
    sum.update(file.array(), at + 4, length + 4);
    if ((int) sum.getValue() != file.getInt(at + 8 + length))
      throw source.refusal("chunk %s of the PNG is broken: its checksum is wrong", title(type));
  }

  private void chunk(ByteBuffer file, int type, int at, int length) throws ImageException {
    switch (type) {
      case HEADER -> {
        if (at != 16 || length < 13)
          throw source.refusal("the PNG has an IHDR of %d bytes at %d, expected 13 at 8", length, at - 8);
        width = file.getInt(at);
        height = file.getInt(at + 4);
        bits = file.get(at + 8);
        colour = file.get(at + 9);
        interlaced = file.get(at + 12) != 0;
        if (file.get(at + 11) != 0) throw source.refusal("PNG filter method %d, expected 0", file.get(at + 11));
        boolean known = switch (colour) {
          case 0 -> bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
          case 3 -> bits == 1 || bits == 2 || bits == 4 || bits == 8;
          case 2, 4, 6 -> bits == 8 || bits == 16;
          default -> false;
        };
        if (!known)
          throw source.refusal("a PNG of colour type %d with %d bits a sample, which there is not", colour, bits);
      }
      case PALETTE -> {
        if (colour != 3 || packed > 0) return; // a suggestion only, or too late
        if (length > 768) throw source.refusal("a PNG palette of %d bytes, expected at most 256 colours", length);
        palette = new byte[768]; // black beyond what is named, as Pillow
        System.arraycopy(source.bytes(), at, palette, 0, length / 3 * 3);
      }
      case DATA -> { if (!ended) keep(at, length); }
      case EXIF -> orientation = Exif.orientation(source.bytes(), at, length);
      default -> { }
    }
  }

  private void keep(int at, int length) {
    data.add(new Stretch(at, length));
    packed += length;
  }

  private int channels() { return switch (colour) { case 2 -> 3; case 4 -> 2; case 6 -> 4; default -> 1; }; }

  private Picture picture() throws ImageException {
    source.checkSize(width, height);
    long row = ((long) width * channels() * bits + 7) / 8;
    if (row / LARGEST_RATIO > packed)
      throw source.refusal("%,d bytes of data cannot hold a row of the %dx%d pixels that the PNG's header says", packed,
          width, height);
    Mode mode = switch (colour) {
      case 0 -> bits == 1 ? Mode.BILEVEL : bits == 16 ? Mode.GREY16 : Mode.GREY;
      case 2 -> Mode.RGB;
      case 3 -> Mode.PALETTE;
      case 4 -> Mode.GREY_ALPHA;
      default -> Mode.RGBA;
    };
    byte[] samples = new byte[Math.multiplyExact(width * height, mode.bytes())];
    try (var rows = new Rows()) {
      if (!interlaced) pass(rows, samples, mode, new int[] {0, 0, 1, 1});
      else for (int[] pass : PASSES) if (pass[0] < width && pass[1] < height) pass(rows, samples, mode, pass);
      if (cut && !rows.finished()) throw source.refusal("truncated PNG: its data end inside a chunk");
    } catch (DataFormatException broken) {
      throw new ImageException(source.name(), "broken PNG (" + broken.getMessage() + ")", broken);
    }
    return mode == Mode.PALETTE ? new Picture(mode, width, height, samples, palette)
        : Picture.of(mode, width, height, samples);
  }

  /// The pixels from (left, top) in steps across and down.
  private void pass(Rows rows, byte[] samples, Mode mode, int[] pass) throws ImageException, DataFormatException {
    int columns = (width - pass[0] + pass[2] - 1) / pass[2];
    rows.begin((int) (((long) columns * channels() * bits + 7) / 8));
    for (int y = pass[1]; y < height; y += pass[3]) {
      byte[] row = rows.next();
      if (row == null) return;
      put(row, columns, samples, (y * width + pass[0]) * mode.bytes(), pass[2] * mode.bytes(), mode);
    }
  }

  private void put(byte[] row, int columns, byte[] out, int to, int step, Mode mode) {
    int n = mode.bytes();
    if (bits == 8 && step == n) {
      System.arraycopy(row, 1, out, to, columns * n);
      return;
    }
    int largest = (1 << bits) - 1;
    for (int x = 0; x < columns; x++, to += step) {
      if (bits < 8) {
        int sample = row[1 + x * bits / 8] >> 8 - bits - x * bits % 8 & largest;
        out[to] = (byte) (mode == Mode.PALETTE ? sample : sample * 255 / largest);
      } else if (mode == Mode.GREY16) {
        out[to] = row[2 + 2 * x];
        out[to + 1] = row[1 + 2 * x];
      } else {
        for (int c = 0; c < n; c++) out[to + c] = row[1 + (x * n + c) * bits / 8]; // of 16 bits the high byte
      }
    }
  }

  /// Unpacks and unfilters rows (section 9), a filter byte before each.
  private final class Rows implements AutoCloseable {
    private final Inflater inflater = new Inflater();
    private final int pixel = Math.max(1, channels() * bits / 8);
    private byte[] row = {}, above = {};
    private int stretch;

    void begin(int length) {
      row = new byte[length + 1];
      above = new byte[length + 1];
    }

    /// The next row; null where the data end before it.
    byte[] next() throws ImageException, DataFormatException {
      byte[] swapped = above;
      above = row;
      row = swapped;
      int filled = 0;
      while (filled < row.length) {
        int count = inflater.inflate(row, filled, row.length - filled);
        filled += count;
        if (count > 0) continue;
        if (inflater.finished() && filled == 0) return null;
        if (inflater.finished() || inflater.needsDictionary() || stretch == data.size())
          throw source.refusal("truncated PNG: %,d packed bytes do not hold its %dx%d pixels", packed, width, height);
        Stretch next = data.get(stretch++);
        inflater.setInput(source.bytes(), next.from, next.length);
      }
      unfilter();
      return row;
    }

    /// Whether the packed data end with the rows.
    boolean finished() throws DataFormatException {
      return inflater.finished() || inflater.inflate(new byte[1]) == 0 && inflater.finished();
    }

    private void unfilter() throws ImageException {
      int n = row.length;
      switch (row[0]) {
        case 0 -> { }
        case 1 -> { for (int i = 1 + pixel; i < n; i++) row[i] += row[i - pixel]; }
        case 2 -> { for (int i = 1; i < n; i++) row[i] += above[i]; }
        case 3 -> {
          for (int i = 1; i < n; i++) row[i] += (byte) ((i > pixel ? row[i - pixel] & 255 : 0) + (above[i] & 255) >> 1);
        }
        case 4 -> {
          for (int i = 1; i < n; i++) {
            int a = i > pixel ? row[i - pixel] & 255 : 0, b = above[i] & 255, c = i > pixel ? above[i - pixel] & 255
                : 0;
            int pa = Math.abs(b - c), pb = Math.abs(a - c), pc = Math.abs(a + b - 2 * c);
            row[i] += (byte) (pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
          }
        }
        default -> throw source.refusal("broken PNG: filter %d of a row, expected 0 to 4", row[0]);
      }
    }

    @Override public void close() { inflater.close(); }
  }

  private static boolean named(int type) {
    for (int shift = 0; shift < 32; shift += 8) {
      int c = type >> shift & 255;
      if (!(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_')) return false;
    }
    return true;
  }

  private static String title(int type) {
    String letters = new String(ByteBuffer.allocate(4).putInt(type).array(), StandardCharsets.ISO_8859_1);
    return named(type) ? letters : "%08X".formatted(type);
  }
}
