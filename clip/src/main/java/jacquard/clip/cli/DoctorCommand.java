package jacquard.clip.cli;

import com.sun.management.OperatingSystemMXBean;
import jacquard.clip.image.Images;
import jacquard.clip.settings.Count;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

@Command(name = "doctor", mixinStandardHelpOptions = true, sortOptions = false)
final class DoctorCommand implements Callable<Integer> {
  /// What a product of this size reaches on every machine that we measured is above 80 %; noise of neighbours stays
  /// above this.
  private static final double SHARE = 0.7;
  private static final int SIZE = 768;
  private static final long GIBI = 1L << 30;

  private final List<String> warnings = new ArrayList<>();

  @Override public Integer call() {
    java();
    machine();
    pictures();
    boolean found = devices();
    for (var w : warnings) System.out.println("WARNING   " + w);
    System.out.println(!found ? "No device can be used." : warnings.isEmpty() ? "Nothing is wrong." : warnings.size()
        + (warnings.size() == 1 ? " warning." : " warnings."));
    return found ? 0 : 1;
  }

  private static void say(String name, String format, Object... values) {
    System.out.printf("%-9s %s%n", name, format.formatted(values));
  }

  private void java() {
    var v = Runtime.version();
    var vm = System.getProperty("java.vm.name");
    say("Java", "%s %s (%s)", vm, v, System.getProperty("java.home"));
    if (v.feature() == 25 && v.interim() == 0 && v.update() < 3)
      warnings.add("JDK " + v + ": those before 25.0.3 may move pinned arrays and change results; update");
    if (!vm.contains("Server")) warnings.add(vm + ": the kernels are made for HotSpot's C2 compiler (a \"Server VM\")");
    var flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
    for (var f : flags) {
      var why = reason(f);
      if (why != null) warnings.add(f + ": " + why);
    }
    var shown = flags.stream().filter(f -> !f.startsWith("-Djdk.module") && !f.startsWith("--")).toList();
    say("flags", "%s", shown.isEmpty() ? "none" : String.join(" ", shown));
  }

  /// Why a flag of the JVM makes it slow or wrong; null where it does not.
  static String reason(String flag) {
    if (flag.equals("-Xint")) return "nothing is compiled, about a hundred times slower";
    if (flag.equals("-Xcomp")) return "everything is compiled before anything is known of it";
    if (flag.startsWith("-XX:TieredStopAtLevel=") && !flag.endsWith("=4"))
      return "C2 never compiles, and vectors become objects";
    if (flag.equals("-XX:-UseSuperWord")) return "plain loops stay scalar";
    if (flag.equals("-XX:+UseCompactObjectHeaders"))
      return "compact object headers corrupt strings on JDK 25: leave them off";
    if (flag.startsWith("-XX:UseAVX=") && !flag.endsWith("=3")) return "narrower vectors than the CPU may have";
    if (flag.startsWith("-agentlib:jdwp") || flag.startsWith("-Xrunjdwp") || flag.equals("-Xdebug"))
      return "a debugger: compiled code is less free";
    if (flag.startsWith("-javaagent") || flag.startsWith("-agentpath")) return "an agent may instrument every method";
    if (flag.equals("-XX:+UseSerialGC")) return "one thread collects all garbage";
    if (flag.equals("-XX:+UseZGC") || flag.equals("-XX:+UseShenandoahGC"))
      return "its barriers cost on every reference; measured slower than G1 here";
    if (flag.equals("-XX:-EnableVectorSupport")) return "the Vector API is not compiled to vector instructions";
    return null;
  }

  private void machine() {
    var os = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    var runtime = Runtime.getRuntime();
    int cores = runtime.availableProcessors(), present = present();
    say("CPU", "%s, %s, %s%s", model(), System.getProperty("os.arch"), Count.of(cores, "core"),
        present > cores ? " of " + present : "");
    if (present > cores)
      warnings.add(cores + " of the machine's " + present + " cores: a container limit, an affinity mask or "
          + "-XX:ActiveProcessorCount holds the others back");
    double load = os.getSystemLoadAverage();
    if (load > 0.5 * cores)
      warnings.add(("a load of %.1f on %s over the last minute: others are at work, and what is measured here is "
          + "too low").formatted(load, Count.of(cores, "core")));
    long heap = runtime.maxMemory(), memory = os.getTotalMemorySize();
    say("memory", "heap up to %s of %s", size(heap), size(memory));
    if (heap < 2 * GIBI)
      warnings.add(
          "a heap of %s, expected 2 GiB or more: set JACQUARD_OPTS=-Xmx…g, or -Xmx where you embed".formatted(
          size(heap)));
    else if (heap < memory / 3)
      warnings.add("a heap of %.1f GiB where the machine has %.1f: larger batches fit with a larger -Xmx".formatted(heap
          / (double) GIBI, memory / (double) GIBI));
  }

  private static String size(long bytes) {
    return bytes < GIBI ? (bytes >> 20) + " MiB" : "%.1f GiB".formatted(bytes / (double) GIBI);
  }

  private void pictures() {
    say("pictures", "JPEG by %s, lossy WebP by %s", Images.jpegDecoder(), Images.webpDecoder());
    if (!Images.jpegDecoder().startsWith("libjpeg-turbo"))
      warnings.add("JPEG files are decoded without libjpeg-turbo: the same pixels in three to four times the time, "
          + "and a few kinds are refused; install it (Debian: libturbojpeg0)");
  }

  private boolean devices() {
    Device best;
    try {
      for (var d : Device.all()) {
        say("device", "%s", d.name());
        if (d.name().indexOf(':') < 0)
          for (var l : d.libraries())
            say("  " + l.work(), l.missing() == null ? "%s on request: --%s %s" : "no %s: %4$s", l.name(), l.work(),
                l.name(), l.missing());
      }
      Device.unavailable().forEach((kind, why) -> say("device", "no %s: %s", kind, why));
      best = Device.best();
    } catch (RuntimeException | LinkageError e) {
      warnings.add("no device: " + (e.getCause() != null ? e.getCause() : e).getMessage());
      return false;
    }
    var health = best.health();
    health.facts().forEach((name, value) -> say("  " + name, "%s", value));
    warnings.addAll(health.warnings());
    double reached = product(best);
    boolean roof = health.peak() > 0;
    say("product", "%.0f GFLOP/s at %d³%s", reached, SIZE, roof
        ? ", %.0f %% of the multiply-adds; expected at least %.0f %%".formatted(100 * reached / health.peak(),
        100 * SHARE) : "");
    if (roof && reached < SHARE * health.peak())
      warnings.add(("a product of %d³ reaches %.1f GFLOP/s, expected at least %.1f: the machine is busy, or the kernel "
          + "is badly compiled; run doctor again").formatted(SIZE, reached, SHARE * health.peak()));
    return true;
  }

  /// The best of two seconds, in GFLOP/s.
  private static double product(Device device) {
    double best = 0;
    try (var _ = Scope.open(device)) {
      Tensor a = Tensor.full(Shape.of(SIZE, SIZE), 0.5f), b = Tensor.full(Shape.of(SIZE, SIZE), 0.25f);
      for (long until = System.nanoTime() + 2_000_000_000L; System.nanoTime() < until; ) {
        try (var _ = Scope.open()) {
          long start = System.nanoTime();
          a.matmul(b);
          device.synchronize();
          best = Math.max(best, 2.0 * SIZE * SIZE * SIZE / (System.nanoTime() - start));
        }
      }
    }
    return best;
  }

  /// Cores of the machine, whatever this process may use; 0 where the system does not say.
  private static int present() {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) { return (int) lines.filter(l -> l.startsWith("processor"))
        .count(); } catch (IOException e) { return 0; }
  }

  private static String model() {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines.filter(l -> l.startsWith("model name")).findFirst().map(l -> l.substring(l.indexOf(':') + 1).strip())
          .orElse("unknown CPU");
    } catch (IOException e) { return System.getProperty("os.name"); }
  }
}
