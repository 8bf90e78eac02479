package jacquard.clip.image.decode;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import jacquard.clip.image.decode.jpeg.JpegFile;
import jacquard.clip.image.decode.jpeg.TurboJpeg;
import jacquard.clip.image.decode.tiff.TiffFile;
import jacquard.clip.image.decode.webp.LibWebp;
import jacquard.clip.image.decode.webp.WebpFile;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;

/// The formats of image files, told by their first bytes: those that are read, and those that are refused by name.
public enum Format {
  JPEG(JpegFile::decode, "\u00FF\u00D8\u00FF"), PNG(PngFile::decode, "\u0089PNG\r\n\u001A\n"),
      GIF(GifFile::decode, "GIF87a", "GIF89a"),
  BMP(BmpFile::decode, "BM"), DIB(BmpFile::bare, "(\0\0\0", "\f\0\0\0", "4\0\0\0", "8\0\0\0", "@\0\0\0", "l\0\0\0",
      "|\0\0\0"),
  TIFF(TiffFile::decode, "II*\0", "MM\0*", "II+\0", "MM\0+"),
  WEBP(WebpFile::decode, "RIFF????WEBP"),
  ICO(IcoFile::decode, "\0\0\u0001\0"), PNM(PnmFile::decode);

  /// First bytes of what is known and not read; `?` is any byte.
  private static final List<String[]> UNREAD =
      List.of(new String[] {"AVIF", "????ftypavif"}, new String[] {"AVIF", "????ftypavis"},
      new String[] {"HEIC", "????ftyphe"}, new String[] {"HEIC", "????ftypmif1"}, new String[] {"HEIC", "????ftypmsf1"},
      new String[] {"JPEG 2000", "\0\0\0\fjP  "}, new String[] {"JPEG 2000", "\u00FFO\u00FFQ"},
      new String[] {"JPEG XL", "\u00FF\n"}, new String[] {"JPEG XL", "\0\0\0\fJXL "}, new String[] {"QOI", "qoif"},
      new String[] {"PSD", "8BPS"}, new String[] {"Windows cursor", "\0\0\u0002\0"},
      new String[] {"JPEG XR", "II\u00BC"},
      new String[] {"OpenEXR", "v/1\u0001"}, new String[] {"DDS", "DDS "}, new String[] {"Radiance HDR", "#?RADIANCE"},
      new String[] {"PDF", "%PDF"}, new String[] {"PAM", "P7\n"}, new String[] {"PFM in colour", "PF\n"},
      new String[] {"SVG", "<svg"},
      new String[] {"TIFF with its third and fourth byte turned", "MM*\0"},
      new String[] {"TIFF with its third and fourth byte turned", "II\0*"},
      new String[] {"a Git LFS pointer", "version https://git-lfs"}, new String[] {"HTML", "<!DOCTYPE html"},
      new String[] {"HTML", "<html"}, new String[] {"XML", "<?xml"});

  private interface Reader {
    Picture decode(FileBytes source) throws ImageException;
  }

  private final Reader reader;
  private final String[] starts;

  Format(Reader reader, String... starts) {
    this.reader = reader;
    this.starts = starts;
  }

  /// Decodes the bytes of a file; `name` stands in errors.
  public static Picture decode(byte[] bytes, String name, Images.Options options) throws ImageException {
    for (Format format : values())
      for (String start : format.starts)
        if (starts(bytes, start)) return format.reader.decode(new FileBytes(bytes, name, options));
    if (PnmFile.begins(bytes)) return PNM.reader.decode(new FileBytes(bytes, name, options));
    String expected = "expected JPEG, PNG, GIF, BMP, WebP, TIFF, ICO or PNM";
    String kind = targa(bytes) ? "TGA" : null;
    for (String[] known : UNREAD) if (kind == null && starts(bytes, known[1])) kind = known[0];
    if (kind != null)
      throw new ImageException(name, kind + ", which is not read; " + expected + ", so convert the file");
    throw new ImageException(name, "begins with the bytes "
        + HexFormat.ofDelimiter(" ").formatHex(bytes, 0, Math.min(8, bytes.length))
        + ", " + expected);
  }

  private static boolean starts(byte[] b, String start) {
    if (b.length < start.length()) return false;
    for (int i = 0; i < start.length(); i++)
      if (start.charAt(i) != '?' && (b[i] & 255) != start.charAt(i)) return false;
    return true;
  }

  /// Truevision's files begin with nothing of their own: a footer names the newer ones, the header's fields fit in the
  /// older.
  private static boolean targa(byte[] b) {
    if (b.length < 18) return false;
    String end = new String(b, b.length - 18, 18, StandardCharsets.ISO_8859_1);
    if (end.startsWith("TRUEVISION-XFILE")) return true;
    // no palette, so it begins nowhere and has no colours
    for (int i = 3; b[1] == 0 && i < 8; i++) if (b[i] != 0) return false;
    int kind = b[2] & ~8, depth = b[16];
    return (b[1] == 0 || b[1] == 1) && kind >= 1 && kind <= 3
        && (depth == 8 || depth == 15 || depth == 16 || depth == 24 || depth == 32);
  }

  /// See [Images#jpegDecoder].
  public static String jpegDecoder() {
    String missing = TurboJpeg.missing();
    return missing == null ? "libjpeg-turbo" : "ImageIO (" + missing + ")";
  }

  /// See [Images#webpDecoder].
  public static String webpDecoder() {
    String missing = LibWebp.missing();
    return missing == null ? "libwebp" : "Java (" + missing + ")";
  }
}
