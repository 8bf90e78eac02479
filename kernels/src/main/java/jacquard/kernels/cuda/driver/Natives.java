package jacquard.kernels.cuda.driver;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import jcuda.LibUtils;

/// Native libraries out of resources. JCuda looks for its own in the folder of temporary files and loads what it finds
/// there; its own way of unpacking them finds nothing across two modules, so they are put there before it looks.
final class Natives {
  private static final String JCUDA = "12.6.0";

  private Natives() {}

  /// The bytes of a resource of any module or jar, or null.
  static byte[] resource(String name) {
    try (var in = Natives.class.getClassLoader().getResourceAsStream(name)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException("resource " + name, e);
    }
  }

  private static String file(String library, String version) {
    return LibUtils.createLibraryFileName(library + "-" + version + "-"
        + (System.getProperty("os.name").startsWith("Windows") ? "windows" : "linux") + "-x86_64");
  }

  /// Puts JCuda's driver library where JCuda looks for it. Returns why that cannot be done, or null.
  static String unpackJCuda() { return unpack("jcuda-natives", "JCudaDriver", JCUDA); }

  /// Whatever version a binding has, it looks for a library of JCuda's version.
  private static String unpack(String jar, String library, String version) {
    var file = file(library, version);
    var bytes = resource("lib/" + file);
    if (bytes == null)
      return "the jar " + jar + " " + version + " for this system is missing (no resource lib/" + file + ")";
    try {
      place(Path.of(System.getProperty("java.io.tmpdir"), file(library, JCUDA)), bytes);
      return null;
    } catch (IOException e) {
      return "cannot write " + file + ": " + e;
    }
  }

  /// Whether a class of an optional module can be used from here.
  static boolean visible(String module, String type) {
    try {
      Class.forName(type, false, Natives.class.getClassLoader());
      var here = Natives.class.getModule();
      return !here.isNamed() || here.getLayer().findModule(module).map(here::canRead).orElse(false);
    } catch (ClassNotFoundException e) { return false; }
  }

  /// Makes ready to load JCuda's binding of a vendor's library: an `IllegalStateException` says what is missing. A
  /// class whose library is not found can never be loaded again, so that all is looked for before.
  static void vendor(String module, String type, String version, String binding, String library) {
    if (!visible(module, type))
      throw new IllegalStateException(
          "put %s %s and %s-natives %s on the class path, or on the module path with --add-modules %s".formatted(module,
          version, module, version, module));
    try { Emulation.lend(library); }
    catch (IOException | UnsatisfiedLinkError e) { throw new IllegalStateException("the stand-in for " + library
        + " cannot be loaded: " + e.getMessage(), e); }
    try { SymbolLookup.libraryLookup(library, Arena.global()); }
    catch (IllegalArgumentException e) { throw new IllegalStateException(library + " was not found", e); }
    var why = unpack(module + "-natives", binding, version);
    if (why != null) throw new IllegalStateException(why);
  }

  /// Writes a file unless it holds these bytes already; whole or not at all, so that processes do not meet half of one.
  static void place(Path target, byte[] bytes) throws IOException {
    if (Files.exists(target) && Files.size(target) == bytes.length && Arrays.equals(Files.readAllBytes(target), bytes))
      return;
    var part = Files.createTempFile(target.getParent(), target.getFileName().toString(), ".part");
    try {
      Files.write(part, bytes);
      try { Files.move(part, target, StandardCopyOption.ATOMIC_MOVE); }
      catch (AtomicMoveNotSupportedException e) { Files.move(part, target, StandardCopyOption.REPLACE_EXISTING); }
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
