package jacquard.bench;

import jacquard.bench.harness.Guard;
import jacquard.bench.harness.Machine;
import jacquard.bench.harness.Result;
import jacquard.bench.harness.Run;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Onnx;
import jacquard.bench.peer.Torch;
import jacquard.bench.peer.Worker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine;

/// `bench/run`: runs the numbered benchmarks, each case in JVMs of its own, and writes table, chart and JSON.
@Command(name = "bench/run", mixinStandardHelpOptions = true, description =
    "Runs the benchmarks beside their peers; writes a table, a chart and, if asked, JSON.")
public final class Main implements Callable<Integer> {
  /// A benchmark and the thread counts it is run with.
  record Entry(Class<? extends Work.Case> type, int... threads) {}

  /// In the order of their numbers.
  static final List<Entry> ALL = List.of(new Entry(B01_MatMul.class, 1, 2), new Entry(B02_Attention.class, 1, 2),
      new Entry(B03_Rows.class, 1, 2), new Entry(B04_Contrastive.class, 1, 2),
      new Entry(B05_AdamW.class, 1, 2), new Entry(B06_Pictures.class, 1), new Entry(B07_ImageEncode.class, 1, 2),
      new Entry(B08_TextEncode.class, 1, 2), new Entry(B09_TrainingStep.class, 1, 2),
      new Entry(B10_Memory.class, 2), new Entry(B11_ColdStart.class, 2), new Entry(B12_Depthwise.class, 1, 2),
      new Entry(B13_Tokens.class, 1), new Entry(B14_Augment.class, 1), new Entry(B15_Tuning.class, 2),
      new Entry(B16_Caption.class, 2), new Entry(B17_Shards.class, 1, 2),
      new Entry(B18_Remote.class, 2));

  /// What the guard runs: a kernel of each kind, beside libtorch, on one thread. Two threads share a machine with
  /// whatever else it does.
  private static final List<String> SMOKE = List.of("forward 1600×768→3072", "dW 1600", "attention 50×64 forward",
      "layer norm 1600", "GELU 1600", "softmax 19200", "softmax N=1024");
  /// How often the guard measures a row that looks like a catastrophe before it believes it.
  private static final int TRIES = 3;

  @Option(names = "--smoke", description =
      "the guard: a few kernels beside libtorch in a minute or so; fails where a ratio is below half of the committed one")
  boolean smoke;
  @Option(names = "--only", arity = "1..*", paramLabel = "NAME", description =
      "only works whose name, or whose benchmark's, contains one of these")
  List<String> only = List.of();
  @Option(names = "--threads", paramLabel = "N", description = "only with this many threads") int threads;
  @Option(names = "--quick", description = "one JVM a case and a second of windows") boolean quick;
  @Option(names = "--forks", description = "JVMs a case (3; 1 with --quick)") Integer forks;
  @Option(names = "--seconds", description = "of windows in each JVM (3; 1 with --quick), and as long to warm up")
  Double seconds;
  @Option(names = "--json", paramLabel = "FILE", description =
      "also the rows {work, threads, unit, ours, peer, peer_name, ratio, target}")
  Path json;
  @Option(names = "--out", paramLabel = "FOLDER", description = "where table.md and chart.png go (${DEFAULT-VALUE})")
  Path out = Path.of("bench/target/results");
  @Option(names = "--avx2", description =
      "shows a machine of 256 bits: Java, libtorch and OpenCLIP keep to AVX2 (ONNX Runtime does not)")
  boolean avx2;
  @Option(names = "--jvm", paramLabel = "ARG", description =
      "a further argument for the JVMs, such as -Djacquard.simd.bits=128, which narrows our vectors only")
  List<String> jvm = List.of();
  @Option(names = "--committed", paramLabel = "FILE", description =
      "the rows that --smoke compares with, in place of those for this machine's vectors")
  Path committed;
  @Option(names = "--list", description = "names the works and stops") boolean list;

  /// What to run: a case on a number of threads.
  private record Race(Class<? extends Work.Case> type, Run.Parameters parameters, int threads) {
    Guard.Row row(double ratio) {
      return new Guard.Row(parameters.work().name(), threads, parameters.work().peer(), ratio);
    }
  }

  public static void main(String[] args) { System.exit(new CommandLine(new Main()).execute(args)); }

  @Override public Integer call() throws Exception {
    if (smoke) {
      // JMH's lock is one for all users of a machine
      System.setProperty("jmh.ignoreLock", "true");
      smoke();
    }
    var options = new ArrayList<>(jvm);
    if (avx2) options.add("-XX:UseAVX=2");
    var machine = Machine.here(options);
    System.out.println(machine);
    var races = races();
    if (list) {
      races.forEach(r -> System.out.println(r.type.getSimpleName().substring(0, 3) + "  " + r.row(0)));
      return 0;
    }
    System.out.println(Torch.describe());
    var run = new Run(forks != null ? forks : quick ? 1 : 3, seconds != null ? seconds : quick ? 1 : 3, options);
    var guard = smoke ? Guard.read(committed == null ? Guard.file(machine.bits()) : committed) : null;
    var results = new ArrayList<Result>();
    for (var race : races) {
      var result = smoke ? believed(race, run, guard) : run.race(race.type, race.parameters, race.threads);
      if (result.isEmpty()) continue;
      results.add(result.get());
      System.out.println(result.get());
      Result.write(results, machine, out, json);                                 // whoever stops it has what there is
    }
    System.out.println(out.resolve("table.md") + ", chart.png" + (json == null ? "" : ", " + json));
    if (!smoke) return results.size() == races.size() ? 0 : 1;
    System.out.println();
    return guard.passes(races.stream().map(r -> r.row(0)).toList(), results.stream().map(r ->
        new Guard.Row(r.work().name(), r.threads(), r.work().peer(), r.ratio())).toList(), System.out) ? 0 : 1;
  }

  /// The rows that `--smoke` measures, without their ratios.
  public static List<Guard.Row> guarded() throws ReflectiveOperationException {
    var main = new Main();
    main.smoke();
    return main.races().stream().map(r -> r.row(0)).toList();
  }

  private void smoke() {
    smoke = true;
    quick = true;
    threads = 1;
    if (only.isEmpty()) only = SMOKE;
  }

  private List<Race> races() throws ReflectiveOperationException {
    var r = new ArrayList<Race>();
    for (var entry : ALL)
      for (int t : entry.threads()) {
        if (t > Runtime.getRuntime().availableProcessors() || threads > 0 && t != threads && entry.threads().length > 1)
          continue;
        for (var c : Run.cases(entry.type(), t)) {
          if (!wanted(entry.type().getSimpleName() + " " + c.work().name() + " | " + c.work().peer()) || smoke
              && !c.work().peer().equals(Torch.NAME))
            continue;
          if (!list && !Files.exists(Worker.python())
              && (Set.of(Worker.OPEN_CLIP, Worker.PYTORCH, Onnx.NAME).contains(c.work().peer())))
            System.out.println("left out, since bench/peers/setup was not run: " + c.work().name() + " | "
            + c.work().peer());
          else r.add(new Race(entry.type(), c, t));
        }
      }
    if (r.isEmpty())
      throw new CommandLine.ParameterException(new CommandLine(this),
          "no work is called " + String.join(" or ", only) + "; --list names them");
    return r;
  }

  /// A result below half of the committed one is measured again, for longer: a machine that others use lies for seconds
  /// at a time, a broken kernel always. The best counts.
  private static Optional<Result> believed(Race race, Run run, Guard guard) throws Exception {
    var best = run.race(race.type, race.parameters, race.threads);
    for (int i = 1; i < TRIES && best.isPresent() && guard.catastrophic(race.row(best.get().ratio())); i++) {
      System.out.println(best.get() + "\n  below half of the committed ratio: once more");
      var again = new Run(1, 3 * run.seconds(), run.jvm()).race(race.type, race.parameters, race.threads);
      if (again.isPresent() && again.get().ratio() > best.get().ratio()) best = again;
    }
    return best;
  }

  private boolean wanted(String name) {
    var lower = name.toLowerCase(Locale.ROOT);
    return only.isEmpty() || only.stream().anyMatch(o -> lower.contains(o.toLowerCase(Locale.ROOT)));
  }
}
