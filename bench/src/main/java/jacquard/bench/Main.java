package jacquard.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `bench/run`: runs the numbered benchmarks, each case in JVMs of its own, and writes table, chart and JSON.
@Command(name = "bench/run", mixinStandardHelpOptions = true, description = "Runs the benchmarks beside their peers; writes a table, a chart and, if asked, JSON.")
public final class Main implements Callable<Integer> {
  /// A benchmark and the thread counts it is run with.
  record Entry(Class<? extends Work.Case> type, int... threads) {}

  /// In the order of their numbers.
  static final List<Entry> ALL = List.of(new Entry(B01_MatMul.class, 1, 2), new Entry(B02_Attention.class, 1, 2), new Entry(B03_Rows.class, 1, 2), new Entry(B04_Contrastive.class, 2),
      new Entry(B05_AdamW.class, 1, 2), new Entry(B06_Pictures.class, 1), new Entry(B07_ImageEncode.class, 1, 2), new Entry(B08_TextEncode.class, 1, 2), new Entry(B09_TrainingStep.class, 2),
      new Entry(B10_Memory.class, 2), new Entry(B11_ColdStart.class, 2));

  /// What the guard runs: a kernel of each kind, beside libtorch, on one thread.
  private static final List<String> SMOKE = List.of("forward 1600×768→3072", "attention 50×64 forward", "layer norm 1600", "GELU 1600", "softmax 19200", "softmax N=1024");
  private static final Path COMMITTED = Path.of("bench/results.json");

  @Option(names = "--smoke", description = "the guard: a few kernels beside libtorch in under two minutes; fails where a ratio is below half of the one in bench/results.json") boolean smoke;
  @Option(names = "--only", arity = "1..*", paramLabel = "NAME", description = "only works whose name, or whose benchmark's, contains one of these") List<String> only = List.of();
  @Option(names = "--threads", paramLabel = "N", description = "only with this many threads") int threads;
  @Option(names = "--quick", description = "one JVM a case and a second of windows") boolean quick;
  @Option(names = "--forks", description = "JVMs a case (${DEFAULT-VALUE}; 1 with --quick)") int forks = 3;
  @Option(names = "--seconds", description = "of windows in each JVM (${DEFAULT-VALUE}; 1 with --quick), and as long to warm up") double seconds = 3;
  @Option(names = "--json", paramLabel = "FILE", description = "also the rows {work, threads, unit, ours, peer, peer_name, ratio, target}") Path json;
  @Option(names = "--out", paramLabel = "FOLDER", description = "where table.md and chart.png go (${DEFAULT-VALUE})") Path out = Path.of("bench/target/results");
  @Option(names = "--jvm", paramLabel = "ARG", description = "a further argument for the JVMs, such as -Djacquard.simd.bits=256") List<String> jvm = List.of();
  @Option(names = "--list", description = "names the works and stops") boolean list;

  public static void main(String[] args) { System.exit(new CommandLine(new Main()).execute(args)); }

  @Override public Integer call() throws Exception {
    if (smoke) {
      quick = true;
      threads = 1;
      only = SMOKE;
    }
    var run = new Run(quick ? 1 : forks, quick ? 1 : seconds, jvm);
    var machine = Machine.here(jvm);
    System.out.println(machine);
    if (!list) System.out.println(Torch.describe());
    var results = new ArrayList<Result>();
    for (var entry : ALL)
      for (int t : entry.threads()) {
        if (t > Runtime.getRuntime().availableProcessors() || threads > 0 && t != threads && entry.threads().length > 1) continue;
        for (var c : Run.cases(entry.type())) {
          if (!wanted(entry.type().getSimpleName() + " " + c.work().name()) || smoke && !c.work().peer().equals(Torch.NAME)) continue;
          if (!list && !Files.exists(Worker.python()) && (c.work().peer().equals(Worker.OPEN_CLIP) || c.work().peer().equals(Onnx.NAME))) {
            System.out.println("left out, since bench/peers/setup was not run: " + c.work().name() + " | " + c.work().peer());
            continue;
          }
          if (list) System.out.println(entry.type().getSimpleName().substring(0, 3) + "  " + t + " threads  " + c.work().name() + " | " + c.work().peer());
          else run.race(entry.type(), c, t).ifPresent(r -> {
            results.add(r);
            System.out.println(r);
          });
        }
      }
    if (!list) Result.write(results, machine, out, json);
    return smoke ? guard(results) : 0;
  }

  /// Half of the committed ratio is a catastrophe on any machine: a kernel that C2 no longer compiles, say.
  private static int guard(List<Result> results) throws Exception {
    int failed = 0, compared = 0;
    for (var row : new ObjectMapper().readTree(COMMITTED.toFile()))
      for (var r : results)
        if (row.get("work").asText().equals(r.work().name()) && row.get("threads").asInt() == r.threads() && row.get("peer_name").asText().equals(r.work().peer())) {
          compared++;
          if (r.ratio() < 0.5 * row.get("ratio").asDouble()) {
            failed++;
            System.out.println("FAILED: " + r.work().name() + " at " + Result.number(r.ratio()) + ", less than half of the committed " + row.get("ratio").asText());
          }
        }
    System.out.println(compared + " compared with " + COMMITTED + ", " + failed + " below half");
    return failed > 0 || compared < SMOKE.size() ? 1 : 0;
  }

  private boolean wanted(String name) {
    var lower = name.toLowerCase(Locale.ROOT);
    return only.isEmpty() || only.stream().anyMatch(o -> lower.contains(o.toLowerCase(Locale.ROOT)));
  }
}
