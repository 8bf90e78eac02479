package jacquard.clip.eval.probe;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// The search for the best of 97 values that are even in log: first every sixteenth, then around the best so far at
/// distances 8, 4, 2 and 1. Of equal ones the first tried wins; where nothing is above 0 the first of all does.
///
/// @param low,high exponents of ten of the first and last value
public record Span(double low, double high) {
  private static final int VALUES = 97, COARSE = 16;
  /// The decays that CLIP_benchmark tries.
  public static final Span DECAYS = new Span(-6, 2);
  /// What OpenAI and ELEVATER try: λ = 1/C.
  public static final Span INVERSE = new Span(-6, 6);

  /// @param value    that was tried
  /// @param accuracy on the validation set
  public record Trial(double value, double accuracy) {}

  /// @param best  the value chosen
  /// @param tried in order; values near a best are tried again
  public record Found(double best, List<Trial> tried) {}

  /// The accuracy that a value of the knob leads to.
  public interface Measure { double of(double value); }

  public double value(int index) { return Math.pow(10, low + (high - low) * index / (VALUES - 1)); }

  public Found search(Measure accuracy) {
    var tried = new ArrayList<Trial>();
    int peak = best(IntStream.range(0, VALUES / COARSE + 1).map(i -> i * COARSE).toArray(), accuracy, tried);
    for (int span = COARSE / 2; span > 0; span /= 2)
      peak = best(new int[] {Math.max(peak - span, 0), peak, Math.min(peak + span, VALUES - 1)}, accuracy, tried);
    return new Found(value(peak), List.copyOf(tried));
  }

  private int best(int[] indices, Measure accuracy, List<Trial> tried) {
    int best = 0;
    double most = 0;
    for (int i : indices) {
      double a = accuracy.of(value(i));
      tried.add(new Trial(value(i), a));
      if (a > most) {
        most = a;
        best = i;
      }
    }
    return best;
  }
}
