package jacquard.clip.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A range of values laid on the unit interval, with ticks at round values.
///
/// @param low         the value at 0
/// @param high        the value at 1
/// @param logarithmic whether equal ratios are equal distances
/// @param ticks       round values within the range, ascending
record Axis(double low, double high, boolean logarithmic, List<Tick> ticks) {
  record Tick(double value, String label) { }

  /// Values beyond this are drawn at it, so that no span overflows.
  static final double LARGEST = 1e300;

  /// Where a value lies; NaN if it has no place.
  double at(double value) {
    double v = Math.clamp(value, -LARGEST, LARGEST);
    return logarithmic ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low);
  }

  /// An axis over a range, in about `count` steps of 1, 2 or 5 times a power of ten.
  ///
  /// @param round whether to widen the range to whole steps
  static Axis linear(double from, double to, int count, boolean round) {
    double low = Math.clamp(from, -LARGEST, LARGEST), high = Math.clamp(to, -LARGEST, LARGEST), size =
        Math.max(Math.abs(low),
        Math.abs(high));
    // A constant, or a range that double precision hardly resolves.
    if (!(high - low > size * 1e-9) || high - low < 1e-200) {
      double margin = size < 1e-200 ? 1 : size * 0.1;
      low -= margin;
      high += margin;
    }
    double step = step((high - low) / count);
    if (round) {
      low = Math.floor(low / step + 1e-9) * step;
      high = Math.ceil(high / step - 1e-9) * step;
    }
    return new Axis(low, high, false, ticks(low, high, step));
  }

  private static double step(double rough) {
    double power = Math.pow(10, Math.floor(Math.log10(rough))), lead = rough / power;
    return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
  }

  private static List<Tick> ticks(double low, double high, double step) {
    var ticks = new ArrayList<Tick>();
    double size = Math.max(Math.abs(low), Math.abs(high));
    long last = (long) Math.floor(high / step + 1e-9);
    for (long i = (long) Math.ceil(low / step - 1e-9); i <= last; i++)
      ticks.add(new Tick(i * step, label(i * step, step, size)));
    return ticks;
  }

  /// A label with just the digits that tell neighbours apart; thousands as `20k`, `1.5M`, the very large and small as
  /// `2e-5`.
  private static String label(double value, double step, double size) {
    if (value == 0) return "0";
    if (size >= 1e15 || size < 1e-3) {
      return Figure.scientific(value,
          Math.clamp((long) Math.floor(Math.log10(Math.abs(value)) + 1e-9) - (long) Math.floor(Math.log10(step)
          + 1e-9), 0, 9));
    }
    int thousands = size >= 10_000 ? Math.min(4, (int) Math.floor(Math.log10(size) / 3 + 1e-9)) : 0;
    double unit = Math.pow(1000, thousands);
    int decimals = Math.clamp((long) Math.ceil(-Math.log10(step / unit) - 1e-9), 0, 12);
    return String.format(Locale.ROOT, "%." + decimals + "f", value / unit)
        + List.of("", "k", "M", "B", "T").get(thousands);
  }

  /// A logarithmic axis over a range of positive values, with ticks at powers of ten or, within two decades, at 1, 2
  /// and 5 times them.
  static Axis logarithmic(double from, double to, int count) {
    double low = Math.clamp(from, 1 / LARGEST, LARGEST), high = Math.clamp(to, low, LARGEST);
    if (high / low < 1.1) {
      low /= 2;
      high *= 2;
    }
    int first = (int) Math.ceil(Math.log10(low) - 1e-9), last = (int) Math.floor(Math.log10(high) + 1e-9);
    var ticks = new ArrayList<Tick>();
    if (last - first >= 2) {
      int stride = Math.ceilDiv(last - first + 1, Math.max(2, count));
      for (int decade = Math.ceilDiv(first, stride) * stride; decade <= last; decade += stride)
        ticks.add(tick(Math.pow(10, decade)));
    } else {
      for (int decade = first - 1; decade <= last; decade++) {
        for (int lead : new int[] {1, 2, 5}) {
          double value = lead * Math.pow(10, decade);
          if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.add(tick(value));
        }
      }
    }
    return new Axis(low, high, true, ticks.size() >= 2 ? ticks : ticks(low, high, step((high - low) / count)));
  }

  private static Tick tick(double value) { return new Tick(value, value < 9e-3 || value >= 1e6
      ? Figure.scientific(value,
      0) : Figure.number(value)); }
}
