package jacquard.clip.tune;

import jacquard.clip.settings.Nearest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/// What a user chooses by name, each with the options that it takes.
///
/// @param <K> what the options come to
/// @param <T> what is chosen
final class Choice<K, T> {
  private record Row<K, T>(Function<K, T> make, List<String> options) {}

  private final String by;
  private final Map<String, Row<K, T>> rows = new LinkedHashMap<>();

  /// @param by the option that chooses
  Choice(String by) { this.by = by; }

  /// @param options those that it takes, of the ones that some take and others do not
  Choice<K, T> row(String name, Function<K, T> make, String... options) {
    rows.put(name, new Row<>(make, List.of(options)));
    return this;
  }

  T of(String name, K knobs) { return found(name).make.apply(knobs); }

  /// Options that others take and this one does not.
  List<String> strange(String name) {
    var own = found(name).options;
    return rows.values().stream().flatMap(r -> r.options.stream()).distinct().filter(o -> !own.contains(o)).toList();
  }

  /// @throws IllegalArgumentException if an option is given that others take and this one does not
  void check(String name, Predicate<String> given) {
    for (var option : strange(name))
      if (given.test(option))
        throw new IllegalArgumentException(option + " is for " + by + " " + takers(option) + ", not for " + name
            + "; leave it out, or choose " + by + " otherwise");
  }

  private String takers(String option) {
    var all = rows.keySet().stream().filter(n -> rows.get(n).options.contains(option)).toList();
    return all.size() == 1 ? all.getFirst() : String.join(", ", all.subList(0, all.size() - 1)) + " or "
        + all.getLast();
  }

  private Row<K, T> found(String name) {
    var row = rows.get(name);
    if (row == null)
      throw new IllegalArgumentException(by + " " + name + ", expected one of " + String.join(", ", rows.keySet())
          + Nearest.of(name, rows.keySet()).map(n -> ". Did you mean " + n + "?").orElse(""));
    return row;
  }
}
