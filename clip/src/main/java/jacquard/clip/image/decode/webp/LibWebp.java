package jacquard.clip.image.decode.webp;

import jacquard.clip.image.decode.Library;
import jacquard.clip.image.decode.vp8.KeyFrame;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/// The VP8 frames of lossy WebP files by libwebp, where the machine has it: the pixels of [KeyFrame] in less
/// time. The library is asked for nothing else: what is packed without loss, opacity too, is unpacked in Java, for
/// versions before 1.3.2 write beyond their tables there.
public final class LibWebp {
  /// Where the library is looked for; the last is what macOS calls it.
  static final List<String> NAMES = List.of("libwebp.so.7", "libwebp.so", "libwebp.dylib");

  private static final Library.Bound<LibWebp> LIBRARY = Library.bind(NAMES, LibWebp::new);

  private final MethodHandle decode;

  private LibWebp(Library library) {
    var address = ValueLayout.ADDRESS;
    var size = Library.eightBytes("size_t");
    decode = library.function("WebPDecodeRGBInto", address, address, size, address, size, ValueLayout.JAVA_INT);
  }

  /// Why the library cannot be used; null where it can.
  public static String missing() { return LIBRARY.missing(); }

  /// Decodes the frame in bytes `from` to `to`, whose header was read already.
  /// @throws IllegalArgumentException when they are no whole key frame
  static KeyFrame.Image decode(byte[] bytes, int from, int to, int[] size) {
    return LIBRARY.functions().run(MemorySegment.ofArray(bytes).asSlice(from, to - from), size[0], size[1]);
  }

  private KeyFrame.Image run(MemorySegment bytes, int width, int height) {
    try (var arena = Arena.ofConfined()) {
      byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
      MemorySegment frame = arena.allocate(bytes.byteSize()).copyFrom(bytes), pixels = arena.allocate(rgb.length, 64);
      var written = (MemorySegment) decode.invokeExact(frame, frame.byteSize(), pixels, (long) rgb.length, 3 * width);
      if (written.address() == 0) throw new IllegalArgumentException("the VP8 frame is cut or damaged");
      MemorySegment.copy(pixels, ValueLayout.JAVA_BYTE, 0, rgb, 0, rgb.length);
      return new KeyFrame.Image(width, height, rgb);
    } catch (RuntimeException | Error stated) {
      throw stated;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }
}
