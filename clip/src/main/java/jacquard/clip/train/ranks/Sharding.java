package jacquard.clip.train.ranks;

import jacquard.autograd.Optimizer;

/// Of what a rank keeps its own rows alone, where others have theirs: the step stays that of one rank.
public enum Sharding {
  /// Every rank has all parameters, gradients and moments.
  NONE,
  /// Moments (ZeRO 1): a rank moves its rows of the parameters, and the ranks tell each other.
  MOMENTS,
  /// Parameters, gradients and moments (ZeRO 3, FSDP): parameters are fetched when an op reads them, and again in
  /// backward.
  ALL;

  /// Whether a rule moves each number of a parameter by itself, so that rows can be moved alone.
  public static boolean cuts(Optimizer.Rule rule) {
    return rule instanceof Optimizer.AdamW || rule instanceof Optimizer.NAdamW || rule instanceof Optimizer.Sgd;
  }

  /// DeepSpeed's number of it.
  public int stage() { return this == NONE ? 0 : this == MOMENTS ? 1 : 3; }

  /// By DeepSpeed's number.
  public static Sharding stage(int zero) {
    return switch (zero) {
      case 0 -> NONE;
      case 1 -> MOMENTS;
      case 3 -> ALL;
      case 2 -> throw new IllegalArgumentException("--zero 2 is not there yet; 1 keeps more, 3 less");
      default -> throw new IllegalArgumentException("--zero " + zero + ", expected 0, 1 or 3");
    };
  }
}
