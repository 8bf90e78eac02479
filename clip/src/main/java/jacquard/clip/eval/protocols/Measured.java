package jacquard.clip.eval.protocols;

import jacquard.clip.eval.metrics.Bootstrap;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// What a protocol says of a model on a set.
///
/// @param samples how many were measured
/// @param missing how many more could not be read
public record Measured(SequencedMap<String, Double> metrics, SequencedMap<String, Bootstrap.Interval> intervals,
    SequencedMap<String, SequencedMap<String, Double>> groups, int samples, int missing) {
  public static Measured empty(int samples, int missing) {
    return new Measured(new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>(), samples, missing);
  }
}
