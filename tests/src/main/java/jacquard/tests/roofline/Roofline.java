package jacquard.tests.roofline;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// A row of `cuda-src/rooflines.tsv`: what kernels of these names compute and move, and the share of an H100's roofline
/// that they are expected to reach.
///
/// @param expected percent, or – where a share would say nothing
/// @param peak     what the FLOPs are of (`tensor`: BF16 tensor cores, else FP32), or `link`: the bytes cross NVLink
record Roofline(Pattern kernels, String flops, String bytes, String expected, String peak) {
  /// FLOP/s of BF16 tensor cores and of FP32, bytes a second of memory and of NVLink in one direction: what the best
  /// libraries reach on an H100 SXM, of NVLink the line's rate.
  private static final double TENSOR = 798e12, FP32 = 60e12, MEMORY = 3.0e12, LINK = 450e9;

  static List<Roofline> read(Path file) throws IOException {
    return Files.readAllLines(file).stream().filter(l -> !l.startsWith("#") && !l.isEmpty()).map(l -> {
      var f = l.split("\t");
      if (f.length < 7 || f.length > 8)
        throw new IllegalArgumentException("%s: %d columns, expected 7 or 8, in: %s".formatted(file, f.length, l));
      return new Roofline(Pattern.compile(f[0].replace(", ", "|").replace("*", ".*")), f[4], f[5], f[6], f.length > 7
          ? f[7] : "");
    }).toList();
  }

  /// The first row that fits a kernel's name, as in `cuda-src/table`.
  static Roofline of(List<Roofline> all, String kernel) {
    return all.stream().filter(r -> r.kernels.matcher(kernel).matches()).findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no row of rooflines.tsv fits " + kernel));
  }

  /// Whether a share says something of the kernel.
  boolean shared() { return !expected.equals("–"); }

  /// Seconds that the work takes at least, where the formulas' names stand for these numbers: the longer of its FLOPs
  /// and its bytes at peak.
  double least(Map<String, Double> names) {
    double compute = Formula.value(flops, names), move = Formula.value(bytes, names);
    return switch (peak) {
      case "" -> Math.max(compute / FP32, move / MEMORY);
      case "tensor" -> Math.max(compute / TENSOR, move / MEMORY);
      case "link" -> Math.max(compute / FP32, move / LINK);
      default -> throw new IllegalArgumentException("rooflines.tsv: peak " + peak + " of " + kernels
          + ", expected tensor, link or nothing");
    };
  }
}
