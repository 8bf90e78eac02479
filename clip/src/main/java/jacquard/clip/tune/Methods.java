package jacquard.clip.tune;

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
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Predicate;

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

  private static final String[] PAIRS = {"--lora-rank", "--lora-alpha", "--lora-targets", "--lora-dropout"},
      PROMPT = {"--prompt", "--prompt-vectors"};
  private static final Choice<Knobs, Method> ALL = new Choice<Knobs, Method>("--method")
      .row("full", _ -> new OfImages(0))
      .row("last", k -> new OfImages(k.groups), "--groups")
      .row("flyp", k -> new OfPairs(Locks.NONE, k.widths), "--matryoshka")
      .row("lit", k -> new OfPairs(new Locks(OptionalInt.of(0), OptionalInt.empty(), false), k.widths), "--matryoshka")
      .row("lora", k -> new LowRankPairs(PeftConfig.of(k.rank, k.alpha, false, false, k.targets), k.dropout), PAIRS)
      .row("dora", k -> new LowRankPairs(PeftConfig.of(k.rank, k.alpha, false, true, k.targets), k.dropout), PAIRS)
      .row("clip-lora", _ -> new LowRankPairs(PeftConfig.of(2, 1, true, false, List.of("q_proj", "k_proj", "v_proj")),
          0.25))
      .row("linear-probe", _ -> new LinearHead())
      .row("lp-ft", _ -> new LpFt())
      .row("coop", k -> new Coop(k.wording), PROMPT)
      .row("cocoop", k -> new CoCoop(k.wording), PROMPT)
      .row("maple", k -> new Maple(k.wording), PROMPT)
      .row("promptsrc", k -> new PromptSrc(k.wording), PROMPT)
      .row("clip-adapter", _ -> new ClipAdapter())
      .row("tip-adapter", k -> new Tip(k.shots, false), "--shots")
      .row("tip-adapter-f", k -> new Tip(k.shots, true), "--shots");

  private Methods() {}

  /// @throws IllegalArgumentException if there is none of this name, with the nearest
  public static Method of(String name, Knobs knobs) { return ALL.of(name, knobs); }

  /// Options that others take and this one does not.
  public static List<String> strange(String name) { return ALL.strange(name); }

  /// @throws IllegalArgumentException if an option is given that others take and this one does not
  public static void check(String name, Predicate<String> given) { ALL.check(name, given); }
}
