package jacquard.bench;

import jacquard.bench.harness.Machine;
import jacquard.bench.harness.Result;
import jacquard.bench.harness.Run;
import jacquard.bench.harness.Work;
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
  static final List<Entry> ALL = List.of(new Entry(B01_MatMul.class, 1, 2));

  @Option(names = "--only", arity = "1..*", paramLabel = "NAME", description = "only works whose name, or whose benchmark's, contains one of these") List<String> only = List.of();
  @Option(names = "--threads", paramLabel = "N", description = "only with this many threads") int threads;
  @Option(names = "--quick", description = "one JVM a case and a second of windows") boolean quick;
  @Option(names = "--forks", description = "JVMs a case (${DEFAULT-VALUE}; 1 with --quick)") int forks = 3;
  @Option(names = "--json", paramLabel = "FILE", description = "also the rows {work, threads, unit, ours, peer, peer_name, ratio, target}") Path json;
  @Option(names = "--out", paramLabel = "FOLDER", description = "where table.md and chart.png go (${DEFAULT-VALUE})") Path out = Path.of("bench/target/results");
  @Option(names = "--jvm", paramLabel = "ARG", description = "a further argument for the JVMs, such as -Djacquard.simd.bits=256") List<String> jvm = List.of();
  @Option(names = "--list", description = "names the works and stops") boolean list;

  public static void main(String[] args) { System.exit(new CommandLine(new Main()).execute(args)); }

  @Override public Integer call() throws Exception {
    var run = new Run(quick ? 1 : forks, quick ? 1 : 3, jvm);
    var machine = Machine.here(jvm);
    System.out.println(machine);
    var results = new ArrayList<Result>();
    for (var entry : ALL)
      for (int t : entry.threads()) {
        if (t > Runtime.getRuntime().availableProcessors() || threads > 0 && t != threads) continue;
        for (var c : Run.cases(entry.type())) {
          if (!wanted(entry.type().getSimpleName() + " " + c.work().name())) continue;
          if (list) System.out.println(entry.type().getSimpleName().substring(0, 3) + "  " + t + " threads  " + c.work().name() + " | " + c.work().peer());
          else run.race(entry.type(), c, t).ifPresent(r -> {
            results.add(r);
            System.out.println(r);
          });
        }
      }
    if (!list) Result.write(results, machine, out, json);
    return 0;
  }

  private boolean wanted(String name) {
    var lower = name.toLowerCase(Locale.ROOT);
    return only.isEmpty() || only.stream().anyMatch(o -> lower.contains(o.toLowerCase(Locale.ROOT)));
  }
}
