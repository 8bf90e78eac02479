package jacquard.clip.image.decode.tiff;

import jacquard.clip.image.decode.Library;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/// Strips packed by Zstandard, by libzstd 1.5.7 or later where the machine has it. A frame is unpacked at once into
/// what the strip holds, so that it needs no window.
final class Zstd {
  static final List<String> NAMES = List.of("libzstd.so.1", "libzstd.so", "libzstd.dylib");

  private static final Library.Bound<Zstd> LIBRARY = Library.bind(NAMES, Zstd::new);

  private static final int LEAST = 1_05_07; // earlier ones make other bytes of damaged data

  private final MethodHandle frame, decompress;

  private Zstd(Library library) {
    int version = version(library);
    if (version < LEAST)
      throw new UnsatisfiedLinkError("libzstd %d.%d.%d, expected 1.5.7 or later".formatted(version / 10_000,
          version / 100 % 100, version % 100));
    var address = ValueLayout.ADDRESS;
    var size = Library.eightBytes("size_t");
    frame = library.function("ZSTD_findFrameCompressedSize", size, address, size);
    decompress = library.function("ZSTD_decompress", size, address, size, address, size);
  }

  private static int version(Library library) {
    try {
      return (int) library.function("ZSTD_versionNumber", ValueLayout.JAVA_INT).invokeExact();
    } catch (RuntimeException | Error stated) {
      throw stated;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }

  /// Why the library cannot be used; null where it can.
  static String missing() { return LIBRARY.missing(); }

  /// The `size` bytes of a strip, or fewer where it is cut or damaged.
  static byte[] decode(byte[] packed, int size) { return LIBRARY.functions().run(packed, size); }

  private byte[] run(byte[] packed, int size) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_BYTE, packed), out = arena.allocate(size);
      long length = (long) frame.invokeExact(in, in.byteSize());
      if (length < 0 || length > packed.length) return new byte[0]; // an error is a number below 0
      long count = (long) decompress.invokeExact(out, (long) size, in, length);
      return out.asSlice(0, Math.clamp(count, 0, size)).toArray(ValueLayout.JAVA_BYTE);
    } catch (RuntimeException | Error stated) {
      throw stated;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }
}
