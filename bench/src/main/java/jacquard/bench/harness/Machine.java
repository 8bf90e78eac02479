package jacquard.bench.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;

/// What every figure is named with.
public record Machine(String cpu, int cores, int bits, String jdk, String options, LocalDate date) {
  public static Machine here(List<String> options) {
    int bits = options.contains("-XX:UseAVX=2") ? Math.min(256, Ceiling.bits()) : Ceiling.bits();
    for (var o : options)
      if (o.startsWith("-Djacquard.simd.bits=")) bits = Integer.parseInt(o.substring(o.indexOf('=') + 1));
    return new Machine(cpuName(), Runtime.getRuntime().availableProcessors(), bits,
        System.getProperty("java.vendor.version", "") + " " + Runtime.version(), String.join(" ", options),
        LocalDate.now());
  }

  /// The model's name and, since virtual machines hide which one it is, its family.
  private static String cpuName() {
    try {
      var lines = Files.readAllLines(Path.of("/proc/cpuinfo"));
      int family = Integer.parseInt(field(lines, "cpu family")), model = Integer.parseInt(field(lines, "model"));
      var zen = !field(lines, "vendor_id").equals("AuthenticAMD") ? "" : family == 26 ? ", Zen 5" : family == 25
          ? model >= 0x10 && model <= 0x1f || model >= 0x60 ? ", Zen 4" : ", Zen 3" : "";
      return field(lines, "model name") + " (family " + family + ", model " + model + zen + ")";
    } catch (IOException | NumberFormatException e) { return System.getProperty("os.arch"); }
  }

  private static String field(List<String> lines, String name) {
    return lines.stream().filter(l -> l.matches(name + "\\s*:.*")).map(l -> l.substring(l.indexOf(':') + 1).strip())
        .findFirst().orElse("");
  }

  @Override public String toString() {
    return cpu + ", " + cores + " cores, vectors of " + bits + " bits · JDK " + jdk
        + (options.isEmpty() ? "" : " " + options) + " · " + date;
  }
}
