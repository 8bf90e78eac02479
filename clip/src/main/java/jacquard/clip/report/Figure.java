package jacquard.clip.report;

import java.util.Locale;
import java.util.OptionalDouble;

/// A figure that a run ends with: its name, its value and, where guessing has a known value, the level of chance.
///
/// @param name   what was measured, for example `image → text R@1`
/// @param value  the value; NaN if it could not be measured
/// @param chance what guessing would reach, in the same terms
/// @param share  whether the value is a share of one, to be shown in percent
/// @param unit   a unit written after the value, or empty
public record Figure(String name, double value, OptionalDouble chance, boolean share, String unit) {
  /// A share of one with the level of chance, shown in percent.
  public static Figure share(String name, double value,
      double chance) { return new Figure(name, value, OptionalDouble.of(chance), true,
      ""); }

  public static Figure share(String name, double value) {
    return new Figure(name, value, OptionalDouble.empty(), true, "");
  }

  public static Figure of(String name, double value, String unit) {
    return new Figure(name, value, OptionalDouble.empty(), false, unit);
  }

  public static Figure of(String name, double value) { return of(name, value, ""); }

  /// The value as people read it.
  public String text() { return show(value); }

  /// The level of chance as people read it; empty if there is none.
  public String chanceText() { return chance.isPresent() ? show(chance.getAsDouble()) : ""; }

  /// The value without its unit.
  String bare(double v) { return share ? percent(v) : number(v); }

  private String show(double v) {
    String text = bare(v);
    return unit.isEmpty() || Double.isNaN(v) ? text : text + " " + unit;
  }

  static String percent(double share) {
    if (!Double.isFinite(share)) return number(share);
    double percent = share * 100;
    if (Math.abs(percent) >= 1e6) return number(percent) + " %";
    return (percent != 0 && Math.abs(percent) < 0.1 ? number(percent) : String.format(Locale.ROOT, "%.1f", percent))
        + " %";
  }

  /// At most four significant digits: `0`, `12,345`, `0.4321`, `0.01`, `1.5e-5`.
  static String number(double v) {
    String steady = steady(v);
    return steady.contains(".") && !steady.contains("e") ? steady.replaceAll("0+$", "").replaceAll("\\.$", "") : steady;
  }

  /// As [#number], but always four digits, so that a line with a changing value does not jump.
  public static String steady(double v) {
    if (Double.isNaN(v)) return "–";
    if (Double.isInfinite(v)) return v > 0 ? "∞" : "−∞";
    double size = Math.abs(v);
    if (size < 1e9 && v == Math.rint(v)) return String.format(Locale.ROOT, "%,d", (long) v);
    if (size >= 1e7 || size < 1e-3) return scientific(v, 3);
    int decimals = Math.max(0, 3 - (int) Math.floor(Math.log10(size)));
    return String.format(Locale.ROOT, "%,." + decimals + "f", v);
  }

  /// `1.5e-5`: no trailing zeros in the mantissa, no leading ones in the exponent.
  static String scientific(double v, int decimals) {
    String[] parts = String.format(Locale.ROOT, "%." + decimals + "e", v).split("e");
    String mantissa = parts[0].contains(".") ? parts[0].replaceAll("0+$", "").replaceAll("\\.$", "") : parts[0];
    return mantissa + "e" + Integer.parseInt(parts[1]);
  }
}
