package jacquard.clip.tune.outcome;

/// What a user might do next, in a sentence or two.
public final class Advice {
  private static final double WELL = 0.95, BADLY = 0.8, LITTLE = 0.02;

  private Advice() {}

  /// @param before,after scores of the model as it was and of the one that was chosen
  /// @param replay       whether old pairs were learned again
  /// @param names        whether old names were held on to
  public static String of(Guard.Score before, Guard.Score after, boolean replay, boolean names) {
    double kept = before.kept() == 0 ? 1 : after.kept() / before.kept(), gain = after.learned() - before.learned();
    var head = "%.0f %% of what was known is kept, and the new set rose from %.1f to %.1f %%. ".formatted(100 * kept,
        100 * before.learned(), 100 * after.learned());
    if (gain < LITTLE) return head + "That is little: train longer (--steps), or raise --lr.";
    if (kept >= WELL) return head + "Use chosen/ as it is.";
    if (replay) return head + (kept < BADLY ? "Give the old pairs a larger part of each step (--old-share)."
        : "Use chosen/; a larger --old-share keeps more.");
    if (names) return head + "Old pairs keep more than old names do: if you have some, give them with --old-data.";
    return head + (kept < BADLY ? "Much is forgotten: " : "To keep more, ")
        + "give old pairs with --old-data, or hold on to the old names with --keep lwf.";
  }
}
