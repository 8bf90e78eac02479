package jacquard.kernels.cuda.driver;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/// Our own `libcuda.so.1`, which runs the kernels on the CPU: for tests on machines without a GPU, switched on by
/// `JACQUARD_CUDA=emulated`. JCuda and the launch code above it are the same as on a GPU.
public final class Emulation {
  /// In which order the threads of a block run where they may run in any.
  public enum Order { FORWARD, REVERSE, SHUFFLED }

  private static final String FOLDER = "jacquard/cuda/emulation/";
  private static MethodHandle set;
  private static Path folder;

  private Emulation() {}

  /// Whether the emulation was built with this program.
  public static boolean built() { return Natives.class.getClassLoader().getResource(FOLDER + "libcuda.so.1") != null; }

  public static boolean on() { return set != null; }

  /// Loads the emulated driver, so that JCuda finds it and no other. Once, before JCuda.
  static synchronized void load() throws IOException {
    if (set != null) return;
    folder = Files.createTempDirectory("jacquard-cuda");
    // another build of it: that of `cuda-src/build sanitized`
    var other = System.getProperty("jacquard.cuda.emulation");
    if (other == null)
      for (var name : new String[] {"libcuda.so.1", "libkernels.so", "libkernels-checked.so"}) unpack(name);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try (var files = Files.list(folder)) {
        for (var f : files.toList()) Files.deleteIfExists(f);
        Files.deleteIfExists(folder);
      } catch (IOException e) { /* temporary files */ }
    }));
    var library = (other == null ? folder : Path.of(other)).resolve("libcuda.so.1").toAbsolutePath().toString();
    // JCuda's library asks for libcuda.so.1 and is given this one
    System.load(library);
    set = Linker.nativeLinker().downcallHandle(SymbolLookup.libraryLookup(library, Arena.global()).find("emulation_set")
        .orElseThrow(),
        FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
  }

  private static Path unpack(String name) throws IOException {
    var bytes = Natives.resource(FOLDER + name);
    if (bytes == null) throw new IOException("resource " + FOLDER + name + " is missing: run cuda-src/build");
    return Files.write(folder.resolve(name), bytes);
  }

  /// Loads our stand-in for a vendor's library, where the driver is emulated; not with the property
  /// `jacquard.cuda.vendors=off`.
  static synchronized void lend(String library) throws IOException {
    if (set == null || System.getProperty("jacquard.cuda.vendors", "").equals("off")
        || Files.exists(folder.resolve(library)))
      return;
    System.load(unpack(library).toString());
  }

  /// Turns a knob of the emulation (see `cuda-src/host/driver.cpp`); returns what it was.
  private static long set(String name, long value) {
    if (set == null) throw new IllegalStateException("the CUDA emulation is not switched on");
    try (var arena = Arena.ofConfined()) { return (long) set.invokeExact(arena.allocateFrom(name), value); }
    catch (Throwable t) { throw new IllegalStateException(t); }
  }

  public static Order order(Order order) { return Order.values()[(int) set("order", order.ordinal())]; }

  /// Whether kernels run with the memory, race and barrier checks; about three times as slow.
  public static boolean check(boolean on) { return set("check", on ? 1 : 0) == 1; }

  /// Bytes that each device has.
  public static long memory(long bytes) { return set("memory", bytes); }

  /// Whether launches run their kernels; without, the cost of launching can be measured.
  public static boolean launches(boolean on) { return set("launches", on ? 1 : 0) == 1; }

  /// Makes a device disappear; −1 brings it back.
  public static void lose(int device) { set("lost", device); }

  /// Makes a device forget its fault.
  public static void heal(int device) { set("heal", device); }
}
