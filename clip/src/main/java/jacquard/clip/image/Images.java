package jacquard.clip.image;

import jacquard.clip.image.decode.Format;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// Reads image files: JPEG, PNG, GIF (its first frame), BMP, WebP, TIFF (its first page), ICO (its largest picture),
/// PNM.
///
/// The samples are those that Pillow 13 gives, to the bit: embedded colour profiles, gamma and the transparent colour
/// of a PNG are ignored, and the EXIF orientation too unless asked for (but that of TIFF, which Pillow applies). What
/// is not read so is refused by name, and nothing is allocated that the file's own size or the limit of pixels does not
/// bound. Thread-safe.
public final class Images {
  private Images() {}

  /// What to accept and whether to turn.
  /// @param maximumPixels the largest width × height that is decoded; the header is read first, so that refusing costs
  ///   nothing
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
        throw new ImageException(file.toString(),
            "%,d bytes, expected at most %,d for an image of %,d pixels".formatted(size, limit,
            options.maximumPixels()));
      return read(Files.readAllBytes(file), file.toString(), options);
    } catch (NoSuchFileException absent) {
      throw new ImageException(file.toString(), "no such file", absent);
    }
  }

  /// Reads an image from the bytes of its file, with the default options; `name` stands in errors.
  /// @throws ImageException when the bytes are too many pixels, or no image that can be read
  public static Picture read(byte[] bytes, String name) throws ImageException {
    return read(bytes, name, Options.DEFAULT);
  }

  /// Reads an image from the bytes of its file; `name` stands in errors.
  /// @throws ImageException when the bytes are too many pixels, or no image that can be read
  public static Picture read(byte[] bytes, String name, Options options) throws ImageException {
    if (bytes.length == 0) throw new ImageException(name, "0 bytes, expected an image");
    try {
      return Format.decode(bytes, name, options);
    } catch (ImageException stated) {
      throw stated;
    } catch (RuntimeException broken) { // whatever a broken file makes of a decoder
      throw new ImageException(name, "broken image (" + broken + ")", broken);
    } catch (StackOverflowError | OutOfMemoryError exhausted) {
      throw new ImageException(name, "an image that takes more memory than there is (" + exhausted.getMessage()
          + "); give the JVM more with -Xmx (JACQUARD_OPTS=-Xmx2g before ./jacquard), or leave the file out",
          exhausted);
    }
  }

  /// What decodes JPEG files here and, where it is not libjpeg-turbo, why: the pixels are the same, but the platform's
  /// decoder takes some four times as long and refuses a few kinds.
  public static String jpegDecoder() { return Format.jpegDecoder(); }

  /// What decodes the frames of lossy WebP files here and, where it is not libwebp, why: the pixels are the same, but
  /// the decoder in Java takes some three times as long.
  public static String webpDecoder() { return Format.webpDecoder(); }
}
