package jacquard.bench.harness;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// What came of one case.
///
/// @param ours,peer the figures, medians over the JVMs of their best deciles
/// @param ratio     above 1: ours is faster or smaller; the median over the JVMs of the medians of neighbouring windows
/// @param low,high  the first decile of the slowest JVM's ratios and the last of the fastest's
/// @param share     our rate as a share of what the machine gave at most in the same windows, 0 if that was not
///   measured
/// @param slowest   the slowest JVM's best decile as a share of the median JVM's; NaN of one JVM
/// @param beside    what the peer's was there: low as well where the machine was slow, not our code
public record Result(Work work, int threads, double ours, double peer, double ratio, double low, double high,
    double share, double slowest, double beside) {
  /// Whether the ratio, or the share of the ceiling where that is allowed to stand for it, is what we want.
  public boolean met() { return ratio >= work.target() || share >= work.share(); }

  @Override public String toString() {
    return String.format(Locale.ROOT, "%-48s %d  %9s %9s %-8s  %6.2f× %s (%.2f–%.2f)%s%s",
        work.name() + " | " + work.peer(), threads, number(ours), number(peer), work.unit().symbol, ratio,
        Double.isNaN(work.target()) ? " " : met() ? "✓" : "✗", low, high, share == 0 ? ""
        : String.format(Locale.ROOT, "  %3.0f %% of peak", 100 * share), slowest < 0.9
        ? "  a JVM at " + number(slowest) + ", the peer there at " + number(beside) : "");
  }

  public static String number(double v) {
    return String.format(Locale.ROOT, Math.abs(v) >= 1000 ? "%,.0f" : Math.abs(v) >= 100 ? "%.0f" : Math.abs(v) >= 10
        ? "%.1f" : "%.2f", v);
  }

  public static void write(List<Result> results, Machine machine, Path folder, Path json) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("table.md"), table(results, machine));
    RatioChart.write(results, machine, folder.resolve("chart.png"));
    if (json != null) Files.writeString(json, json(results));
  }

  static String table(List<Result> results, Machine machine) {
    var s = new StringBuilder(machine
        + "\n\n| work | threads | ours | peer | unit | ratio | spread | target | share of peak | slowest JVM |\n| --- "
        + "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (var r : results) {
      var w = r.work;
      s.append("| ").append(w.name()).append(" | ").append(r.threads).append(" | ").append(number(r.ours)).append(" | ")
          .append(w.peer()).append(' ').append(number(r.peer)).append(" | ").append(w.unit().symbol)
          .append(" | ").append(r.met() || Double.isNaN(w.target()) ? "**" + number(r.ratio) + "**" : number(r.ratio))
          .append(" | ").append(number(r.low)).append("–").append(number(r.high))
          .append(" | ").append(Double.isNaN(w.target()) ? "" : number(w.target())).append(" | ")
          .append(r.share == 0 ? "" : Math.round(100 * r.share) + " %")
          .append(" | ").append(Double.isNaN(r.slowest) ? "" : number(r.slowest) + " / " + number(r.beside))
          .append(" |\n");
    }
    return s.toString();
  }

  static String json(List<Result> results) throws IOException {
    var mapper = new ObjectMapper();
    var s = new StringBuilder("[");
    for (var r : results) {
      var node = mapper.createObjectNode().put("work", r.work.name()).put("threads", r.threads)
          .put("unit", r.work.unit().symbol).put("ours", round(r.ours)).put("peer", round(r.peer))
          .put("peer_name", r.work.peer()).put("ratio", round(r.ratio));
      if (Double.isNaN(r.work.target())) node.putNull("target"); else node.put("target", r.work.target());
      s.append(s.length() == 1 ? "\n  " : ",\n  ").append(mapper.writeValueAsString(node));
    }
    return s.append("\n]\n").toString();
  }

  private static double round(double v) {
    return new java.math.BigDecimal(v).round(new java.math.MathContext(4)).doubleValue();
  }
}
