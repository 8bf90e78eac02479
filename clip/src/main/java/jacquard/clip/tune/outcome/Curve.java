package jacquard.clip.tune.outcome;

import java.util.Comparator;
import java.util.List;

/// What is kept against what is learned, over a knob.
///
/// @param knob   its name
/// @param points in the order of the knob
public record Curve(String knob, List<Point> points) {
  /// What is kept and learned at a value of the knob.
  public record Point(double value, double kept, double learned) {
    double mean() { return (kept + learned) / 2; }
  }

  public Curve { points = List.copyOf(points); }

  /// The point with the best mean of both; of equal ones the first.
  public Point chosen() { return points.stream().max(Comparator.comparingDouble(Point::mean)
      .thenComparing(p -> -points.indexOf(p))).orElseThrow(); }

  /// The points that no other beats in both, by what they keep.
  public List<Point> front() {
    return points.stream().filter(p -> points.stream().noneMatch(q -> q.kept >= p.kept && q.learned >= p.learned
        && (q.kept > p.kept || q.learned > p.learned)))
        .sorted(Comparator.comparingDouble(Point::kept)).toList();
  }
}
