package jacquard.kernels.cuda.driver;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;

/// The driver of this machine, or why there is none: looked for once.
///
/// @param driver   null where there is none
/// @param missing  null where there is one
public record Installed(Driver driver, String missing, boolean emulated) {
  private static final Installed INSTALLED = find();

  /// What `JACQUARD_CUDA` may say: nothing, `off`, or `emulated`.
  private static String mode() {
    return System.getProperty("jacquard.cuda", String.valueOf(System.getenv("JACQUARD_CUDA")));
  }

  public static Installed here() { return INSTALLED; }

  private static Installed none(String why) { return new Installed(null, why, false); }

  private static Installed find() {
    boolean emulated = false;
    switch (mode()) {
      case "null", "", "gpu" -> {}
      case "off" -> { return none("switched off by JACQUARD_CUDA=off"); }
      case "emulated" -> emulated = true;
      default -> { return none("JACQUARD_CUDA=" + mode() + ": expected emulated, off or nothing"); }
    }
    if (!Natives.visible("jcuda", "jcuda.driver.JCudaDriver"))
      return none("JCuda is not here: put jcuda 12.6.0 and jcuda-natives 12.6.0 on the class path, or on the module "
          + "path with --add-modules jcuda");
    if (emulated) {
      if (!Emulation.built())
        return none("JACQUARD_CUDA=emulated, but the emulation was not built: run cuda-src/build, then build again");
      try { Emulation.load(); }
      catch (IOException | UnsatisfiedLinkError e) { return none("the CUDA emulation cannot be loaded: "
          + e.getMessage()); }
    } else {
      try {
        if (SymbolLookup.libraryLookup("libcuda.so.1", Arena.global()).find("cuInit").isEmpty())
          return none("libcuda.so.1 is no NVIDIA driver: it has no cuInit");
      } catch (IllegalArgumentException e) { return none(
          "no NVIDIA driver: libcuda.so.1 was not found, or cannot be loaded");
      }
    }
    try {
      var why = Natives.unpackJCuda();
      if (why != null) return none(why);
      var driver = new JCuda();
      why = emulated ? null : unfit(driver);
      return why == null ? new Installed(driver, null, emulated) : none(why);
    } catch (CudaException | LinkageError e) {
      return none("the NVIDIA driver does not start: " + e.getMessage().lines().findFirst().orElse(e.toString()));
    }
  }

  /// Why a driver, or a GPU that it knows, cannot run the kernels of this build; null where they can.
  public static String unfit(Driver driver) {
    var toolkit = Natives.resource("jacquard/cuda/toolkit.txt");
    if (toolkit == null)
      return "this build has no GPU kernels: it was made without nvcc. Run cuda-src/build, then build again";
    int major = Integer.parseInt(new String(toolkit, java.nio.charset.StandardCharsets.US_ASCII).trim());
    if (driver.version() / 1000 < major)
      return "the NVIDIA driver is too old: it knows CUDA %d.%d, the kernels need CUDA %d".formatted(driver.version()
          / 1000, driver.version() % 1000 / 10, major);
    if (driver.devices() == 0) return "the NVIDIA driver finds no GPU";
    for (int i = 0; i < driver.devices(); i++)
      if (driver.attribute(i, Driver.CAPABILITY_MAJOR) < 8)
        return "GPU %d (%s) has compute capability %d.%d, the kernels need 8.0".formatted(i, driver.name(i),
            driver.attribute(i, Driver.CAPABILITY_MAJOR), driver.attribute(i, Driver.CAPABILITY_MINOR));
    return null;
  }

  /// An image of a module of kernels, for this driver.
  public byte[] image(String module) {
    var image = Natives.resource(emulated ? "jacquard/cuda/emulation/" + module + ".ptx"
        : "jacquard/cuda/" + module + ".fatbin");
    // built without nvcc: the emulation needs no image
    if (image == null && emulated) return new byte[] {0};
    if (image == null)
      throw new IllegalStateException("resource jacquard/cuda/" + module + ".fatbin is missing: run cuda-src/build");
    return image;
  }

  /// The list of kernels that the build made: name, module, bytes of arguments, threads, layout.
  public static String kernels() {
    var list = Natives.resource("jacquard/cuda/kernels.txt");
    if (list == null)
      throw new IllegalStateException("resource jacquard/cuda/kernels.txt is missing: run cuda-src/build");
    return new String(list, java.nio.charset.StandardCharsets.US_ASCII);
  }
}
