package jacquard.clip.cli.tune;

import jacquard.clip.tune.Keep;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Methods;
import java.util.List;
import picocli.CommandLine.Option;

/// How a model is adapted, and what holds on to what it knew.
final class TuneOptions {
  @Option(names = "--method", paramLabel = "NAME",
      description = "full (the image tower, against texts that stay), last (its last --groups), flyp (both towers, by "
          + "CLIP's own loss), lit (the text tower, the image tower locked), lora or dora (low-rank pairs beside "
          + "linear layers), clip-lora (rank 2 beside queries, keys and values) (default: ${DEFAULT-VALUE}).")
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
  @Option(names = "--keep", paramLabel = "NAME",
      description = "replay (old pairs in each step), lwf (what the model said of the old names), l2-sp (weights stay "
          + "near the old ones), ewc (the same, those that matter to --old-data nearer), none (default: replay where "
          + "there is --old-data, else lwf).")
  String keep;
  @Option(names = "--old-share", paramLabel = "SHARE",
      description = "Of --keep replay: the old pairs' part of a step (default: ${DEFAULT-VALUE}).")
  double share = 0.5;
  @Option(names = "--keep-weight", paramLabel = "X",
      description = "The weight of what is kept (default: 1 with lwf, 0.1 with l2-sp, 100 with ewc).")
  Double weight;
  @Option(names = "--temperature", paramLabel = "T", description = "Of --keep lwf (default: ${DEFAULT-VALUE}).")
  double temperature = 2;

  Method method() { return Methods.of(method, new Methods.Knobs(groups, rank, alpha, targets)); }

  /// @param old whether there are old pairs
  String kind(boolean old) {
    var k = keep == null ? old ? "replay" : "lwf" : keep;
    boolean needs = List.of("replay", "ewc").contains(k);
    if (needs && !old) throw new IllegalArgumentException("--keep " + k + " needs --old-data, pairs that were known");
    if (!needs && old) throw new IllegalArgumentException("--old-data is for --keep replay or ewc, not for " + k);
    return k;
  }

  Keep keep(String kind) {
    return switch (kind) {
      case "replay", "none" -> new Keep.Nothing();
      case "lwf" -> new Keep.Names(weight(1), temperature);
      case "l2-sp" -> new Keep.Near(weight(0.1));
      case "ewc" -> new Keep.Important(weight(100));
      default -> throw new IllegalArgumentException("--keep " + kind + ", expected replay, lwf, l2-sp, ewc or none");
    };
  }

  private double weight(double otherwise) { return weight == null ? otherwise : weight; }

  /// How many of a step's pairs are old.
  int old(String kind, int batch) {
    if (!kind.equals("replay")) return 0;
    int n = (int) Math.round(batch * share);
    if (n < 1 || n >= batch) throw new IllegalArgumentException("--old-share " + share + ": " + n + " of " + batch
        + " pairs, expected some and not all");
    return n;
  }
}
