package jacquard.clip.image;

import jacquard.clip.image.vp8.KeyFrame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// A WebP file taken apart before decoding (RFC 9649). Lossy pictures are decoded by [KeyFrame], since other decoders repeat chroma where the
/// reference decoder interpolates it; lossless ones and opacity by the decoder on the path, which is given nothing but the picture.
final class WebpFile {
  private static final int VP8 = code("VP8 "), VP8L = code("VP8L"), ALPH = code("ALPH"), EXIF = code("EXIF"), ANMF = code("ANMF"), RIFF = code("RIFF"), WEBP = code("WEBP");

  private final byte[] bytes;
  private final String name;
  private int lossy = -1, lossyEnd, lossless = -1, losslessEnd, orientation = 1;
  private boolean opacity, animated;

  private WebpFile(byte[] bytes, String name) {
    this.bytes = bytes;
    this.name = name;
  }

  private static int code(String letters) { return ByteBuffer.wrap(letters.getBytes(StandardCharsets.US_ASCII)).order(ByteOrder.LITTLE_ENDIAN).getInt(); }

  static WebpFile parse(byte[] bytes, String name) throws ImageException {
    WebpFile file = new WebpFile(bytes, name);
    ByteBuffer data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long whole = bytes.length < 20 ? Long.MAX_VALUE : (data.getInt(4) & 0xFFFFFFFFL) + 8;
    if (whole > bytes.length) throw new ImageException(name, "truncated WebP: its header says " + (whole == Long.MAX_VALUE ? "at least 20" : whole) + " bytes, found " + bytes.length);
    for (long at = 12; at + 8 <= whole; ) {
      int type = data.getInt((int) at), from = (int) at + 8;
      long length = data.getInt((int) at + 4) & 0xFFFFFFFFL;
      if (length > bytes.length - from) throw new ImageException(name, "a chunk of the WebP at byte %d says %,d bytes, %,d are left".formatted(at, length, bytes.length - from));
      file.chunk(type, from, (int) length);
      at += 8 + length + (length & 1);
    }
    if (file.lossy < 0 && file.lossless < 0 && !file.animated) throw new ImageException(name, "a WebP without a picture");
    return file;
  }

  private void chunk(int type, int from, int length) {
    if (type == VP8 && lossy < 0) {
      lossy = from;
      lossyEnd = from + length;
    } else if (type == VP8L && lossless < 0) {
      lossless = from;
      losslessEnd = from + length;
    } else if (type == ALPH) {
      opacity = true;
    } else if (type == ANMF) {
      animated = true;
    } else if (type == EXIF) {
      int skipped = Exif.prefix(bytes, from, length);
      orientation = Exif.orientation(bytes, from + skipped, length - skipped);
    }
  }

  Picture decode(Images.Options options) throws IOException {
    Picture picture = animated ? Decoder.WEBP.decode(bytes, name, options) : lossless >= 0 ? Decoder.WEBP.decode(losslessAlone(), name, options) : lossy(options);
    return options.upright() ? picture.upright(orientation) : picture;
  }

  private byte[] losslessAlone() {
    byte[] alone = new byte[12 + 8 + (losslessEnd - lossless) + (losslessEnd - lossless & 1)];
    ByteBuffer.wrap(alone).order(ByteOrder.LITTLE_ENDIAN).putInt(RIFF).putInt(alone.length - 8).putInt(WEBP).putInt(VP8L).putInt(losslessEnd - lossless)
        .put(bytes, lossless, losslessEnd - lossless);
    return alone;
  }

  private Picture lossy(Images.Options options) throws IOException {
    int[] size = KeyFrame.size(bytes, lossy, lossyEnd);
    Images.checkSize(size[0], size[1], name, options);
    KeyFrame.Image image = KeyFrame.decode(bytes, lossy, lossyEnd);
    if (!opacity) return Picture.of(Mode.RGB, image.width(), image.height(), image.rgb());
    Picture whole = Decoder.WEBP.decode(bytes, name, options);
    if (whole.mode() != Mode.RGBA || whole.width() != image.width() || whole.height() != image.height())
      throw new ImageException(name, "a WebP whose opacity is " + whole + ", expected RGBA of " + image.width() + "x" + image.height());
    byte[] rgba = new byte[whole.samples().length];
    for (int i = 0, o = 0; o < rgba.length; i += 3, o += 4) {
      System.arraycopy(image.rgb(), i, rgba, o, 3);
      rgba[o + 3] = whole.samples()[o + 3];
    }
    return Picture.of(Mode.RGBA, image.width(), image.height(), rgba);
  }
}
