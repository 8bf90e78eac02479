package jacquard.clip.image.decode.tiff;

import jacquard.clip.image.decode.Library;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/// Strips packed by LZMA, each an `.xz` stream, by liblzma where the machine has it.
final class Lzma {
  static final List<String> NAMES = List.of("liblzma.so.5", "liblzma.so", "liblzma.dylib");
  private static final long MEMORY = 128 << 20; // the largest dictionary of xz's presets has 64 MiB
  private static final int OK = 0;

  private static final Library.Bound<Lzma> LIBRARY = Library.bind(NAMES, Lzma::new);

  private final MethodHandle decode;

  private Lzma(Library library) {
    var address = ValueLayout.ADDRESS;
    var size = Library.eightBytes("size_t");
    decode = library.function("lzma_stream_buffer_decode", ValueLayout.JAVA_INT, address, ValueLayout.JAVA_INT,
        address, address, address, size, address, address, size);
  }

  /// Why the library cannot be used; null where it can.
  static String missing() { return LIBRARY.missing(); }

  /// The `size` bytes of a strip, or fewer where it is cut or damaged.
  static byte[] decode(byte[] packed, int size) { return LIBRARY.functions().run(packed, size); }

  private byte[] run(byte[] packed, int size) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_BYTE, packed), out = arena.allocate(size);
      MemorySegment most = arena.allocateFrom(ValueLayout.JAVA_LONG, MEMORY), none = MemorySegment.NULL;
      MemorySegment read = arena.allocate(8, 8), written = arena.allocate(8, 8);
      int result = (int) decode.invokeExact(most, 0, none, in, read, in.byteSize(), out, written, (long) size);
      long count = result == OK ? written.get(ValueLayout.JAVA_LONG, 0) : 0;
      return out.asSlice(0, Math.clamp(count, 0, size)).toArray(ValueLayout.JAVA_BYTE);
    } catch (RuntimeException | Error stated) {
      throw stated;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }
}
