package jacquard.clip.cli.suite;

import jacquard.clip.eval.protocols.Captioning;
import jacquard.clip.eval.protocols.Choosing;
import jacquard.clip.eval.protocols.LinearProbing;
import jacquard.clip.eval.protocols.Protocol;
import jacquard.clip.eval.protocols.Retrieval;
import jacquard.clip.eval.protocols.ZeroShot;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.Benchmarks;
import jacquard.clip.settings.Home;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/// Evaluation on data sets and suites that are known by name.
public final class SuiteOptions {
  @Option(names = "--suite", paramLabel = "NAME",
      description = "A collection of data sets; may be repeated. --list names "
      + "them.") List<String> suites = List.of();
  @Option(names = "--dataset", arity = "1..*", paramLabel = "NAME",
      description = "Data sets by name, or a folder of your "
      + "own with classnames.txt and zeroshot_classification_templates.txt; may be repeated.") List<String> sets =
          List.of();
  @Option(names = "--data", paramLabel = "ROOT",
      description = "The folder that holds the data sets' folders; of one data "
      + "set alone, its own folder will do.") Path root;
  @Option(names = "--list", help = true,
      description = "Says what each data set and suite needs and, with --data, what is "
      + "there; needs no model.") public boolean list;
  @Option(names = "--language", paramLabel = "NAME", description = "Of class names and captions (default: "
      + "${DEFAULT-VALUE}).") String language = "en";
  @Option(names = "--recall-k", arity = "1..*", split = ",", paramLabel = "K", description = "Cut-offs of retrieval "
      + "(default: 1, 5, 10).") List<Integer> ks = Retrieval.USUAL;
  @Option(names = "--task", arity = "1..*", paramLabel = "NAME", description = "auto (what suits the set), "
      + "zeroshot_classification, zeroshot_retrieval, image_caption_selection, captioning (CoCa), or on the set's "
          + "train split: "
      + "linear_probe (CLIP_benchmark's), logistic_probe (OpenAI's), elevater_probe, knn; may be repeated (default: "
          + "auto).")
  List<String> tasks = List.of();
  @Option(names = "--fewshot-k", arity = "1..*", split = ",", paramLabel = "K",
      description = "Pictures a class that a probe "
      + "is trained on, 1,2,4,8,16 say; -1 for all (default: -1).") List<Integer> shots = List.of(-1);
  @Option(names = "--fewshot-lr", paramLabel = "X", description = "Of linear_probe (default: ${DEFAULT-VALUE}).")
  double rate = 0.1;
  @Option(names = "--fewshot-epochs", paramLabel = "N", description = "Of linear_probe (default: ${DEFAULT-VALUE}).")
  int epochs = 10;
  @Option(names = "--fewshot-batch", paramLabel = "N", description = "Of linear_probe (default: ${DEFAULT-VALUE}).")
  int batch = 64;
  @Option(names = "--seed", paramLabel = "N", description = "Of probes (default: ${DEFAULT-VALUE}).") long seed = 0;
  @Option(names = "--export", help = true, paramLabel = "FOLDER",
      description = "Writes the data sets found as webdataset "
      + "folders into FOLDER instead, as CLIP_benchmark reads them; needs no model.") public Path export;
  @Option(names = "--results", paramLabel = "FOLDER", description = "Where results go, a JSON file each, as "
      + "CLIP_benchmark's (default: ${DEFAULT-VALUE}).") Path results = Path.of("results");
  @Option(names = "--save-classifier", paramLabel = "FILE", description = "Writes the class vectors of the data set, "
      + "a safetensors file.") Path saved;
  @Option(names = "--load-classifiers", arity = "1..*", paramLabel = "FILE", description = "Takes the mean of such "
      + "files in place of the vectors of the names: of several models, or of other sentences.")
  List<Path> loaded = List.of();
  @Option(names = "--jsonl", paramLabel = "FILE", description = "Also writes a line a data set, as DataComp's "
      + "eval_results.jsonl.") Path lines;
  @Option(names = "--skip-existing", description = "Does not measure again what has a result.") boolean skip;
  @Option(names = "--cache", paramLabel = "FOLDER",
      description = "Where features are kept, so that further metrics need no "
      + "pass over the pictures; none for nowhere (default: jacquard/features in the user's cache).") String cache;

  public boolean asked() { return list || !suites.isEmpty() || !sets.isEmpty(); }

  /// The sets by name and the user's own, in the order given; each once.
  List<Benchmark> benchmarks() {
    var r = new ArrayList<Benchmark>();
    for (var s : suites) for (var m : Benchmarks.suite(s)) r.add(Benchmarks.of(m.set()));
    for (var s : sets) r.add(Benchmarks.asked(s));
    return r.stream().distinct().toList();
  }

  /// Where features are kept; null for nowhere.
  Path kept() {
    if (cache != null) return cache.equals("none") ? null : Path.of(cache);
    var general = System.getenv("XDG_CACHE_HOME");
    return (general != null ? Path.of(general) : Home.folder().resolve(".cache")).resolve("jacquard")
        .resolve("features");
  }

  /// The tasks asked for; none for what suits each set.
  List<Protocol> protocols() {
    if (ks.stream().anyMatch(k -> k < 1)) throw new IllegalArgumentException("--recall-k " + ks
        + ", expected numbers from 1");
    var r = new ArrayList<Protocol>();
    boolean own = saved != null || !loaded.isEmpty();
    if (own && benchmarks().size() != 1)
      throw new IllegalArgumentException("--save-classifier and --load-classifiers are for one data set, and "
          + benchmarks().size() + " are asked for: each has classes of its own");
    if (own && !tasks.contains("zeroshot_classification")) r.add(new ZeroShot(saved, loaded));
    for (var t : tasks) switch (t) {
      case "auto" -> { }
      case "zeroshot_classification" -> r.add(new ZeroShot(saved, loaded));
      case "zeroshot_retrieval" -> r.add(new Retrieval(ks));
      case "image_caption_selection" -> r.add(new Choosing());
      case "captioning" -> r.add(new Captioning(results));
      case "linear_probe" -> probes(LinearProbing.Kind.LINEAR, r);
      case "logistic_probe" -> probes(LinearProbing.Kind.LOGISTIC, r);
      case "elevater_probe" -> probes(LinearProbing.Kind.ELEVATER, r);
      case "knn" -> probes(LinearProbing.Kind.NEIGHBOURS, r);
      default -> throw new IllegalArgumentException("--task " + t + ", expected auto, zeroshot_classification, "
          + "zeroshot_retrieval, image_caption_selection, linear_probe, logistic_probe, elevater_probe, knn or "
          + "captioning");
    }
    if (r.isEmpty() && !ks.equals(Retrieval.USUAL))
      throw new IllegalArgumentException("--recall-k goes with --task zeroshot_retrieval");
    return r;
  }

  private void probes(LinearProbing.Kind kind, List<Protocol> to) {
    for (int k : shots) to.add(new LinearProbing(kind, k, rate, batch, epochs, seed));
  }
}
