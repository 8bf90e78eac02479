package jacquard.clip.image;

import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32;
import javax.imageio.ImageReader;

/// A PNG file taken apart before decoding (ISO/IEC 15948). The decoder is given only the chunks that hold the picture: without the
/// transparent colour, gamma and profile, which Pillow ignores too, and without texts, which may be bombs.
final class PngFile {
  private static final int HEADER = 0x49484452, PALETTE = 0x504C5445, DATA = 0x49444154, END = 0x49454E44, EXIF = 0x65584966;
  private static final int LARGEST_RATIO = 1032; // what Deflate can expand a byte to

  private final String name;
  private final ByteArrayOutputStream bare = new ByteArrayOutputStream();
  private int width, height, bits, colour, orientation = 1;
  private long packed;
  private byte[] palette;

  private PngFile(String name) { this.name = name; }

  static PngFile parse(byte[] bytes, String name) throws ImageException {
    PngFile file = new PngFile(name);
    ByteBuffer data = ByteBuffer.wrap(bytes);
    file.bare.write(bytes, 0, 8);
    for (int at = 8; ; ) {
      if (at > bytes.length - 12) {
        if (file.packed > 0) break; // no end chunk, but the picture may be whole
        throw new ImageException(name, "the PNG ends after " + bytes.length + " bytes inside a chunk");
      }
      long length = data.getInt(at) & 0xFFFFFFFFL;
      int type = data.getInt(at + 4);
      if (at == 8 && type != HEADER) throw new ImageException(name, "the PNG begins with chunk " + title(type) + ", expected IHDR");
      if (length > bytes.length - at - 12)
        throw new ImageException(name, "chunk %s of the PNG at byte %d says %,d bytes, %,d are left".formatted(title(type), at, length,
            bytes.length - at - 12));
      file.chunk(bytes, data, type, at, (int) length);
      if (type == END) break;
      at += (int) length + 12;
    }
    file.finish();
    return file;
  }

  private void chunk(byte[] bytes, ByteBuffer data, int type, int at, int length) throws ImageException {
    if (type == HEADER || type == PALETTE) {
      CRC32 sum = new CRC32();
      sum.update(bytes, at + 4, length + 4);
      if ((int) sum.getValue() != data.getInt(at + 8 + length))
        throw new ImageException(name, "chunk " + title(type) + " of the PNG is broken: its checksum is wrong");
    }
    switch (type) {
      case HEADER -> {
        if (at != 8 || length != 13)
          throw new ImageException(name, "the PNG has an IHDR of " + length + " bytes at " + at + ", expected 13 at 8");
        width = data.getInt(at + 8);
        height = data.getInt(at + 12);
        bits = bytes[at + 16];
        colour = bytes[at + 17];
        if (colour < 0 || colour > 6 || colour == 1 || colour == 5)
          throw new ImageException(name, "PNG colour type " + colour + ", expected 0, 2, 3, 4 or 6");
      }
      case PALETTE -> {
        if (length > 768 || length % 3 != 0)
          throw new ImageException(name, "a PNG palette of " + length + " bytes, expected at most 256 colours");
        palette = new byte[768]; // black beyond what is named, as Pillow
        System.arraycopy(bytes, at + 8, palette, 0, length);
        if (colour != 3) return; // a suggestion only
      }
      case DATA -> packed += length;
      case EXIF -> {
        orientation = Exif.orientation(bytes, at + 8, length);
        return;
      }
      default -> { return; }
    }
    if (type != PALETTE) bare.write(bytes, at, length + 12);
    else writeWholePalette();
  }

  /// All 256 colours, so that no index is beyond the palette.
  private void writeWholePalette() {
    ByteBuffer chunk = ByteBuffer.allocate(12 + 3 * (1 << bits & 511));
    chunk.putInt(chunk.capacity() - 12).putInt(PALETTE).put(palette, 0, chunk.capacity() - 12);
    CRC32 sum = new CRC32();
    sum.update(chunk.array(), 4, chunk.capacity() - 8);
    bare.writeBytes(chunk.putInt((int) sum.getValue()).array());
  }

  private void finish() throws ImageException {
    if (colour == 3 && palette == null) throw new ImageException(name, "a PNG of indices without a palette");
    if (packed == 0) throw new ImageException(name, "the PNG has no data");
    bare.writeBytes(new byte[] {0, 0, 0, 0, 'I', 'E', 'N', 'D', (byte) 0xAE, 0x42, 0x60, (byte) 0x82});
  }

  Picture decode(Images.Options options) throws IOException {
    Images.checkSize(width, height, name, options);
    int channels = switch (colour) { case 2 -> 3; case 4 -> 2; case 6 -> 4; default -> 1; };
    long least = ((long) width * channels * bits + 7) / 8 * height;
    if (least / LARGEST_RATIO > packed)
      throw new ImageException(name, "%,d bytes of data cannot hold the %dx%d pixels that the PNG's header says".formatted(packed, width,
          height));
    Picture picture = Decoder.PNG.read(bare.toByteArray(), name, options, this::read);
    return options.upright() ? picture.upright(orientation) : picture;
  }

  private Picture read(ImageReader reader, List<String> warnings) throws IOException {
    Raster raster = reader.read(0).getRaster();
    if (!warnings.isEmpty()) throw new ImageException(name, "broken PNG (" + warnings.getFirst() + ")");
    return switch (colour) {
      case 0 -> bits == 16 ? Picture.of(Mode.GREY16, width, height, Rasters.wide(raster)) : grey(raster);
      case 2 -> Picture.of(Mode.RGB, width, height, Rasters.bytes(raster, 0, 3, true));
      case 3 -> new Picture(Mode.PALETTE, width, height, Rasters.bytes(raster, 0, 1, false), palette);
      case 4 -> Picture.of(Mode.GREY_ALPHA, width, height, Rasters.bytes(raster, 0, 2, true));
      default -> Picture.of(Mode.RGBA, width, height, Rasters.bytes(raster, 0, 4, true));
    };
  }

  private Picture grey(Raster raster) {
    byte[] samples = Rasters.bytes(raster, 0, 1, false);
    int largest = (1 << bits) - 1;
    if (bits < 8) for (int i = 0; i < samples.length; i++) samples[i] = (byte) (samples[i] * 255 / largest);
    return Picture.of(bits == 1 ? Mode.BILEVEL : Mode.GREY, width, height, samples);
  }

  private static String title(int type) {
    String letters = new String(ByteBuffer.allocate(4).putInt(type).array(), StandardCharsets.ISO_8859_1);
    return letters.chars().allMatch(Character::isLetter) ? letters : "%08X".formatted(type);
  }
}
