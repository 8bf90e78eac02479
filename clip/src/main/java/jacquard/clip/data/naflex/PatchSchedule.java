package jacquard.clip.data.naflex;

import jacquard.tensor.Random;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;

/// The steps of an epoch: drawn once, and in each epoch in another order.
///
/// @param steps in the order in which they were drawn
public record PatchSchedule(List<Step> steps) {
  /// @param length patches of a picture at most
  /// @param count  pictures of a share
  public record Step(int length, int count) {}

  public PatchSchedule { steps = List.copyOf(steps); }

  /// @param samples of a share, an epoch; the last step takes those that are left
  /// @param next    draws a step's length
  public static PatchSchedule of(Budget b, long samples, IntSupplier next) {
    var r = new ArrayList<Step>();
    long left = b.perEpoch() > 0 ? b.perEpoch() : samples;
    while (left > 0) {
      int length = next.getAsInt();
      int count = b.perEpoch() > 0 ? b.pictures(length, Math.min(b.tokens(), left))
          : (int) Math.min(left, b.pictures(length, b.tokens()));
      r.add(new Step(length, count));
      left -= b.perEpoch() > 0 ? (long) count * length : count;
    }
    return new PatchSchedule(r);
  }

  /// With lengths drawn from a key.
  public static PatchSchedule of(Budget b, long samples, Random key) {
    int[] at = {0};
    return of(b, samples, () -> b.lengths().get(Budget.drawn(b.lengthChances(), key.uniform(at[0]++))));
  }

  /// Samples of a share.
  public long samples() { return steps.stream().mapToLong(Step::count).sum(); }
}
