package jacquard.clip.image.decode.tiff;

import static jacquard.clip.image.decode.tiff.TiffTags.*;


import jacquard.clip.image.ImageException;
import jacquard.clip.image.decode.FileBytes;
import jacquard.clip.image.decode.jpeg.JpegFile;
import java.util.Arrays;

/// The strips or tiles of a TIFF file, unpacked one by one into rows of bytes as a reader of the uncompressed file
/// would see them.
final class TiffStrips {
  static final int NONE = 1, FAX_RUNS = 2, FAX3 = 3, FAX4 = 4, LZW = 5, OLD_JPEG = 6, JPEG = 7, DEFLATE =
      8, OLD_DEFLATE = 32946,
      PACK_BITS = 32773, LZMA = 34925, ZSTD = 50000;

  private static final int MUCH = 1 << 20;

  /// What is done with the rows of a strip or tile at (`x`, `y`).
  interface Place {
    void rows(byte[] rows, int stride, int x, int y, int plane);
  }

  private final FileBytes source;
  private final TiffTags tags;
  private final int bits, samples, compression, predictor, fill;
  private final boolean planar, chroma, tiled;
  private int width, height, across, down; // of a strip or tile
  private int columns, rows; // of the picture
  private int stride;

  TiffStrips(FileBytes source, TiffTags tags, int bits, int samples, boolean planar, boolean chroma)
      throws ImageException {
    this.source = source;
    this.tags = tags;
    this.bits = bits;
    this.samples = samples;
    this.planar = planar && samples > 1;
    this.chroma = chroma;
    compression = tags.number(COMPRESSION, NONE);
    predictor = compression == LZW || deflated() || byLibrary() ? tags.number(PREDICTOR, 1) : 1;
    fill = tags.number(FILL_ORDER, 1);
    tiled = !tags.has(STRIP_OFFSETS) && tags.has(TILE_OFFSETS);
  }

  private boolean deflated() { return compression == DEFLATE || compression == OLD_DEFLATE; }

  private boolean byLibrary() { return compression == LZMA || compression == ZSTD; }

  boolean packed() { return compression != NONE; }

  boolean tiled() { return tiled; }

  /// Whether samples are differences of floats.
  boolean differsFloats() { return predictor == 3; }

  /// How many strips or tiles a plane has; known once they are checked.
  int count() { return across * down; }

  private boolean fax() { return compression >= FAX_RUNS && compression <= FAX4; }

  /// Whether luma and chroma come as RGB: a JPEG is converted where it is decoded.
  boolean givesRgb() { return chroma && compression == JPEG; }

  /// Checks everything that can be before memory is taken.
  void check(int columns, int rows) throws ImageException {
    this.columns = columns;
    this.rows = rows;
    String other = switch (compression) {
      case NONE, FAX_RUNS, FAX3, FAX4, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACK_BITS -> null;
      case OLD_JPEG -> "JPEG of the old style";
      case LZMA -> Lzma.missing() == null ? null : "LZMA";
      case ZSTD -> Zstd.missing() == null ? null : "Zstandard";
      case 50001 -> "WebP";
      case 33003, 33005, 34712 -> "JPEG 2000";
      case 34887 -> "LERC";
      default -> "method " + compression;
    };
    if (other != null)
      throw source.refusal("a TIFF packed by %s, which is not read%s; save it with LZW or Deflate", other,
          byLibrary() ? " here (" + (compression == LZMA ? Lzma.missing() : Zstd.missing()) + ")" : "");
    if (fax() && (bits != 1 || samples != 1))
      throw source.refusal("a fax TIFF of %d samples of %d bits, expected 1 of 1", samples, bits);
    if (compression == JPEG && bits != 8) throw source.refusal("a JPEG TIFF of %d bits, expected 8", bits);
    long[] subsampling = tags.numbers(SUBSAMPLING, 2);
    if (chroma && compression != JPEG
        && (compression != NONE || planar || subsampling.length == 2 && subsampling[0] * subsampling[1] != 1))
      throw source.refusal("a TIFF of luma and chroma packed by method %d with chroma sampled %s: not read; convert "
      + "the file to RGB",
          compression, Arrays.toString(subsampling));
    if (predictor < 1 || predictor > 3 || predictor == 2 && bits != 8 && bits != 16 && bits != 32 || predictor == 3
        && bits != 32)
      throw source.refusal("a TIFF of predictor %d with %d bits, expected 1, 2 with 8, 16 or 32, or 3 with 32",
      predictor, bits);
    width = tiled ? tags.number(TILE_WIDTH, 0) : columns;
    height = tiled ? tags.number(TILE_LENGTH, 0) : Math.min(rows, tags.number(ROWS_PER_STRIP, rows));
    source.checkSize(width, height);
    long line = ((long) width * (planar ? 1 : samples) * bits + 7) / 8, whole =
        ((long) columns * samples * bits + 7) / 8 * rows;
    if (Math.max(line * height, whole) > (long) Integer.MAX_VALUE / 2)
      throw source.refusal("a TIFF strip of %dx%d pixels takes %,d bytes", width, height, line * height);
    long most = compression == NONE ? 1 : compression == PACK_BITS ? 64 : deflated() ? 1032 : compression == LZW ? 4096
        : Long.MAX_VALUE;
    if (Math.max(line * height, whole) / most > source.length() && !(compression == NONE && line * height > whole))
      throw source.refusal("truncated TIFF: %,d bytes cannot hold its %dx%d pixels", source.length(), columns, rows);
    stride = (int) line;
    across = (columns + width - 1) / width;
    down = (rows + height - 1) / height;
  }

  void each(Place place) throws ImageException {
    int planes = planar ? samples : 1, count = Math.multiplyExact(across * down, planes);
    long[] offsets = tags.numbers(tiled ? TILE_OFFSETS : STRIP_OFFSETS, count + 1), sizes = tags.numbers(tiled
        ? TILE_COUNTS : STRIP_COUNTS, count + 1);
    if (offsets.length != count)
      throw source.refusal("a TIFF of %,d strips, expected %,d", offsets.length, count);
    if (sizes.length < count && (compression != NONE || count > 1) || sizes.length > count && compression != NONE)
      throw source.refusal("a TIFF with the sizes of %,d strips, expected %,d", sizes.length, count);
    for (int i = 0; i < count; i++) {
      int plane = i / (across * down), y = i % (across * down) / across * height, x = i % across * width;
      int lines = tiled ? height : Math.min(height, rows - y), size = Math.multiplyExact(stride, lines);
      long from = offsets[i], length = compression == NONE ? size : sizes[i];
      // what is said of a strip beyond reason, libtiff takes as that much
      if (compression != NONE && length > MUCH && (length - 4096) / 10 > (long) stride * height)
        length = 10L * stride * height + 4096;
      source.require(from, length);
      byte[] packed = Arrays.copyOfRange(source.bytes(), (int) from, (int) (from + length));
      if (fill == 2 && compression != JPEG) TiffCodecs.reverse(packed);
      byte[] unpacked = unpacked(packed, new int[] {size, lines, !tiled && y + lines == rows ? MUCH : lines});
      if (predictor == 2) TiffCodecs.accumulate(unpacked, stride, planar ? 1 : samples, bits / 8, tags.lowFirst());
      if (predictor == 3) TiffCodecs.floats(unpacked, stride, planar ? 1 : samples, tags.lowFirst());
      place.rows(unpacked, stride, x, y, planar ? plane : -1);
    }
  }

  /// @param shape bytes, lines, and the most lines that a JPEG inside may have: the last strip's may go on
  private byte[] unpacked(byte[] packed, int[] shape) throws ImageException {
    int size = shape[0];
    return switch (compression) {
      case NONE -> packed;
      case PACK_BITS -> TiffCodecs.packBits(source, packed, size);
      case LZW -> TiffCodecs.lzw(source, packed, size);
      case DEFLATE, OLD_DEFLATE -> TiffCodecs.deflate(source, packed, size);
      case JPEG -> jpeg(packed, shape);
      case LZMA -> TiffCodecs.whole(source, Lzma.decode(packed, size), size);
      case ZSTD -> TiffCodecs.whole(source, Zstd.decode(packed, size), size);
      default -> Fax.decode(source, packed, new int[] {compression, width, shape[1], tags.number(T4_OPTIONS, 0)});
    };
  }

  /// A strip is a JPEG file without the tables that all share.
  private byte[] jpeg(byte[] packed, int[] shape) throws ImageException {
    byte[] tables = tags.bytes(JPEG_TABLES), file = packed;
    if (packed.length < 4 || packed[0] != -1 || (packed[1] & 255) != 0xD8)
      throw source.refusal("a JPEG strip without a start");
    int shared = tables.length;
    while (shared > 2 && (tables[shared - 1] & 255) == 0xD9 && tables[shared - 2] == -1) shared -= 2;
    if (shared > 2) {
      file = Arrays.copyOf(tables, shared + packed.length - 2);
      System.arraycopy(packed, 2, file, shared, packed.length - 2);
    }
    int bands = planar ? 1 : samples;
    if (bands == 2 || bands > 4) throw source.refusal("a JPEG TIFF of %d samples a pixel, expected 1, 3 or 4", bands);
    byte[] out = JpegFile.samples(source.with(file), new int[] {width, shape[1], bands, shape[2]},
        chroma ? JpegFile.Colours.CHROMA : JpegFile.Colours.PLAIN);
    return out.length == shape[0] ? out : Arrays.copyOf(out, shape[0]);
  }
}
