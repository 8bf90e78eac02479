package jacquard.clip.report.log;

import jacquard.clip.report.Figure;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;

/// The progress of long work: how much is done, the rate, the time left, where the time goes and a few current values.
///
/// ```java
/// try (var progress = Progress.of("epoch 1/10", 50_000).unit("samples").open()) {
///   progress.show("loss", loss).show("lr", rate).spent(dataNanos, computeNanos).advance(batch);
/// }
/// ```
///
/// On a terminal one line is redrawn in place, at most ten times a second; elsewhere (a log file) a plain line is
/// written every few seconds. The rate is that of the last twenty seconds, so that a slow start is forgotten. Any
/// thread may call any method, and none ever throws: a progress bar must not end a run.
public final class Progress implements AutoCloseable {
  private static final long REDRAW = 100_000_000L, MARK = 500_000_000L, WINDOW = 20_000_000_000L;
  private static final int BAR = 24;
  private static final String EIGHTHS = " ▏▎▍▌▋▊▉";

  /// How to show it. Defaults: unit `items`, standard error, terminal and Unicode as found, a plain line every ten
  /// seconds.
  ///
  /// @param label    what the work is
  /// @param total    how many items there are; zero or less if not known (then there is neither bar nor time left)
  /// @param done     how many were done before (a resumed run); they do not count for the rate
  /// @param unit     what is counted
  /// @param out      where to write
  /// @param terminal whether to redraw in place
  /// @param unicode  whether to draw with block characters
  /// @param every    time between plain lines
  /// @param clock    nanoseconds, monotonic
  public record Setup(String label, long total, long done, String unit, PrintStream out, boolean terminal,
      boolean unicode, Duration every,
                      LongSupplier clock) {
    public Setup unit(String name) { return new Setup(label, total, done, name, out, terminal, unicode, every, clock); }

    public Setup from(long count) { return new Setup(label, total, count, unit, out, terminal, unicode, every, clock); }

    public Setup to(PrintStream stream, boolean isTerminal) {
      return new Setup(label, total, done, unit, stream, isTerminal, stream.charset().name().startsWith("UTF"), every,
          clock);
    }

    public Setup unicode(boolean yes) { return new Setup(label, total, done, unit, out, terminal, yes, every, clock); }

    public Setup every(Duration time) {
      return new Setup(label, total, done, unit, out, terminal, unicode, time, clock);
    }

    public Setup clock(LongSupplier nanos) {
      return new Setup(label, total, done, unit, out, terminal, unicode, every, nanos);
    }

    public Progress open() { return new Progress(this); }
  }

  private record Mark(long time, long done, long data, long compute) { }

  private final Setup setup;
  private final long start;
  private final Map<String, String> shown = new LinkedHashMap<>();
  private final ArrayDeque<Mark> marks = new ArrayDeque<>();
  private long done, data, compute, drawn;
  private boolean closed;

  private Progress(Setup setup) {
    this.setup = setup;
    start = setup.clock.getAsLong();
    done = Math.max(0, setup.done);
    drawn = setup.terminal ? start - REDRAW : start;
    marks.add(new Mark(start, done, 0, 0));
    if (setup.terminal) redraw(start);
  }

  public static Setup of(String label, long total) {
    var out = System.err;
    return new Setup(label, total, 0, "items", out, terminal(), out.charset().name().startsWith("UTF"),
        Duration.ofSeconds(10),
        System::nanoTime);
  }

  /// Counts items as done.
  public synchronized Progress advance(long count) {
    done += Math.max(0, count);
    long now = setup.clock.getAsLong();
    if (now - marks.getLast().time >= MARK) {
      marks.add(new Mark(now, done, data, compute));
      while (marks.size() > 2 && now - marks.getFirst().time > WINDOW) marks.removeFirst();
    }
    if (!closed && now - drawn >= (setup.terminal ? REDRAW : setup.every.toNanos())) redraw(now);
    return this;
  }

  /// Adds to the time spent waiting for data and the time spent computing; only their proportion is shown.
  public synchronized Progress spent(long dataNanos, long computeNanos) {
    data += Math.max(0, dataNanos);
    compute += Math.max(0, computeNanos);
    return this;
  }

  /// Shows a current value, such as the loss, from the next redraw on.
  public Progress show(String name, double value) { return show(name, Figure.steady(value)); }

  public synchronized Progress show(String name, String value) {
    shown.put(clean(name), clean(value));
    return this;
  }

  /// Writes a message on a line of its own without disturbing the bar.
  public synchronized void say(String message) {
    if (setup.terminal && !closed) setup.out.print("\r\033[K");
    setup.out.println(message);
    if (setup.terminal && !closed) redraw(setup.clock.getAsLong());
  }

  /// Writes the last state, with the whole time and the mean rate.
  @Override public synchronized void close() {
    if (closed) return;
    closed = true;
    redraw(setup.clock.getAsLong());
    if (setup.terminal) setup.out.println();
    setup.out.flush();
  }

  private void redraw(long now) {
    drawn = now;
    try {
      String line = line(now);
      // Without line wrap a line longer than the window is cut rather than spilt over several lines, which could not be
      // redrawn.
      if (setup.terminal) setup.out.print("\r\033[?7l" + line + "\033[K\033[?7h");
      else setup.out.println(line);
      setup.out.flush();
    } catch (RuntimeException e) {
      // Showing progress is never worth a run.
    }
  }

  private String line(long now) {
    var text = new StringBuilder(clean(setup.label));
    boolean known = setup.total > 0;
    double share = known ? Math.clamp((double) done / setup.total, 0, 1) : 0;
    if (known && setup.terminal) text.append(' ').append(bar(share));
    // Rounded down, so that 100 % means all.
    if (known) text.append(String.format(Locale.ROOT, " %5.1f%%", Math.floor(share * 1000) / 10));
    text.append("  ").append(count(done));
    if (known) text.append('/').append(count(setup.total));
    text.append(' ').append(clean(setup.unit));
    var since = closed ? new Mark(start, setup.done, 0, 0) : marks.getFirst();
    double seconds = (now - since.time) / 1e9, rate = seconds > 0 ? (done - since.done) / seconds : 0;
    if (rate > 0)
      text.append("  ").append(rate >= 100 ? count(Math.round(rate)) : String.format(Locale.ROOT, "%.3g", rate))
          .append("/s");
    if (closed) {
      text.append(known && done < setup.total ? "  stopped after " : "  took ").append(time((now - start) / 1e9));
    } else if (known && rate > 0) {
      text.append("  left ").append(time(Math.max(0, setup.total - done) / rate));
    } else {
      text.append("  after ").append(time((now - start) / 1e9));
    }
    long waited = data - since.data, computed = compute - since.compute;
    if (waited + computed > 0) {
      long percent = Math.round(100.0 * waited / (waited + computed));
      text.append("  data ").append(percent).append("% compute ").append(100 - percent).append('%');
    }
    shown.forEach((name, value) -> text.append("  ").append(name).append(' ').append(value));
    return text.toString();
  }

  private String bar(double share) {
    if (!setup.unicode) {
      int full = (int) (share * BAR);
      return "[" + "#".repeat(full) + "-".repeat(BAR - full) + "]";
    }
    int eighths = (int) (share * BAR * 8), full = eighths / 8;
    String part = full < BAR ? String.valueOf(EIGHTHS.charAt(eighths % 8)) : "";
    return "▕" + "█".repeat(full) + part + " ".repeat(BAR - full - part.length()) + "▏";
  }

  private static String count(long n) { return String.format(Locale.ROOT, "%,d", n); }

  /// `0:36`, `12:05`, `1:02:33`, `3d 04:00`.
  private static String time(double seconds) {
    if (!(seconds < 1e9)) return "?";
    long s = Math.round(seconds);
    if (s < 3600) return String.format(Locale.ROOT, "%d:%02d", s / 60, s % 60);
    if (s < 86400) return String.format(Locale.ROOT, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
    return String.format(Locale.ROOT, "%dd %02d:%02d", s / 86400, s / 3600 % 24, s / 60 % 60);
  }

  // A line break or an escape would break the line that is redrawn.
  private static String clean(String text) { return text == null ? "" : text.replaceAll("\\p{Cntrl}+", " "); }

  /// Whether standard error is a terminal: where /proc tells, what it is linked to; else as the console says.
  private static boolean terminal() {
    if ("dumb".equals(System.getenv("TERM"))) return false;
    try {
      var error = Path.of("/proc/self/fd/2");
      if (Files.isSymbolicLink(error)) {
        String name = Files.readSymbolicLink(error).toString();
        return name.startsWith("/dev/pts/") || name.startsWith("/dev/tty") || name.equals("/dev/console");
      }
      var console = System.console();
      return console != null && console.isTerminal();
    } catch (Exception e) {
      return false;
    }
  }
}
