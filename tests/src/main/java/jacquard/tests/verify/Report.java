package jacquard.tests.verify;

import java.io.PrintStream;

/// What became of the cases: a line a case with its error beside the tolerance, and the counts at the end.
public final class Report {
  private final PrintStream out;
  private int passed, failed, skipped;

  public Report(PrintStream out) { this.out = out; }

  /// One measured case: passes where `error <= tolerance` (so a NaN fails).
  public void check(String name, double error, double tolerance) {
    boolean ok = error <= tolerance;
    if (ok) passed++; else failed++;
    out.printf("%-7s %-64s error %.3g  tolerance %.3g%n", ok ? "passed" : "FAILED", name, error, tolerance);
  }

  /// One case that is equal or not; `detail` says what differs.
  public void check(String name, boolean equal, String detail) {
    if (equal) passed++; else failed++;
    out.printf("%-7s %-64s %s%n", equal ? "passed" : "FAILED", name, equal ? "equal" : detail);
  }

  public void failed(String name, Throwable cause) {
    failed++;
    out.printf("FAILED  %-64s %s%n", name, cause);
    cause.printStackTrace(out);
  }

  public void skipped(String name, String why) {
    skipped++;
    out.printf("skipped %-64s %s%n", name, why);
  }

  public int passedCount() { return passed; }
  public int failedCount() { return failed; }
  public int skippedCount() { return skipped; }

  @Override public String toString() { return "%d passed, %d failed, %d skipped".formatted(passed, failed, skipped); }
}
