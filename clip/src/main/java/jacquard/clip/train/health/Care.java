package jacquard.clip.train.health;

import java.io.IOException;

/// What looks after a run's steps; null for what does not.
///
/// @param guard    against wild gradients
/// @param scale    of the loss
/// @param recovery from rises of the loss
public record Care(WildSteps guard, LossScale scale, Recovery recovery) {
  public static final Care NONE = new Care(null, null, null);

  /// Whether a step may be left out once its gradients are there.
  public boolean judges() { return guard != null || scale != null; }

  /// By how much the loss is multiplied.
  public float scaled() { return scale == null ? 1 : scale.scale(); }

  /// Steps of a run that its optimizer does not count.
  public long uncounted() { return (scale == null ? 0 : scale.skipped()) + (recovery == null ? 0 : recovery.lost()); }

  /// Steps that were left out.
  public int skipped() { return (guard == null ? 0 : guard.skipped()) + (scale == null ? 0 : scale.skipped()); }

  public double factor(long step) { return recovery == null ? 1 : recovery.factor(step); }

  public boolean calm() { return recovery == null || recovery.calm(); }

  /// A step's loss, before its listeners are told.
  public void sees(double loss) { if (recovery != null) recovery.sees(loss); }

  /// After a step.
  ///
  /// @param made steps so far
  public void after(long made) throws IOException { if (recovery != null) recovery.after(made); }
}
