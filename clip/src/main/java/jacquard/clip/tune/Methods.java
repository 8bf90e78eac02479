package jacquard.clip.tune;

import jacquard.clip.settings.Nearest;
import jacquard.clip.train.parameter.Locks;
import jacquard.clip.tune.adapter.PeftConfig;
import jacquard.clip.tune.method.Beside;
import jacquard.clip.tune.method.OfImages;
import jacquard.clip.tune.method.OfPairs;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;

/// The methods by name: the one place that names them all.
public final class Methods {
  /// What a user can set of them.
  ///
  /// @param groups  how many groups, of `last`
  /// @param rank    of the pairs of `lora` and `dora`
  /// @param alpha   their scale is alpha/rank
  /// @param targets the ends of the names of the layers that have pairs
  public record Knobs(int groups, int rank, double alpha, List<String> targets) {}

  private static final Map<String, Function<Knobs, Method>> ROWS = new LinkedHashMap<>();
  static {
    ROWS.put("full", _ -> new OfImages(0));
    ROWS.put("last", k -> new OfImages(k.groups));
    ROWS.put("flyp", _ -> new OfPairs(Locks.NONE));
    ROWS.put("lit", _ -> new OfPairs(new Locks(OptionalInt.of(0), OptionalInt.empty(), false)));
    ROWS.put("lora", k -> new Beside(PeftConfig.of(k.rank, k.alpha, false, false, k.targets)));
    ROWS.put("dora", k -> new Beside(PeftConfig.of(k.rank, k.alpha, false, true, k.targets)));
    ROWS.put("clip-lora", _ -> new Beside(PeftConfig.of(2, 1, true, false, List.of("q_proj", "k_proj", "v_proj"))));
  }

  private Methods() {}

  public static List<String> names() { return List.copyOf(ROWS.keySet()); }

  /// @throws IllegalArgumentException if there is none of this name, with the nearest
  public static Method of(String name, Knobs knobs) {
    var row = ROWS.get(name);
    if (row == null)
      throw new IllegalArgumentException("--method " + name + ", expected one of " + String.join(", ", ROWS.keySet())
          + Nearest.of(name, ROWS.keySet()).map(n -> ". Did you mean " + n + "?").orElse(""));
    return row.apply(knobs);
  }
}
