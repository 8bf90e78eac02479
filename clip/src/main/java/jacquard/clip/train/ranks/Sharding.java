package jacquard.clip.train.ranks;

import jacquard.autograd.Optimizer;

/// Of what a rank keeps its own rows alone, where others have theirs: the step stays that of one rank.
public enum Sharding {
  /// Every rank has all parameters, gradients and moments.
  NONE,
  /// Moments (ZeRO 1): a rank moves its rows of the parameters, and the ranks tell each other.
  MOMENTS,
  /// Gradients and moments (ZeRO 2): as backward finishes gradients, each rank gets the sums of its rows.
  GRADIENTS,
  /// Parameters, gradients and moments (ZeRO 3, FSDP): parameters are fetched when an op reads them, and again in
  /// backward.
  ALL;

  /// Whether a rule moves each number of a parameter by itself, so that rows can be moved alone.
  public static boolean cuts(Optimizer.Rule rule) {
    return rule instanceof Optimizer.AdamW || rule instanceof Optimizer.NAdamW || rule instanceof Optimizer.Sgd;
  }

  /// DeepSpeed's number of it.
  public int stage() { return ordinal(); }

  /// Whether every rank has all parameters, and its rows of the moments.
  public boolean moments() { return this == MOMENTS || this == GRADIENTS; }

  /// By DeepSpeed's number.
  public static Sharding stage(int zero) {
    if (zero < 0 || zero >= values().length)
      throw new IllegalArgumentException("--zero " + zero + ", expected 0, 1, 2 or 3");
    return values()[zero];
  }
}
