package jacquard.clip.tune;

import java.util.List;
import java.util.function.Predicate;

/// The ways to keep what was known, by name: the one place that names them all.
public final class Keeps {
  /// What a user can set of them.
  ///
  /// @param weight null for each one's own
  public record Knobs(Double weight, double temperature) {
    private double weight(double otherwise) { return weight == null ? otherwise : weight; }
  }

  private static final Choice<Knobs, Keep> ALL = new Choice<Knobs, Keep>("--keep")
      .row("replay", _ -> new Keep.Nothing(), "--old-share")
      .row("lwf", k -> new Keep.Names(k.weight(1), k.temperature), "--keep-weight", "--temperature")
      .row("zscl", k -> new Keep.Both(k.weight(1), k.temperature), "--keep-weight", "--temperature")
      .row("l2-sp", k -> new Keep.Near(k.weight(0.1)), "--keep-weight")
      .row("ewc", k -> new Keep.Important(k.weight(100)), "--keep-weight")
      .row("none", _ -> new Keep.Nothing());

  private Keeps() {}

  /// @throws IllegalArgumentException if there is none of this name, with the nearest
  public static Keep of(String name, Knobs knobs) { return ALL.of(name, knobs); }

  /// Options that others take and this one does not.
  public static List<String> strange(String name) { return ALL.strange(name); }

  /// @throws IllegalArgumentException if an option is given that others take and this one does not
  public static void check(String name, Predicate<String> given) { ALL.check(name, given); }
}
