package jacquard.clip.image.decode;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.function.Function;

/// A C library that a machine may have, called through Java's foreign functions. Java must be allowed to
/// (`--enable-native-access=jacquard.clip`); `-Djacquard.image.platform=true` does without.
@SuppressWarnings("restricted")
public final class Library {
  private static final Linker LINKER = Linker.nativeLinker();

  private final SymbolLookup symbols;

  private Library(SymbolLookup symbols) { this.symbols = symbols; }

  /// What became of binding a library's functions: they, or why there are none.
  public record Bound<T>(T functions, String missing) {}

  /// Binds the functions of the first of these files that is there.
  public static <T> Bound<T> bind(List<String> files, Function<Library, T> functions) {
    try {
      return new Bound<>(functions.apply(open(files)), null);
    } catch (RuntimeException | LinkageError absent) {
      return new Bound<>(null, absent.getMessage());
    }
  }

  private static Library open(List<String> files) {
    if (Boolean.getBoolean("jacquard.image.platform"))
      throw new UnsatisfiedLinkError("switched off by -Djacquard.image.platform=true");
    if (!Library.class.getModule().isNativeAccessEnabled())
      throw new UnsatisfiedLinkError("native access is off; start Java with --enable-native-access=jacquard.clip");
    for (String file : files) {
      try {
        return new Library(SymbolLookup.libraryLookup(file, Arena.global()));
      } catch (IllegalArgumentException absent) {
        // the next one
      }
    }
    throw new UnsatisfiedLinkError("no " + files.getFirst());
  }

  /// A function that gives `result`.
  public MethodHandle function(String name, MemoryLayout result, MemoryLayout... arguments) {
    return LINKER.downcallHandle(symbols.findOrThrow(name), FunctionDescriptor.of(result, arguments));
  }

  /// C's `long` or `size_t`, where it has eight bytes.
  public static MemoryLayout eightBytes(String type) {
    MemoryLayout layout = LINKER.canonicalLayouts().get(type);
    if (layout.byteSize() != 8)
      throw new UnsatisfiedLinkError("a platform whose C " + type + " has " + layout.byteSize() + " bytes");
    return layout;
  }
}
