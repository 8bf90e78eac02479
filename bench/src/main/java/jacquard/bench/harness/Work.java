package jacquard.bench.harness;

/// What a benchmark measures, said by the benchmark itself once its parameters are set.
///
/// @param name   as the tables show it
/// @param unit   of the figures
/// @param amount floating-point operations, bytes or pieces a call; 1 where the time itself is the figure
/// @param peer   who stands on the other side
/// @param target the least ratio that we want, or NaN
/// @param share  the share of the ceiling that would do as well, or NaN
/// @param toll   what a call takes of the ceiling: floating-point operations or bytes
public record Work(String name, Unit unit, double amount, String peer, double target, double share, double toll) {
  public Work(String name, Unit unit, double amount, String peer, double target) {
    this(name, unit, amount, peer, target, Double.NaN);
  }
  public Work(String name, Unit unit, double amount, String peer, double target, double share) {
    this(name, unit, amount, peer, target, share, amount);
  }

  /// The same, taking so many operations a call.
  public Work of(double toll) { return new Work(name, unit, amount, peer, target, share, toll); }

  public enum Unit {
    GFLOPS("GFLOP/s", 1e-9, true), GBS("GB/s", 1e-9, true), EACH("/s", 1, true), MILLISECONDS("ms", 1e3, false),
        SECONDS("s", 1, false), MEGABYTES("MB", 1e-6, false);

    final String symbol;
    private final double factor;
    private final boolean rate;

    Unit(String symbol, double factor, boolean rate) {
      this.symbol = symbol;
      this.factor = factor;
      this.rate = rate;
    }

    double of(double perCall, double amount) { return rate ? factor * amount / perCall : factor * perCall / amount; }
  }

  /// A benchmark: a JMH state whose `@Param` fields say which case it is.
  public interface Case {
    Work work();

    /// Whether the combination of parameters makes sense on so many threads.
    default boolean on(int threads) { return true; }

    /// Whether a call takes so long that one JVM must do.
    default boolean heavy() { return false; }

    /// Whether a first contest goes before the one that counts.
    default boolean warmed() { return true; }
  }

  double figure(double perCall) { return unit.of(perCall, amount); }
}
