package jacquard.clip.image.decode.jpeg;

import jacquard.clip.image.decode.Library;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/// libjpeg-turbo through its TurboJPEG interface (`tjDecompress2` of version 2.0 and later), where the machine has it:
/// the same pixels as the platform's decoder some four times as fast, and every kind of JPEG. All memory is sized here:
/// the library is told width and height, and refuses or shrinks what does not fit.
@SuppressWarnings("restricted")
public final class TurboJpeg {
  /// Where the library is looked for; the last is what macOS calls it.
  static final List<String> NAMES = List.of("libturbojpeg.so.0", "libturbojpeg.so", "libturbojpeg.dylib");
  private static final int ACCURATE = 4096, AT_MOST_500_SCANS = 32768; // turbojpeg.h
  private static final int[] FORMAT = {-1, 6, -1, 0, 11}; // TJPF by samples a pixel: grey, RGB, CMYK

  private static final List<String> WARNINGS =
      List.of("Corrupt JPEG data", "Premature end of JPEG file", "unknown JFIF revision",
      "Inconsistent progression", "Invalid SOS parameters", "Unknown Adobe color transform");

  private static final Library.Bound<TurboJpeg> LIBRARY = Library.bind(NAMES, TurboJpeg::new);

  private final MethodHandle open, decompress, close, error;

  private TurboJpeg(Library library) {
    var address = ValueLayout.ADDRESS;
    var number = ValueLayout.JAVA_INT;
    open = library.function("tjInitDecompress", address);
    decompress = library.function("tjDecompress2", number, address, address, Library.eightBytes("long"), address,
        number, number, number, number, number);
    close = library.function("tjDestroy", number, address);
    error = library.function("tjGetErrorStr2", address, address);
  }

  /// Why the library cannot be used; null where it can.
  public static String missing() { return LIBRARY.missing(); }

  /// What was decoded: samples `[height, width, components]`, and the first warning or null.
  record Decoded(byte[] samples, String warning) {}

  /// Decodes a file whose header was read already.
  /// @throws IllegalArgumentException with the library's words where it gives up
  static Decoded decode(byte[] bytes, int width, int height, int components) {
    return LIBRARY.functions().run(bytes, width, height, components);
  }

  private Decoded run(byte[] bytes, int width, int height, int components) {
    MemorySegment handle = null;
    try (var arena = Arena.ofConfined()) {
      handle = (MemorySegment) open.invokeExact();
      if (handle.address() == 0) throw new IllegalArgumentException("libturbojpeg has no memory");
      byte[] samples = new byte[Math.multiplyExact(components, Math.multiplyExact(width, height))];
      MemorySegment file = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), pixels =
          arena.allocate(samples.length, 64);
      int result = (int) decompress.invokeExact(handle, file, (long) bytes.length, pixels, width, width * components,
          height,
          FORMAT[components], ACCURATE | AT_MOST_500_SCANS);
      String words = result == 0 ? null : ((MemorySegment) error.invokeExact(handle)).reinterpret(200).getString(0);
      if (words != null && !warns(words)) throw new IllegalArgumentException(words);
      MemorySegment.copy(pixels, ValueLayout.JAVA_BYTE, 0, samples, 0, samples.length);
      return new Decoded(samples, words);
    } catch (RuntimeException | Error stated) {
      throw stated;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    } finally {
      destroy(handle);
    }
  }

  /// Whether the library goes on after these words (jerror.h). Its own code for that says so too where an error came
  /// after a warning.
  private static boolean warns(String words) {
    for (String start : WARNINGS) if (words.contains(start)) return true;
    return false;
  }

  private void destroy(MemorySegment handle) {
    try {
      if (handle != null && handle.address() != 0) { int _ = (int) close.invokeExact(handle); }
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }
}
