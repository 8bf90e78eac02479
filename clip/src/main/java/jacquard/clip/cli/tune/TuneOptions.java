package jacquard.clip.cli.tune;

import jacquard.clip.tune.Keep;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Methods;
import picocli.CommandLine.Option;

/// How a model is adapted, and what holds on to what it knew.
final class TuneOptions {
  @Option(names = "--method", paramLabel = "NAME",
      description = "full (the image tower, against texts that stay), last (its last --groups), flyp (both towers, "
          + "by CLIP's own loss), "
          + "lit (the text tower, the image tower locked) (default: ${DEFAULT-VALUE}).")
  String method = "full";
  @Option(names = "--groups", paramLabel = "N",
      description = "Of --method last: groups that are trained, from the output on (default: ${DEFAULT-VALUE}).")
  int groups = 2;
  @Option(names = "--keep", paramLabel = "NAME",
      description = "replay (old pairs in each step), lwf (what the model said of the old names), none (default: "
          + "replay where there is --old-data, else lwf).")
  String keep;
  @Option(names = "--old-share", paramLabel = "SHARE",
      description = "Of --keep replay: the old pairs' part of a step (default: ${DEFAULT-VALUE}).")
  double share = 0.5;
  @Option(names = "--keep-weight", paramLabel = "X",
      description = "Of --keep lwf: the weight of what is kept (default: ${DEFAULT-VALUE}).")
  double weight = 1;
  @Option(names = "--temperature", paramLabel = "T", description = "Of --keep lwf (default: ${DEFAULT-VALUE}).")
  double temperature = 2;

  Method method() { return Methods.of(method, new Methods.Knobs(groups)); }

  /// @param old whether there are old pairs
  String kind(boolean old) {
    var k = keep == null ? old ? "replay" : "lwf" : keep;
    if (k.equals("replay") && !old) throw new IllegalArgumentException("--keep replay needs --old-data, the pairs "
        + "to learn again");
    if (!k.equals("replay") && old && keep !=
        null) throw new IllegalArgumentException("--old-data is for --keep replay, not for --keep " + k);
    return k;
  }

  Keep keep(String kind) {
    return switch (kind) {
      case "replay", "none" -> new Keep.Nothing();
      case "lwf" -> new Keep.Names(weight, temperature);
      default -> throw new IllegalArgumentException("--keep " + kind + ", expected replay, lwf or none");
    };
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
