package jacquard.clip.tune.blend;

import java.util.Locale;
import java.util.stream.IntStream;

/// Values of a knob as a user writes them: `0.5`, or `0:1:0.1` for 0, 0.1 … 1.
public final class Alphas {
  private static final int MOST = 1000;

  private Alphas() {}

  /// @throws IllegalArgumentException if it is no number from 0 to 1, or no row of such
  public static double[] of(String text) {
    var parts = text.split(":", -1);
    try {
      double from = Double.parseDouble(parts[0]);
      if (parts.length == 1) return checked(text, new double[] {from});
      if (parts.length == 3) {
        double to = Double.parseDouble(parts[1]), step = Double.parseDouble(parts[2]);
        double n = Math.floor((to - from) / step + 1e-9);
        if (step > 0 && n >= 0 && n <= MOST)
          return checked(text, IntStream.rangeClosed(0, (int) n).mapToDouble(i ->
              Math.rint((from + i * step) * 1e9) / 1e9)
              .toArray());
      }
    } catch (NumberFormatException e) {
      throw wrong(text, e);
    }
    throw wrong(text, null);
  }

  private static double[] checked(String text, double[] values) {
    for (double v : values) if (!(v >= 0 && v <= 1)) throw wrong(text, null);
    return values;
  }

  private static IllegalArgumentException wrong(String text, Exception cause) {
    return new IllegalArgumentException("--alpha " + text
        + ", expected a number from 0 to 1, or a row of them as 0:1:0.1",
        cause);
  }

  /// As people read it, with at most three decimals.
  public static String text(double alpha) {
    return String.format(Locale.ROOT, "%.3f", alpha).replaceAll("(\\.\\d*?)0+$", "$1").replaceAll("\\.$", "");
  }
}
