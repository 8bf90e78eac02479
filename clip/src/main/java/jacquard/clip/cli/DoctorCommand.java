package jacquard.clip.cli;

import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.lang.management.ManagementFactory;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

@Command(name = "doctor", mixinStandardHelpOptions = true, description = "Says what this runs on, how fast it is, and every reason for being slower than it should.")
final class DoctorCommand implements Callable<Integer> {
  /// Below this the vector code did not compile: even one AVX2 core of a slow machine reaches twice as much.
  private static final double SUSPICIOUS = 10;

  @Override public Integer call() {
    var v = Runtime.version();
    int cores = Runtime.getRuntime().availableProcessors();
    System.out.printf("Java     %s %s (%s)%n", System.getProperty("java.vm.name"), v, System.getProperty("java.home"));
    System.out.printf("machine  %s, %d cores, heap up to %,d MiB%n", System.getProperty("os.arch"), cores, Runtime.getRuntime().maxMemory() >> 20);
    if (v.feature() == 25 && v.interim() == 0 && v.update() < 3) System.out.println("WARNING  JDKs before 25.0.3 may move pinned arrays: update");
    if (Runtime.getRuntime().maxMemory() < 2L << 30) System.out.println("WARNING  less than 2 GiB of heap: set JACQUARD_OPTS=-Xmx…");
    for (var a : ManagementFactory.getRuntimeMXBean().getInputArguments())
      if (a.contains("UseCompactObjectHeaders") && a.contains("+")) System.out.println("WARNING  compact object headers corrupt strings on JDK 25: leave them off");
    var device = Device.best();
    System.out.printf("device   %s%n", device.name());
    Device.unavailable().forEach((kind, why) -> System.out.printf("no %-6s%s%n", kind, why));
    double best = 0;
    try (var _ = Scope.open(device)) {
      Tensor a = Tensor.full(Shape.of(768, 768), 0.5f), b = Tensor.full(Shape.of(768, 768), 0.25f);
      long until = System.nanoTime() + 3_000_000_000L;
      while (System.nanoTime() < until) {
        try (var _ = Scope.open()) {
          long t = System.nanoTime();
          a.matmul(b);
          best = Math.max(best, 2.0 * 768 * 768 * 768 / (System.nanoTime() - t));
        }
      }
    }
    System.out.printf("matmul   %.0f GFLOP/s at 768³ on all cores, best of 3 seconds%n", best);
    if (best < SUSPICIOUS * cores) System.out.printf("WARNING  expected more than %.0f: the vector code is not compiled (is C2 off, or another JVM than HotSpot in use?), or the machine is very busy%n", SUSPICIOUS * cores);
    return 0;
  }
}
