package jacquard.bench.harness;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Runs cases through JMH: each in `forks` JVMs, one contest to warm both sides up and one that counts. JMH's own clock
/// is not used: it cannot take turns between two benchmarks.
public record Run(int forks, double seconds, List<String> jvm) {
  private static final String HEAP = System.getProperty("jacquard.bench.heap", "-XX:+UseG1GC");
  private static final String TRAINING = System.getProperty("jacquard.bench.training", "-XX:+UseG1GC");

  /// The options by which the launcher sets the heap.
  public static List<String> heap() { return List.of(HEAP.split(" ")); }
  /// Those of a training.
  public static List<String> training() { return List.of(TRAINING.split(" ")); }

  /// A case of a benchmark: its parameters, and what it then says of itself.
  public record Parameters(Map<String, String> values, Work work, boolean heavy, boolean warmed) {}

  /// All combinations of a benchmark's `@Param` values that make sense on so many threads.
  public static List<Parameters> cases(Class<? extends Work.Case> type, int threads)
      throws ReflectiveOperationException {
    List<Map<String, String>> all = List.of(Map.of());
    for (Field f : type.getFields()) {
      if (!f.isAnnotationPresent(Param.class)) continue;
      var longer = new ArrayList<Map<String, String>>();
      for (var before : all)
        for (var v : f.getAnnotation(Param.class).value()) {
          var m = new LinkedHashMap<>(before);
          m.put(f.getName(), v);
          longer.add(m);
        }
      all = longer;
    }
    var r = new ArrayList<Parameters>();
    for (var values : all) {
      var c = type.getConstructor().newInstance();
      for (var e : values.entrySet()) {
        var f = type.getField(e.getKey());
        f.set(c, f.getType() == int.class ? (Object) Integer.valueOf(e.getValue()) : e.getValue());
      }
      if (c.on(threads)) r.add(new Parameters(values, c.work(), c.heavy(), c.warmed()));
    }
    return r;
  }

  /// Empty if the case failed; JMH has then said why.
  public Optional<Result> race(Class<?> type, Parameters c, int threads) throws RunnerException {
    var args = new ArrayList<>(List.of("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow", "-Djacquard.bench.heap=" + HEAP,
        "-Djacquard.bench.training=" + TRAINING, "-Djacquard.threads=" + threads, "-Djacquard.bench.seconds=" + seconds,
        "-Djacquard.bench.fewest=" + (forks == 1 || c.heavy() ? 2 : 4)));
    args.addAll(heap());
    args.addAll(jvm);
    var options = new OptionsBuilder().include("\\b" + type.getSimpleName() + "\\b").mode(Mode.SingleShotTime)
        .forks(c.heavy() ? 1 : forks).warmupIterations(c.warmed() ? 1 : 0).measurementIterations(1)
        .timeout(TimeValue.minutes(10)).verbosity(Boolean.getBoolean("jacquard.bench.verbose") ? VerboseMode.NORMAL
        : VerboseMode.SILENT).jvmArgs(args.toArray(String[]::new));
    c.values().forEach(options::param);
    var results = new Runner(options.build()).run();
    if (results.isEmpty()) {
      System.err.println("bench: " + c.work().name()
          + " failed; JAVA_OPTS=-Djacquard.bench.verbose=true shows JMH's own output");
      return Optional.empty();
    }
    var r = results.iterator().next();
    List<Double> ours = forks(r, "ours"), peer = forks(r, "peer");
    // seconds
    double median = Contest.quantile(ours, 0.5), beside = Contest.quantile(peer, 0.5), most = Collections.max(ours);
    var work = c.work();
    return Optional.of(new Result(work, threads, work.figure(median), work.figure(beside),
        Contest.quantile(forks(r, "ratio"), 0.5), Collections.min(forks(r, "low")), Collections.max(forks(r, "high")),
        Contest.quantile(forks(r, "share"), 0.5), ours.size() == 1 ? Double.NaN : median / most,
        beside / peer.get(ours.indexOf(most))));
  }

  private static List<Double> forks(RunResult result, String counter) {
    return result.getBenchmarkResults().stream().map(b -> b.getSecondaryResults().get(counter).getScore()).toList();
  }
}
