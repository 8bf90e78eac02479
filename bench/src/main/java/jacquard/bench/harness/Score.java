package jacquard.bench.harness;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.runner.IterationType;

/// What one contest in one JVM ended with; JMH carries it to the parent process as secondary results.
@AuxCounters(AuxCounters.Type.EVENTS)
@State(Scope.Thread)
public class Score {
  /// Seconds (or bytes) a call: the best decile of each side.
  public double ours, peer;
  /// Peer over ours: the median of the pairs of neighbouring windows, and the first and last decile.
  public double ratio, low, high;
  /// Our rate over the ceiling's, the median of neighbouring windows; 0 without a ceiling.
  public double share;

  boolean warming;

  @Setup(Level.Iteration) public void iteration(IterationParams p) { warming = p.getType() == IterationType.WARMUP; }

  /// A figure that is counted and not timed: bytes.
  public void counted(double ours, double peer) {
    this.ours = ours;
    this.peer = peer;
    ratio = low = high = peer / ours;
  }
}
