package jacquard.clip.tune;

import jacquard.clip.settings.Nearest;
import jacquard.clip.train.parameter.Locks;
import jacquard.clip.tune.adapter.PeftConfig;
import jacquard.clip.tune.method.ClipAdapter;
import jacquard.clip.tune.method.LinearHead;
import jacquard.clip.tune.method.LowRankPairs;
import jacquard.clip.tune.method.LpFt;
import jacquard.clip.tune.method.OfImages;
import jacquard.clip.tune.method.OfPairs;
import jacquard.clip.tune.method.Tip;
import jacquard.clip.tune.method.prompt.CoCoop;
import jacquard.clip.tune.method.prompt.Coop;
import jacquard.clip.tune.method.prompt.Maple;
import jacquard.clip.tune.method.prompt.PromptSrc;
import jacquard.clip.tune.method.prompt.Wording;
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
  /// @param dropout what share of the pairs' input is left out while they are trained
  /// @param wording what a prompt begins as
  /// @param shots   pictures of a name that are remembered, at most
  /// @param widths  of nested features, of `flyp` and `lit`; none for whole ones
  public record Knobs(int groups, int rank, double alpha, List<String> targets, double dropout, Wording wording,
      int shots, List<Integer> widths) {}

  private static final Map<String, Function<Knobs, Method>> ROWS = new LinkedHashMap<>();
  static {
    ROWS.put("full", _ -> new OfImages(0));
    ROWS.put("last", k -> new OfImages(k.groups));
    ROWS.put("flyp", k -> new OfPairs(Locks.NONE, k.widths));
    ROWS.put("lit", k -> new OfPairs(new Locks(OptionalInt.of(0), OptionalInt.empty(), false), k.widths));
    ROWS.put("lora", k -> new LowRankPairs(PeftConfig.of(k.rank, k.alpha, false, false, k.targets), k.dropout));
    ROWS.put("dora", k -> new LowRankPairs(PeftConfig.of(k.rank, k.alpha, false, true, k.targets), k.dropout));
    ROWS.put("clip-lora", _ -> new LowRankPairs(PeftConfig.of(2, 1, true, false, List.of("q_proj", "k_proj", "v_proj")),
        0.25));
    ROWS.put("linear-probe", _ -> new LinearHead());
    ROWS.put("lp-ft", _ -> new LpFt());
    ROWS.put("coop", k -> new Coop(k.wording));
    ROWS.put("cocoop", k -> new CoCoop(k.wording));
    ROWS.put("maple", k -> new Maple(k.wording));
    ROWS.put("promptsrc", k -> new PromptSrc(k.wording));
    ROWS.put("clip-adapter", _ -> new ClipAdapter());
    ROWS.put("tip-adapter", k -> new Tip(k.shots, false));
    ROWS.put("tip-adapter-f", k -> new Tip(k.shots, true));
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
