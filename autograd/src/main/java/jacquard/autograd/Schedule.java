package jacquard.autograd;

/// The learning rate of each step, from 0; as OpenCLIP's schedulers. Warm-up: base·(step + 1)/warmup.
public sealed interface Schedule {
  double rate(long step);

  /// ½·(1 + cos(π·e/(steps − warmup)))·base, e counted from the end of warm-up.
  record Cosine(double base, long warmup, long steps) implements Schedule {
    @Override public double rate(long step) {
      return step < warmup ? warm(base, warmup, step)
          : 0.5 * (1 + Math.cos(Math.PI * (step - warmup) / (steps - warmup))) * base;
    }
  }

  record Constant(double base, long warmup) implements Schedule {
    @Override public double rate(long step) { return step < warmup ? warm(base, warmup, step) : base; }
  }

  /// Constant, then over the last `cooldown` steps (1 − e/cooldown)^power·(base − end) + end.
  record Cooldown(double base, long warmup, long steps, long cooldown, double power, double end) implements Schedule {
    @Override public double rate(long step) {
      long start = steps - cooldown;
      if (step < warmup) return warm(base, warmup, step);
      return step < start ? base : Math.pow(1 - (step - start) / (double) cooldown, power) * (base - end) + end;
    }
  }

  private static double warm(double base, long warmup, long step) { return base * (step + 1) / warmup; }
}
