package jacquard.clip.nn;

import jacquard.tensor.Pass;
import jacquard.tensor.Sequences;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// While training, a random max(1, n·(1 − share)) of the n patches of each image stay (Li et al. 2023, FLIP); else all.
public final class PatchDropout {
  private static final ScopedValue<Double> SCALE = ScopedValue.newInstance();

  private PatchDropout() {}

  /// Runs `f` with every share multiplied by `scale`.
  public static <T> T scaled(double scale, Supplier<T> f) { return ScopedValue.where(SCALE, scale).call(f::get); }

  /// The rows that stay: positions 0 … prefix−1, which are never left out, then patches in order, the first at
  /// `prefix`.
  public static Sequences kept(int count, int patches, int prefix, double asked) {
    double share = asked * (SCALE.isBound() ? SCALE.get() : 1);
    int keep = Math.max(1, (int) (patches * (1 - share))), each = keep + prefix;
    if (!Pass.current().training() || share == 0) return Sequences.equal(count, patches + prefix);
    int[] positions = new int[count * each], offsets = new int[count + 1];
    for (int b = 0; b < count; b++) {
      var random = Pass.current().key("patch dropout", b);
      int[] order = IntStream.range(prefix, patches + prefix).toArray();
      for (int i = 0; i < keep; i++) {
        int j = i + random.below(i, patches - i), t = order[i];
        order[i] = order[j];
        order[j] = t;
      }
      Arrays.sort(order, 0, keep);
      for (int i = 0; i < prefix; i++) positions[b * each + i] = i;
      System.arraycopy(order, 0, positions, b * each + prefix, keep);
      offsets[b + 1] = (b + 1) * each;
    }
    return new Sequences(offsets, positions);
  }
}
