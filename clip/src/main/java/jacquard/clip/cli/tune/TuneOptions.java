package jacquard.clip.cli.tune;

import jacquard.clip.tune.Keep;
import jacquard.clip.tune.Keeps;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Methods;
import jacquard.clip.tune.method.prompt.Wording;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/// How a model is adapted, and what holds on to what it knew.
final class TuneOptions {
  @Option(names = "--method", paramLabel = "NAME",
      description = "full (the image tower, against texts that stay), last (its last --groups), flyp (both towers, by "
          + "CLIP's own loss), lit (the text tower, the image tower locked), lora or dora (low-rank pairs beside "
          + "linear layers), clip-lora (rank 2 beside queries, keys and values), linear-probe (the names' vectors), "
          + "lp-ft (these first, then the image tower with them), coop (a prompt before each name), cocoop (which "
          + "each picture moves), maple, promptsrc "
          + "(prompts within both towers too), clip-adapter (a small net behind the image tower), tip-adapter (--shots "
          + "pictures a name are remembered, nothing is trained), tip-adapter-f (their features are trained) (default: "
          + "${DEFAULT-VALUE}).")
  String method = "full";
  @Option(names = "--groups", paramLabel = "N",
      description = "Of --method last: groups that are trained, from the output on (default: ${DEFAULT-VALUE}).")
  int groups = 2;
  @Option(names = "--lora-rank", paramLabel = "N", description = "Of lora and dora (default: ${DEFAULT-VALUE}).")
  int rank = 8;
  @Option(names = "--lora-alpha", paramLabel = "X",
      description = "Of lora and dora: the pairs' scale is X over the rank (default: ${DEFAULT-VALUE}).")
  double alpha = 16;
  @Option(names = "--lora-targets", split = ",", paramLabel = "NAME",
      description = "Of lora and dora: ends of the names of the layers that have pairs, as transformers' CLIP has "
          + "them (q_proj, out_proj, fc1, …), or all-linear (default: ${DEFAULT-VALUE}).")
  List<String> targets = List.of("all-linear");
  @Option(names = "--lora-dropout", paramLabel = "P",
      description = "Of lora and dora: how much of the pairs' input is left out while they are trained; clip-lora has "
          + "0.25 (default: ${DEFAULT-VALUE}).")
  double dropout = 0;
  @Option(names = "--prompt", paramLabel = "WORDS",
      description = "Of coop, cocoop, maple and promptsrc: what the prompt begins as (default: \"${DEFAULT-VALUE}\").")
  String words = "a photo of a";
  @Option(names = "--prompt-vectors", paramLabel = "N",
      description = "The same: N vectors drawn by chance in place of words.")
  Integer vectors;
  @Option(names = "--shots", paramLabel = "N",
      description = "Of tip-adapter and tip-adapter-f: pictures of a name that are remembered, at most (default: "
          + "${DEFAULT-VALUE}).")
  int shots = 16;
  @Option(names = "--matryoshka", split = ",", paramLabel = "WIDTH",
      description = "Of flyp and lit: pictures and captions are compared by so many of their features' first numbers "
          + "too, as 64,128,512, so that features may be cut short (jina-clip's loss).")
  List<Integer> widths = List.of();
  @Option(names = "--seeds", paramLabel = "N",
      description = "Runs with N seeds, from --seed on, and tells means and deviations (default: ${DEFAULT-VALUE}).")
  int seeds = 1;
  @Option(names = "--knob", paramLabel = "OPTION=X,X,…",
      description = "Runs with each value of an option, as keep-weight=0.5,1,2 or lora-rank=2,8, and draws what is "
          + "kept and learned over it.")
  String knob;
  @Option(names = "--keep", paramLabel = "NAME",
      description = "replay (old pairs in each step), lwf (what the model said of the old names), zscl (the same "
          + "both ways, and the mean of the weights along the way), l2-sp (weights stay "
          + "near the old ones), ewc (the same, those that matter to --old-data nearer), none (default: replay where "
          + "there is --old-data, else lwf; none where the method leaves the weights as they are).")
  String keep;
  @Option(names = "--old-share", paramLabel = "SHARE",
      description = "Of --keep replay: the old pairs' part of a step (default: ${DEFAULT-VALUE}).")
  double share = 0.5;
  @Option(names = "--keep-weight", paramLabel = "X",
      description = "The weight of what is kept (default: 1 with lwf and zscl, 0.1 with l2-sp, 100 with ewc).")
  Double weight;
  @Option(names = "--temperature", paramLabel = "T",
      description = "Of --keep lwf and zscl (default: ${DEFAULT-VALUE}).")
  double temperature = 2;

  Method method() {
    if (vectors != null && vectors < 1)
      throw new IllegalArgumentException("--prompt-vectors " + vectors + ", expected 1 or more");
    return Methods.of(method, new Methods.Knobs(groups, rank, alpha, targets, dropout, new Wording(words,
        vectors == null ? 0 : vectors), shots, widths));
  }

  /// @param old   whether there are old pairs
  /// @param stays whether the model's own weights stay as they are
  String kind(boolean old, boolean stays) {
    var k = keep == null ? stays ? "none" : old ? "replay" : "lwf" : keep;
    keep(k);                                                                       // an unknown one is said first
    if (stays && !List.of("none", "replay").contains(k))
      throw new IllegalArgumentException("--keep " + k + " holds on to what weights knew, and --method " + method
          + " leaves them as they are");
    boolean needs = List.of("replay", "ewc").contains(k);
    if (needs && !old) throw new IllegalArgumentException("--keep " + k + " needs --old-data, pairs that were known");
    if (!needs && old) throw new IllegalArgumentException("--old-data is for --keep replay or ewc, not for " + k);
    return k;
  }

  Keep keep(String kind) { return Keeps.of(kind, new Keeps.Knobs(weight, temperature)); }

  /// Refuses options that the method, or what keeps the old, does not take, and such as are not known.
  ///
  /// @param old   whether there are old pairs
  /// @param given whether an option is given
  void check(boolean old, Predicate<String> given) {
    Methods.check(method, given);
    if (given.test("--prompt") && given.test("--prompt-vectors"))
      throw new IllegalArgumentException("--prompt and --prompt-vectors exclude each other: a prompt begins as words "
          + "or as vectors drawn by chance; give one of them");
    Keeps.check(kind(old, method().stays()), given);
  }

  /// Options that this method, and what keeps the old, do not take, and others do.
  List<String> strange(boolean old) {
    return Stream.of(Methods.strange(method), Keeps.strange(kind(old, method().stays()))).flatMap(List::stream)
        .toList();
  }

  /// How many of a step's pairs are old.
  int old(String kind, int batch) {
    if (!kind.equals("replay")) return 0;
    int n = (int) Math.round(batch * share);
    if (n < 1 || n >= batch) throw new IllegalArgumentException("--old-share " + share + ": " + n + " of " + batch
        + " pairs, expected some and not all");
    return n;
  }
}
