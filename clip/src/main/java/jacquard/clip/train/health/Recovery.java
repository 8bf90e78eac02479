package jacquard.clip.train.health;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.train.task.Section;
import java.io.IOException;
import java.util.Map;
import java.util.function.Consumer;

/// Goes back where the loss has risen and does not come down (Chowdhery et al. 2022, §5.1): when it has stayed more
/// than four deviations above its running mean for fifty steps, the run takes up the last checkpoint, goes on with the
/// samples that come next, so that those since then are not met again in this epoch, and learns at half the rate for a
/// thousand steps. While the loss is high no checkpoint is written. What it remembers belongs to a run's state.
public final class Recovery implements Section {
  /// Steps before the loss is judged; steps that it may be high; steps at half the rate; times that a run may go back.
  public static final int BEFORE = 100, PATIENCE = 50, SLOW = 1000, MOST = 10;
  private static final double STAYS = 0.99, DEVIATIONS = 4, FACTOR = 0.5;
  private static final String MEMORY = "memory";

  /// Takes up the last checkpoint and returns how many steps it has; negative where there is none.
  public interface Back { long go() throws IOException; }

  private Back back = () -> -1;
  private Consumer<String> say = _ -> {};
  private double mean, square;
  private long seen, until, lost;
  private int high, times;

  /// @param back how the run goes back
  /// @param say  told of it
  public Recovery by(Back back, Consumer<String> say) {
    this.back = back;
    this.say = say;
    return this;
  }

  /// A step's loss.
  public void sees(double loss) {
    boolean judged = seen >= BEFORE;
    double deviation = Math.sqrt(Math.max(0, square - mean * mean));
    if (judged && !(loss <= mean + DEVIATIONS * Math.max(deviation, 1e-6 * Math.abs(mean)))) {
      high++;
      return;
    }
    high = 0;
    if (!Double.isFinite(loss)) return;
    double stays = seen == 0 ? 0 : Math.min(STAYS, seen / (seen + 1.0));
    mean = stays * mean + (1 - stays) * loss;
    square = stays * square + (1 - stays) * loss * loss;
    seen++;
  }

  /// Whether a checkpoint may be written.
  public boolean calm() { return high == 0; }

  /// What the learning rate of a step is multiplied by.
  public double factor(long step) { return step < until ? FACTOR : 1; }

  /// Steps that were made and taken back.
  public long lost() { return lost; }

  /// Goes back, if it is time.
  ///
  /// @param made steps so far
  /// @throws IllegalArgumentException where a run has gone back too often
  public void after(long made) throws IOException {
    if (high < PATIENCE) return;
    if (times == MOST)
      throw new IllegalArgumentException("step %,d: the loss has risen again after going back %d times; lower --lr"
          .formatted(made, MOST));
    long[] kept = memory();
    long there = back.go();
    // of the checkpoint, which may have gone back before
    long counted = there - lost;
    remember(kept);
    double level = mean;
    high = 0;
    if (there < 0) return;
    times++;
    lost = made - counted;
    until = made + SLOW;
    say.accept(("step %,d: for %d steps the loss was far above %.3f; went back to the checkpoint of step %,d, past the "
        + "samples since, at half the learning rate for %,d steps").formatted(made, PATIENCE, level, there, SLOW));
  }

  @Override public Map<String, Safetensors.Array> stored() {
    long[] m = memory();
    return Map.of(MEMORY, new Safetensors.Array(new int[] {m.length}, m));
  }

  @Override public void restore(Weights file, String prefix) throws IOException {
    if (file.names().contains(prefix + MEMORY)) remember(file.longs(prefix + MEMORY));
  }

  /// To the bit.
  private long[] memory() {
    return new long[] {Double.doubleToRawLongBits(mean), Double.doubleToRawLongBits(square), seen, until, lost, high,
      times};
  }

  private void remember(long... m) {
    mean = Double.longBitsToDouble(m[0]);
    square = Double.longBitsToDouble(m[1]);
    seen = m[2];
    until = m[3];
    lost = m[4];
    high = (int) m[5];
    times = (int) m[6];
  }
}
