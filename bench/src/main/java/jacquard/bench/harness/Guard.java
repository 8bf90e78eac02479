package jacquard.bench.harness;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What was measured beside the rows that are committed for vectors of the same width. Less than half of a committed
/// ratio is a catastrophe on any machine: a kernel that C2 no longer compiles, say.
///
/// @param source    where the rows come from, as the messages name it
/// @param committed null if there are none for this width: then nothing can be compared, and the guard fails
public record Guard(String source, List<Row> committed) {
  private static final double LEAST = 0.5;

  /// A row of a results file, as far as it is compared.
  public record Row(String work, int threads, String peer, double ratio) {
    @Override public String toString() {
      return work + ", " + threads + (threads == 1 ? " thread" : " threads") + " | " + peer;
    }
  }

  /// What became of one row, as a line of the table says it.
  private record Verdict(boolean failed, String line) {}

  /// The rows of a results file.
  public static Guard read(Path file) throws IOException {
    if (!Files.exists(file)) return new Guard(file.toString(), null);
    var rows = new ArrayList<Row>();
    for (var row : new ObjectMapper().readTree(file.toFile()))
      rows.add(new Row(field(file, row, "work").asText(), field(file, row, "threads").asInt(),
          field(file, row, "peer_name").asText(), field(file, row, "ratio").asDouble()));
    return new Guard(file.toString(), List.copyOf(rows));
  }

  private static JsonNode field(Path file, JsonNode row, String name) {
    if (!row.hasNonNull(name))
      throw new IllegalArgumentException(file + ": expected a field " + name + " in the row " + row);
    return row.get(name);
  }

  /// The file for a width: `results.json` for 512 bits, and the narrower with their bits in the name.
  public static Path file(int bits) {
    return Path.of("bench", bits == 512 ? "results.json" : "results-" + bits + ".json");
  }

  /// Whether a row is less than half of the committed one.
  public boolean catastrophic(Row measured) {
    return of(measured).filter(c -> !(measured.ratio >= LEAST * c.ratio)).isPresent();
  }

  /// Prints a line a row, then the works that were wanted and not measured.
  ///
  /// @return whether none failed: no ratio is below half of the committed one, each wanted work was measured, and at
  ///   least one was compared
  public boolean passes(List<Row> wanted, List<Row> measured, PrintStream out) {
    if (committed == null)
      out.println("no rows are committed for vectors of this width: there is no " + source + "; bench/run --json "
          + source + " on a quiet machine makes one");
    int failed = 0, compared = 0;
    for (var m : measured) {
      var verdict = judge(m);
      out.println(verdict.line);
      if (verdict.failed) failed++;
      if (of(m).isPresent()) compared++;
    }
    var missing = wanted.stream().filter(w -> measured.stream().noneMatch(m -> same(w, m))).toList();
    missing.forEach(w -> out.println("NOT MEASURED  " + w));
    out.println(compared + " compared with " + source + ", " + failed + " below half, " + missing.size()
        + " not measured"
        + (committed == null ? "" : "; " + committed.stream().filter(c -> measured.stream().noneMatch(m -> same(c, m)))
        .count() + " further committed rows belong to the whole bench/run"));
    if (compared == 0) out.println("FAILED        nothing was compared: a guard that cannot fail guards nothing");
    return failed == 0 && missing.isEmpty() && compared > 0;
  }

  private Verdict judge(Row measured) {
    var name = String.format("%-62s", measured) + " " + Result.number(measured.ratio);
    return of(measured).map(c -> {
      boolean failed = catastrophic(measured);
      return new Verdict(failed, (failed ? "FAILED        " : "ok            ") + name + ", committed "
          + Result.number(c.ratio) + (failed ? ": less than half" : ""));
    }).orElse(new Verdict(false, "not committed " + name));
  }

  private Optional<Row> of(Row row) {
    return committed == null ? Optional.empty() : committed.stream().filter(c -> same(c, row)).findFirst();
  }

  private static boolean same(Row a, Row b) {
    return a.work.equals(b.work) && a.threads == b.threads && a.peer.equals(b.peer);
  }
}
