package jacquard.bench.harness;

/// One side of a contest: something that can be done again and again, and says how long once takes.
@FunctionalInterface
public interface Lane {
  /// Does it for at least `window` seconds and once at least; returns the seconds that once took, in the mean.
  double perCall(double window) throws Exception;

  interface Work { void run() throws Exception; }

  /// In this JVM. One call goes before the clock starts where calls are short: it finds the caches as the other side
  /// left them, and that side's threads still spinning.
  static Lane of(Work work) {
    return new Lane() {
      private double once = 0;

      @Override public double perCall(double window) throws Exception {
        if (once < window) work.run();
        long start = System.nanoTime(), end = start;
        int calls = 0;
        do {
          work.run();
          calls++;
          end = System.nanoTime();
        } while (end - start < window * 1e9);
        return once = (end - start) * 1e-9 / calls;
      }
    };
  }
}
