package jacquard.clip.image;

import jacquard.clip.image.vp8.KeyFrame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// A WebP file taken apart before decoding (RFC 9649): a still picture, or the first frame of an animation on its canvas. Lossy pictures
/// are decoded by [KeyFrame], since other decoders repeat chroma where the reference decoder interpolates it; lossless ones, and the
/// opacity of lossy ones, by the decoder on the path, which is given nothing but the picture.
final class WebpFile {
  private static final int VP8 = code("VP8 "), VP8L = code("VP8L"), VP8X = code("VP8X"), ALPH = code("ALPH"), ANMF = code("ANMF"),
      EXIF = code("EXIF");
  private static final int RIFF = code("RIFF"), WEBP = code("WEBP"), HAS_OPACITY = 16;

  /// A chunk's contents.
  private record Chunk(int type, int from, int length) {
    int end() { return from + length; }
  }

  private final byte[] bytes;
  private final ByteBuffer data;
  private final String name;
  private Chunk canvas, picture, opacity, frame;
  private int orientation = 1;

  private WebpFile(byte[] bytes, String name) {
    this.bytes = bytes;
    this.data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    this.name = name;
  }

  private static int code(String letters) {
    return ByteBuffer.wrap(letters.getBytes(StandardCharsets.US_ASCII)).order(ByteOrder.LITTLE_ENDIAN).getInt();
  }

  static WebpFile parse(byte[] bytes, String name) throws ImageException {
    WebpFile file = new WebpFile(bytes, name);
    if (bytes.length < 20) throw new ImageException(name, "truncated WebP of " + bytes.length + " bytes, expected at least 20");
    long whole = (file.data.getInt(4) & 0xFFFFFFFFL) + 8;
    if (whole > bytes.length)
      throw new ImageException(name, "truncated WebP: its header says %,d bytes, found %,d".formatted(whole, bytes.length));
    file.walk(12, (int) whole);
    if (file.picture == null) throw new ImageException(name, "a WebP without a picture");
    return file;
  }

  private void walk(int start, int end) throws ImageException {
    for (long at = start; at + 8 <= end; ) {
      int from = (int) at + 8;
      long length = data.getInt((int) at + 4) & 0xFFFFFFFFL;
      if (length > end - from)
        throw new ImageException(name, "a chunk of the WebP at byte %d says %,d bytes, %,d are left".formatted(at, length, end - from));
      chunk(new Chunk(data.getInt((int) at), from, (int) length));
      at += 8 + length + (length & 1);
    }
  }

  private void chunk(Chunk chunk) throws ImageException {
    if (chunk.type == VP8X && canvas == null) canvas = atLeast(chunk, 10);
    if ((chunk.type == VP8 || chunk.type == VP8L) && picture == null) picture = chunk;
    if (chunk.type == ALPH && picture == null) opacity = chunk;
    if (chunk.type == ANMF && picture == null) {
      frame = atLeast(chunk, 16);
      walk(frame.from + 16, frame.end());
    }
    if (chunk.type == EXIF) {
      int skipped = Exif.prefix(bytes, chunk.from, chunk.length);
      orientation = Exif.orientation(bytes, chunk.from + skipped, chunk.length - skipped);
    }
  }

  private Chunk atLeast(Chunk chunk, int length) throws ImageException {
    if (chunk.length < length)
      throw new ImageException(name, "a chunk of the WebP at byte %d has %d bytes, expected at least %d".formatted(chunk.from - 8,
          chunk.length, length));
    return chunk;
  }

  Picture decode(Images.Options options) throws IOException {
    Picture still = picture.type == VP8L ? Decoder.WEBP.decode(alone(picture), name, options) : lossy(options);
    if (frame != null) still = onCanvas(still, options);
    return options.upright() ? still.upright(orientation) : still;
  }

  private int three(int at) { return data.getShort(at) & 0xFFFF | (data.get(at + 2) & 255) << 16; }

  /// The frame at its place; elsewhere black, and clear where the canvas has opacity.
  private Picture onCanvas(Picture still, Images.Options options) throws ImageException {
    if (canvas == null) throw new ImageException(name, "an animated WebP without a canvas");
    int width = three(canvas.from + 4) + 1, height = three(canvas.from + 7) + 1, left = 2 * three(frame.from),
        top = 2 * three(frame.from + 3);
    Images.checkSize(width, height, name, options);
    if (left > width - still.width() || top > height - still.height())
      throw new ImageException(name, "a frame %s at (%d, %d) beyond the canvas of %dx%d".formatted(still, left, top, width, height));
    int right = width - still.width() - left, bottom = height - still.height() - top;
    boolean clear = (data.get(canvas.from) & HAS_OPACITY) != 0;
    if (clear && still.mode() == Mode.RGB) still = joined(still.samples(), null, still.width(), still.height());
    else if (!clear && still.mode() == Mode.RGBA) still = still.pixels().picture();
    return left + top + right + bottom == 0 ? still : still.pad(left, top, right, bottom, 0);
  }

  private Picture lossy(Images.Options options) throws IOException {
    int[] size = KeyFrame.size(bytes, picture.from, picture.end());
    Images.checkSize(size[0], size[1], name, options);
    KeyFrame.Image image = KeyFrame.decode(bytes, picture.from, picture.end());
    if (opacity == null) return Picture.of(Mode.RGB, image.width(), image.height(), image.rgb());
    Picture whole = Decoder.WEBP.decode(extended(image.width(), image.height()), name, options);
    if (whole.mode() != Mode.RGBA || whole.width() != image.width() || whole.height() != image.height())
      throw new ImageException(name, "a WebP whose opacity is " + whole + ", expected RGBA of " + image.width() + "x" + image.height());
    return joined(image.rgb(), whole.samples(), image.width(), image.height());
  }

  /// The colours with the opacity of `rgba`, or opaque.
  private static Picture joined(byte[] rgb, byte[] rgba, int width, int height) {
    byte[] out = new byte[4 * width * height];
    for (int i = 0, o = 0; o < out.length; i += 3, o += 4) {
      System.arraycopy(rgb, i, out, o, 3);
      out[o + 3] = rgba == null ? (byte) 255 : rgba[o + 3];
    }
    return Picture.of(Mode.RGBA, width, height, out);
  }

  /// A file of one lossless chunk.
  private byte[] alone(Chunk chunk) {
    ByteBuffer file = file(8 + chunk.length + (chunk.length & 1));
    put(file, chunk);
    return file.array();
  }

  /// The header, opacity and lossy chunks of a still file.
  private byte[] extended(int width, int height) {
    ByteBuffer file = file(18 + 16 + opacity.length + (opacity.length & 1) + picture.length + (picture.length & 1));
    file.putInt(VP8X).putInt(10).putInt(HAS_OPACITY).putShort((short) (width - 1)).put((byte) 0).putShort((short) (height - 1)).put((byte) 0);
    put(file, opacity);
    put(file, picture);
    return file.array();
  }

  private static ByteBuffer file(int length) {
    return ByteBuffer.allocate(12 + length).order(ByteOrder.LITTLE_ENDIAN).putInt(RIFF).putInt(4 + length).putInt(WEBP);
  }

  private void put(ByteBuffer file, Chunk chunk) {
    file.putInt(chunk.type).putInt(chunk.length).put(bytes, chunk.from, chunk.length);
    if ((chunk.length & 1) != 0) file.put((byte) 0);
  }
}
