package jacquard.clip.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageReader;

/// A JPEG file taken apart before decoding (ITU-T T.81 B.1): its size, its colours by the rules of the IJG library, its EXIF orientation.
/// The decoder is given the same file without the application segments but one of our own that states the colours, for it would guess
/// them by other rules, apply embedded profiles, and stumble over segments that say nothing about the picture.
final class JpegFile {
  private static final byte[] JFIF = {(byte) 0xFF, (byte) 0xE0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};

  private final String name;
  private final ByteArrayOutputStream bare = new ByteArrayOutputStream();
  private final ByteArrayOutputStream tables = new ByteArrayOutputStream();
  private int width, height, transform = -1, orientation = 1;
  private int[] components;
  private boolean jfif;

  private JpegFile(String name) { this.name = name; }

  static JpegFile parse(byte[] bytes, String name) throws ImageException {
    JpegFile file = new JpegFile(name);
    int at = 2;
    while (true) {
      while (at < bytes.length && (bytes[at] & 255) != 0xFF) at++; // stray bytes between segments are skipped, as the IJG library does
      while (at < bytes.length && (bytes[at] & 255) == 0xFF) at++;
      if (at >= bytes.length)
        throw new ImageException(name, "the JPEG ends after " + bytes.length + " bytes in its header, expected a scan");
      int marker = bytes[at++] & 255;
      if (marker == 0xD9) throw new ImageException(name, "the JPEG ends at byte " + at + " without a scan");
      if (marker == 0 || marker == 1 || marker >= 0xD0 && marker <= 0xD8) continue;
      int length = at + 2 <= bytes.length ? word(bytes, at) : 0;
      if (length < 2 || length > bytes.length - at)
        throw new ImageException(name, "segment %02X of the JPEG at byte %d says %d bytes, %d are left".formatted(marker, at, length,
            bytes.length - at));
      if (marker == 0xDA) break;
      file.segment(bytes, marker, at, length);
      at += length;
    }
    if (file.components == null) throw new ImageException(name, "the JPEG has a scan but no frame header");
    file.assemble(bytes, at - 2);
    return file;
  }

  private void segment(byte[] b, int marker, int at, int length) throws ImageException {
    int from = at + 2, size = length - 2;
    if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
      if (components != null) throw new ImageException(name, "the JPEG has a second frame header at byte " + at);
      if (size < 6 || size < 6 + 3 * (b[from + 5] & 255))
        throw new ImageException(name, "the JPEG's frame header has " + size + " bytes, too few");
      if (b[from] != 8) throw new ImageException(name, "a JPEG of " + b[from] + " bits a sample, expected 8");
      height = word(b, from + 1);
      width = word(b, from + 3);
      components = new int[b[from + 5] & 255];
      for (int i = 0; i < components.length; i++) components[i] = b[from + 6 + 3 * i] & 255;
    }
    if (marker == 0xE0 && size >= 5 && b[from] == 'J' && b[from + 1] == 'F' && b[from + 2] == 'I' && b[from + 3] == 'F'
        && b[from + 4] == 0) jfif = true;
    if (marker == 0xEE && size >= 12 && b[from] == 'A' && b[from + 1] == 'd' && b[from + 2] == 'o' && b[from + 3] == 'b'
        && b[from + 4] == 'e')
      transform = b[from + 11] & 255;
    if (marker == 0xE1 && Exif.prefix(b, from, size) == 6) orientation = Exif.orientation(b, from + 6, size - 6);
    if (marker < 0xE0 || marker > 0xEF && marker != 0xFE) {
      tables.write(0xFF);
      tables.write(marker);
      tables.write(b, at, length);
    }
  }

  private void assemble(byte[] bytes, int scan) {
    bare.write(0xFF);
    bare.write(0xD8);
    if (components.length == 4) adobe(inksAreTransformed() ? 2 : 0);
    else if (components.length == 3 && !chroma()) adobe(0);
    else bare.writeBytes(JFIF);
    bare.writeBytes(tables.toByteArray());
    bare.write(bytes, scan, bytes.length - scan);
  }

  private void adobe(int transform) {
    bare.writeBytes(new byte[] {(byte) 0xFF, (byte) 0xEE, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, (byte) transform});
  }

  /// Whether three components are Y, Cb, Cr: JFIF says so; else Adobe's transform; else only the identifiers R, G, B say no.
  private boolean chroma() {
    if (jfif) return true;
    if (transform >= 0) return transform != 0;
    return !(components[0] == 'R' && components[1] == 'G' && components[2] == 'B');
  }

  private boolean inksAreTransformed() { return transform == 2; }

  Picture decode(Images.Options options) throws IOException {
    Images.checkSize(width, height, name, options);
    if (components.length != 1 && components.length != 3 && components.length != 4)
      throw new ImageException(name, "a JPEG of " + components.length + " components, expected 1, 3 or 4");
    Picture picture = Decoder.JPEG.read(bare.toByteArray(), name, options, this::read);
    return options.upright() ? picture.upright(orientation) : picture;
  }

  private Picture read(ImageReader reader, List<String> warnings) throws IOException {
    Picture picture;
    if (components.length == 4) {
      var raster = reader.readRaster(0, null);
      byte[] inks = Rasters.bytes(raster, 0, 4, true);
      picture = Picture.of(Mode.CMYK, raster.getWidth(), raster.getHeight(), inksAreTransformed() ? fromYcck(inks) : inverted(inks));
    } else {
      var image = reader.read(0);
      picture = Picture.of(components.length == 1 ? Mode.GREY : Mode.RGB, image.getWidth(), image.getHeight(),
          Rasters.bytes(image.getRaster(), 0, components.length, true));
    }
    for (String warning : warnings)
      if (warning.contains("EOI")) throw new ImageException(name, "truncated JPEG (" + warning + ")");
    return picture;
  }

  /// Files hold inks inverted, by Adobe's custom.
  private static byte[] inverted(byte[] inks) {
    for (int i = 0; i < inks.length; i++) inks[i] = (byte) ~inks[i];
    return inks;
  }

  /// Y, Cb, Cr of the inverted inks, and K: C = 255 − (Y + 1.402·Cr'), … in 16-bit fixed point as the IJG library, then inverted as all
  /// inks.
  private static byte[] fromYcck(byte[] samples) {
    for (int i = 0; i < samples.length; i += 4) {
      int y = samples[i] & 255, cb = (samples[i + 1] & 255) - 128, cr = (samples[i + 2] & 255) - 128;
      samples[i] = (byte) Math.clamp(y + (91881 * cr + 32768 >> 16), 0, 255);
      samples[i + 1] = (byte) Math.clamp(y + (-22554 * cb - 46802 * cr + 32768 >> 16), 0, 255);
      samples[i + 2] = (byte) Math.clamp(y + (116130 * cb + 32768 >> 16), 0, 255);
      samples[i + 3] = (byte) ~samples[i + 3];
    }
    return samples;
  }

  private static int word(byte[] b, int at) { return (b[at] & 255) << 8 | b[at + 1] & 255; }
}
