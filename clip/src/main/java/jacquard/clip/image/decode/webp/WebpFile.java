package jacquard.clip.image.decode.webp;


import jacquard.clip.image.ImageException;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import jacquard.clip.image.decode.Exif;
import jacquard.clip.image.decode.FileBytes;
import jacquard.clip.image.decode.vp8.KeyFrame;
import jacquard.clip.image.decode.vp8l.Lossless;
import jacquard.tensor.Padding;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// A WebP file (RFC 9649): a still picture, or the first frame of an animation on its canvas. Lossy pictures are
/// decoded by libwebp where the machine has
/// it, else by [KeyFrame], lossless ones by [Lossless], all to the bit of the reference decoder.
public final class WebpFile {
  private static final int VP8 = code("VP8 "), VP8L = code("VP8L"), VP8X = code("VP8X"), ALPH = code("ALPH"), ANMF =
      code("ANMF"),
      EXIF = code("EXIF");
  private static final int HAS_OPACITY = 16, ANIMATED = 2, FLAGS = 0x3E;

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

  private static WebpFile parse(byte[] bytes, String name) throws ImageException {
    WebpFile file = new WebpFile(bytes, name);
    if (bytes.length < 20)
      throw new ImageException(name, "truncated WebP of " + bytes.length + " bytes, expected at least 20");
    long whole = (file.data.getInt(4) & 0xFFFFFFFFL) + 8;
    if (whole > bytes.length)
      throw new ImageException(name,
          "truncated WebP: its header says %,d bytes, found %,d".formatted(whole, bytes.length));
    file.walk(12, (int) whole);
    if (file.canvas != null && (bytes[file.canvas.from] & ~FLAGS) != 0)
      throw new ImageException(name, "a WebP with the flags %02X, expected none beside %02X".formatted(
          bytes[file.canvas.from] & 255, FLAGS));
    int first = file.data.getInt(12);
    if (file.picture == null || first != VP8 && first != VP8L && first != VP8X)
      throw new ImageException(name, "a WebP without a picture");
    if (file.frame != null != (file.canvas != null && (bytes[file.canvas.from] & ANIMATED) != 0))
      throw new ImageException(name, "a WebP that says of itself that it "
          + (file.frame == null ? "moves, without frames"
          : "stands still, with frames"));
    return file;
  }

  private void walk(int start, int end) throws ImageException {
    for (long at = start; at + 8 <= end; ) {
      int from = (int) at + 8;
      long length = data.getInt((int) at + 4) & 0xFFFFFFFFL;
      if (length + (length & 1) > end - from)
        throw new ImageException(name,
            "a chunk of the WebP at byte %d says %,d bytes, %,d are left".formatted(at, length, end - from));
      chunk(new Chunk(data.getInt((int) at), from, (int) length));
      at += 8 + length + (length & 1);
      // behind a canvas the chunks fill the file
      if (start == 12 && canvas != null && at < end && at + 8 > end)
        throw new ImageException(name, "truncated WebP: a chunk at byte %d has no header".formatted(at));
    }
  }

  private void chunk(Chunk chunk) throws ImageException {
    if (chunk.type == VP8X && canvas == null) canvas = atLeast(chunk, 10);
    if ((chunk.type == VP8 || chunk.type == VP8L) && picture == null) picture = chunk;
    if (chunk.type == ALPH && picture == null) opacity = chunk;
    if (chunk.type == ANMF) frame(atLeast(chunk, 16));
    if (chunk.type == EXIF) {
      int skipped = Exif.prefix(bytes, chunk.from, chunk.length);
      orientation = Exif.orientation(bytes, chunk.from + skipped, chunk.length - skipped);
    }
  }

  /// The first frame's chunks are kept; those of the others are only to be sound, as Pillow wants them.
  private void frame(Chunk chunk) throws ImageException {
    WebpFile inner = frame == null && picture == null ? this : new WebpFile(bytes, name);
    if (inner == this) frame = chunk;
    inner.walk(chunk.from + 16, chunk.end());
    if (inner == this) return;
    try {
      int[] size = inner.picture == null ? new int[2] : inner.size();
      if (size[0] == three(chunk.from + 6) + 1 && size[1] == three(chunk.from + 9) + 1) return;
    } catch (IllegalArgumentException broken) {
      // said below
    }
    throw new ImageException(name, "broken WebP (the frame at byte %d has no picture of its size)".formatted(
        chunk.from - 8));
  }

  /// Width and height, as the picture's own header says them.
  private int[] size() {
    if (picture.type != VP8L) return KeyFrame.size(bytes, picture.from, picture.end());
    Lossless.Size size = Lossless.size(bytes, picture.from, picture.end());
    return new int[] {size.width(), size.height()};
  }

  private Chunk atLeast(Chunk chunk, int length) throws ImageException {
    if (chunk.length < length)
      throw new ImageException(name,
          "a chunk of the WebP at byte %d has %d bytes, expected at least %d".formatted(chunk.from - 8,
          chunk.length, length));
    return chunk;
  }

  /// The still picture, or the first frame on its canvas.
  public static Picture decode(FileBytes source) throws ImageException {
    WebpFile file = parse(source.bytes(), source.name());
    try {
      Picture still = file.picture.type == VP8L ? file.lossless(source) : file.lossy(source);
      if (file.frame != null) still = file.onCanvas(still, source);
      else if (file.canvas != null && (still.width() != file.three(file.canvas.from + 4) + 1
          || still.height() != file.three(file.canvas.from + 7) + 1))
        throw source.refusal("a WebP whose picture %s does not fill its canvas", still);
      return source.options().upright() ? still.upright(file.orientation) : still;
    } catch (IllegalArgumentException broken) {
      throw new ImageException(source.name(), "broken WebP (" + broken.getMessage() + ")", broken);
    }
  }

  private int three(int at) { return data.getShort(at) & 0xFFFF | (data.get(at + 2) & 255) << 16; }

  /// The frame at its place; elsewhere black, and clear where the canvas has opacity.
  private Picture onCanvas(Picture still, FileBytes source) throws ImageException {
    if (canvas == null) throw new ImageException(name, "an animated WebP without a canvas");
    int width = three(canvas.from + 4) + 1, height = three(canvas.from + 7) + 1, left = 2 * three(frame.from),
        top = 2 * three(frame.from + 3);
    source.checkSize(width, height);
    if (left > width - still.width() || top > height - still.height())
      throw new ImageException(name,
          "a frame %s at (%d, %d) beyond the canvas of %dx%d".formatted(still, left, top, width, height));
    int right = width - still.width() - left, bottom = height - still.height() - top;
    boolean clear = (data.get(canvas.from) & HAS_OPACITY) != 0;
    if (clear && still.mode() == Mode.RGB) still = joined(still.samples(), null, still.width(), still.height());
    else if (!clear && still.mode() == Mode.RGBA) still = still.pixels().picture();
    return left + top + right + bottom == 0 ? still : still.pad(new Padding(top, left, bottom, right), 0);
  }

  private Picture lossless(FileBytes source) throws ImageException {
    Lossless.Size size = Lossless.size(bytes, picture.from, picture.end());
    source.checkSize(size.width(), size.height());
    int[] pixels = Lossless.decode(bytes, picture.from, picture.end());
    Mode mode = size.opacity() ? Mode.RGBA : Mode.RGB;
    byte[] samples = new byte[Math.multiplyExact(pixels.length, mode.bytes())];
    for (int i = 0, o = 0; i < pixels.length; i++) {
      samples[o++] = (byte) (pixels[i] >> 16);
      samples[o++] = (byte) (pixels[i] >> 8);
      samples[o++] = (byte) pixels[i];
      if (mode == Mode.RGBA) samples[o++] = (byte) (pixels[i] >> 24);
    }
    return Picture.of(mode, size.width(), size.height(), samples);
  }

  private Picture lossy(FileBytes source) throws ImageException {
    int[] size = KeyFrame.size(bytes, picture.from, picture.end());
    source.checkSize(size[0], size[1]);
    KeyFrame.Image image = LibWebp.missing() == null ? LibWebp.decode(bytes, picture.from, picture.end(), size)
        : KeyFrame.decode(bytes, picture.from, picture.end());
    // opacity that the canvas does not announce makes the picture RGBA, and does not count
    boolean said = canvas != null && (data.get(canvas.from) & HAS_OPACITY) != 0;
    if (opacity == null && !said) return Picture.of(Mode.RGB, image.width(), image.height(), image.rgb());
    return joined(image.rgb(), opacity == null || !said ? null
        : AlphaPlane.decode(bytes, opacity.from, opacity.end(), image.width(), image.height()), image.width(),
        image.height());
  }

  /// The colours with an opacity, opaque where that is null.
  private static Picture joined(byte[] rgb, byte[] opacity, int width, int height) {
    byte[] out = new byte[Math.multiplyExact(4, width * height)];
    for (int i = 0, o = 0, pixel = 0; o < out.length; i += 3, o += 4, pixel++) {
      out[o] = rgb[i];
      out[o + 1] = rgb[i + 1];
      out[o + 2] = rgb[i + 2];
      out[o + 3] = opacity == null ? -1 : opacity[pixel];
    }
    return Picture.of(Mode.RGBA, width, height, out);
  }
}
