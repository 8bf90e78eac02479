package jacquard.clip.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import javax.imageio.ImageIO;

/// Reads image files: JPEG (every kind), PNG, GIF (its first frame), BMP, WebP, TIFF (its first page).
///
/// The samples are those that Pillow 13 gives: embedded colour profiles, gamma and the transparent colour of a PNG are ignored, and the
/// EXIF orientation too unless asked for. JPEG is equal to the bit (both decoders are the IJG library's integer method with smooth chroma
/// upsampling), lossy WebP too. Thread-safe.
public final class Images {
  static { ImageIO.setUseCache(false); } // decoders must not write temporary files

  private Images() {}

  /// What to accept and whether to turn.
  /// @param maximumPixels the largest width × height that is decoded; the header is read first, so that refusing costs nothing
  /// @param upright whether to turn the picture as its EXIF orientation says; OpenCLIP does not
  public record Options(long maximumPixels, boolean upright) {
    /// 25 million pixels, as OpenCLIP's `--max-image-pixels`; not turned.
    public static final Options DEFAULT = new Options(25_000_000, false);

    public Options {
      if (maximumPixels < 1) throw new IllegalArgumentException("the pixel limit is positive, found " + maximumPixels);
    }

    /// The same with another limit.
    public Options maximumPixels(long maximumPixels) { return new Options(maximumPixels, upright); }

    /// The same with or without turning.
    public Options upright(boolean upright) { return new Options(maximumPixels, upright); }
  }

  /// Reads a file with the default options.
  /// @throws ImageException when it is absent, too large, or no image that can be read
  public static Picture read(Path file) throws IOException { return read(file, Options.DEFAULT); }

  /// Reads a file.
  /// @throws ImageException when it is absent, too large, or no image that can be read
  public static Picture read(Path file, Options options) throws IOException {
    try {
      if (Files.isDirectory(file)) throw new ImageException(file.toString(), "a folder, expected an image file");
      // 8 bytes a pixel is the most that a format needs, and as much again for what is not the picture
      long size = Files.size(file), limit = (1 << 20) + 16 * Math.min(options.maximumPixels(), 1L << 26);
      if (size > limit)
        throw new ImageException(file.toString(), "%,d bytes, expected at most %,d for an image of %,d pixels".formatted(size, limit,
            options.maximumPixels()));
      return read(Files.readAllBytes(file), file.toString(), options);
    } catch (NoSuchFileException absent) {
      throw new ImageException(file.toString(), "no such file", absent);
    }
  }

  /// Reads an image from the bytes of its file, with the default options; `name` stands in errors.
  /// @throws ImageException when the bytes are too many pixels, or no image that can be read
  public static Picture read(byte[] bytes, String name) throws ImageException { return read(bytes, name, Options.DEFAULT); }

  /// Reads an image from the bytes of its file; `name` stands in errors.
  /// @throws ImageException when the bytes are too many pixels, or no image that can be read
  public static Picture read(byte[] bytes, String name, Options options) throws ImageException {
    if (bytes.length == 0) throw new ImageException(name, "0 bytes, expected an image");
    try {
      return decode(bytes, name, options);
    } catch (ImageException stated) {
      throw stated;
    } catch (IOException | RuntimeException broken) { // decoders answer broken files with all kinds of exceptions
      throw new ImageException(name, "broken image (" + broken + "), expected a whole " + Format.of(bytes), broken);
    }
  }

  private static Picture decode(byte[] bytes, String name, Options options) throws IOException {
    return switch (Format.of(bytes)) {
      case JPEG -> JpegFile.parse(bytes, name).decode(options);
      case PNG -> PngFile.parse(bytes, name).decode(options);
      case GIF -> GifFile.parse(bytes, name).decode(options);
      case BMP -> Decoder.BMP.decode(bytes, name, options);
      case TIFF -> TiffFile.decode(bytes, name, options);
      case WEBP -> WebpFile.parse(bytes, name).decode(options);
      case UNKNOWN -> throw new ImageException(name, "begins with the bytes "
          + HexFormat.ofDelimiter(" ").formatHex(bytes, 0, Math.min(8, bytes.length))
          + ", expected JPEG, PNG, GIF, BMP, WebP or TIFF");
    };
  }

  static void checkSize(long width, long height, String name, Options options) throws ImageException {
    if (width <= 0 || height <= 0)
      throw new ImageException(name, "the header says %dx%d pixels, expected a positive size".formatted(width, height));
    long most = Math.min(options.maximumPixels(), Integer.MAX_VALUE / 8); // 8 bytes a pixel must fit into an array
    if (height > most / width)
      throw new ImageException(name, "the header says %dx%d pixels, expected at most %,d in all".formatted(width, height, most));
  }

  private enum Format {
    JPEG, PNG, GIF, BMP, TIFF, WEBP, UNKNOWN;

    static Format of(byte[] b) {
      if (starts(b, 0, 0xFF, 0xD8)) return JPEG;
      if (starts(b, 0, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n')) return PNG;
      if (starts(b, 0, 'G', 'I', 'F', '8')) return GIF;
      if (starts(b, 0, 'B', 'M')) return BMP;
      if (starts(b, 0, 'I', 'I', 42, 0) || starts(b, 0, 'M', 'M', 0, 42)) return TIFF;
      if (starts(b, 0, 'R', 'I', 'F', 'F') && starts(b, 8, 'W', 'E', 'B', 'P')) return WEBP;
      return UNKNOWN;
    }

    private static boolean starts(byte[] b, int at, int... values) {
      if (b.length < at + values.length) return false;
      for (int i = 0; i < values.length; i++) if ((b[at + i] & 255) != values[i]) return false;
      return true;
    }
  }
}
