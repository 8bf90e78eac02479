package jacquard.clip.train.health;

import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.train.task.Section;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Map;

/// Leaves out steps with wild gradients: those whose loss or norm is not finite, or whose norm is more than `factor`
/// times the median of the last hundred that were made. The samples of such a step are used up. Ten in a row end the
/// run. What it remembers belongs to a run's state.
public final class WildSteps implements Section {
  /// Norms that are remembered, how many there must be before one is called wild, and steps in a row that may be left
  /// out.
  public static final int REMEMBERED = 100, FEWEST = 10, MOST = 10;
  private static final String NORMS = "norms", COUNTS = "counts";

  private final double factor;
  private final ArrayDeque<Float> norms = new ArrayDeque<>();
  private int skipped, row;

  /// @param factor more than 1
  public WildSteps(double factor) {
    if (!(factor > 1)) throw new IllegalArgumentException("a factor on the median of norms is more than 1, found "
        + factor);
    this.factor = factor;
  }

  /// Whether a step is to be made.
  ///
  /// @throws IllegalArgumentException where too many in a row are not
  public boolean takes(long step, double loss, double norm) {
    boolean finite = Double.isFinite(loss) && Double.isFinite(norm);
    if (finite && (norms.size() < FEWEST || norm <= factor * median())) {
      if (norms.size() == REMEMBERED) norms.removeFirst();
      norms.addLast((float) norm);
      row = 0;
      return true;
    }
    skipped++;
    if (++row > MOST)
      throw new IllegalArgumentException("step %d: loss %s, gradient norm %s: the %dth step in a row that is left out; "
          .formatted(step, loss, norm, row) + "lower --lr, or raise --skip-wild");
    return false;
  }

  private double median() {
    double[] sorted = norms.stream().mapToDouble(n -> n).sorted().toArray();
    int n = sorted.length;
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }

  /// Steps that were left out so far.
  public int skipped() { return skipped; }

  @Override public Map<String, Safetensors.Array> stored() {
    float[] kept = new float[norms.size()];
    int i = 0;
    for (float n : norms) kept[i++] = n;
    return Map.of(NORMS, new Safetensors.Array(new int[] {kept.length}, kept),
        COUNTS, new Safetensors.Array(new int[] {2}, new float[] {skipped, row}));
  }

  /// A run that had none begins to remember.
  @Override public void restore(Weights file, String prefix) throws IOException {
    if (!file.names().contains(prefix + NORMS)) return;
    norms.clear();
    for (float n : file.floats(prefix + NORMS)) norms.addLast(n);
    float[] counts = file.floats(prefix + COUNTS);
    skipped = (int) counts[0];
    row = (int) counts[1];
  }
}
