package jacquard.tests.roofline;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.kernels.cuda.driver.Installed;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/// How fast each kernel is that the product launches: lines `kernel<TAB>value` for the last column of the table of
/// `cuda-src/README.md`. The value is the share of an H100's roofline in percent, or, where the roofline is below
/// [#TINY] or no share is expected, microseconds. What a kernel must compute and move is `rooflines.tsv`'s formula of
/// it.
///
/// Each launch is timed by itself ([Stopwatch]); of an op that launches a kernel several times the times are added; of
/// several runs the median counts, and of ranks, which wait for each other, the least. A row ends after [#RUNS] runs or
/// [#BUDGET]. On an emulation the rows are small, run once and tell nothing but that every kernel is reached.
public final class Rooflines {
  /// Runs of a row, at most, and nanoseconds after which none begins.
  private static final int RUNS = 9;
  static final long BUDGET = 500_000_000;
  /// Milliseconds that a kernel is repeated for, beside which an event's half microsecond is little; repetitions at
  /// most.
  private static final double LONG = 0.3;
  private static final int MOST = 100;
  /// Seconds at the roofline below which launching is most of a kernel's time.
  private static final double TINY = 2e-6;
  private static final int DRAWN = 1 << 20;

  /// Modules of kernels that no op launches, and why.
  static final Map<String, String> LEFT_OUT = Map.of("faults", "faults on purpose, for tests of the emulation",
      "tile_test", "self-tests of the PTX wrappers", "ladder_gemm", "rungs, which cuda-src/ladder/run times",
      "ladder_attention", "rungs, which cuda-src/ladder/run times", "ladder_sigmoid", "rungs, which cuda-src/ladder/run times");

  /// What was found of a kernel.
  ///
  /// @param names what the formulas' names stand for
  /// @param times how many problems of that size there were
  /// @param ms    what they took
  record Found(Roofline roofline, Map<String, Double> names, double times, double ms) {
    /// Seconds at the roofline.
    double least() { return times * roofline.least(names); }
    double bytes() { return times * Formula.value(roofline.bytes(), names); }
    String value() {
      return roofline.shared() && least() >= TINY ? String.format(Locale.ROOT, "%.0f", 100 * least() / (ms * 1e-3))
          : String.format(Locale.ROOT, "%.1f µs", ms * 1e3);
    }
  }

  private final List<CudaDevice> devices = new ArrayList<>();
  private final List<Stopwatch.Timed> watches = new ArrayList<>();
  private final List<Roofline> rooflines;
  private final boolean once;
  private final Function<Row, List<Tensor>> inputs;
  private final Map<String, Found> found = new TreeMap<>();

  /// @param watches those of the devices, in their order
  /// @param once    whether each row is run once, to see that it runs
  /// @param inputs  makes what a row is given
  Rooflines(List<CudaDevice> devices, List<Stopwatch.Timed> watches, List<Roofline> rooflines, boolean once,
      Function<Row, List<Tensor>> inputs) {
    this.devices.addAll(devices);
    this.watches.addAll(watches);
    this.rooflines = rooflines;
    this.once = once;
    this.inputs = inputs;
  }

  public static void main(String[] args) throws IOException {
    if (args.length != 2)
      throw new IllegalArgumentException("expected cuda-src/rooflines.tsv, and seconds after which no row begins");
    var here = Installed.here();
    if (here.missing() != null) throw new IllegalStateException(here.missing());
    boolean rehearsal = here.emulated();
    int count = Math.min(here.driver().devices(), rehearsal ? 4 : 8);
    var watch = new Stopwatch(here.driver());
    var devices = IntStream.range(0, count)
        .mapToObj(i -> new CudaDevice(new Installed(watch, null, here.emulated()), i)).toList();
    var all = new Rooflines(devices, IntStream.range(0, count).mapToObj(watch::context).toList(),
        Roofline.read(Path.of(args[0])), rehearsal, Rooflines::drawn);
    long before = System.nanoTime(), end = before + 1_000_000_000L * Integer.parseInt(args[1]);
    int left = 0, failed = 0;
    for (var row : Rows.of(rehearsal)) {
      if (System.nanoTime() > end) { left++; continue; }
      try {
        if (!row.ranks()) all.run(row, 1);
        else if (rehearsal) for (int ranks = 2; ranks <= count; ranks += 2) all.run(row, ranks);
        else if (count > 1) all.run(row, count);
      } catch (RuntimeException | OutOfMemoryError e) {                         // what other rows find is worth keeping
        failed++;
        System.err.println("a row about " + row.kernels() + " failed: " + e);
      }
    }
    System.err.printf(Locale.ROOT, "%d kernels reached on %s of %s in %.0f s%n", all.found.size(), count == 1 ? "one"
        : count, here.driver().name(0), (System.nanoTime() - before) * 1e-9);
    if (!rehearsal) {
      System.out.printf("# %s, %s, driver of CUDA %d.%d%n", here.driver().name(0), count == 1 ? "one"
          : count + " of them", here.driver().version() / 1000, here.driver().version() % 1000 / 10);
      all.found.forEach((k, f) -> System.out.println(k + "\t" + f.value()));
    }
    var empty = shipped();
    empty.removeAll(all.found.keySet());
    var collective = count > 1 ? List.<String>of() : empty.stream().filter(Rooflines::collective).toList();
    empty.removeAll(collective);
    if (!collective.isEmpty())
      System.err.println("empty, since they need two GPUs and there is one: " + String.join(", ", collective));
    if (!empty.isEmpty() || failed > 0)
      throw new IllegalStateException("%d rows failed, the time was up before %d; empty: %s".formatted(failed, left,
          empty.isEmpty() ? "none" : String.join(", ", empty)));
  }

  static boolean collective(String kernel) {
    return kernel.matches("all_gather_.*|all_reduce_.*|reduce_scatter_.*|batch_norm_shares");
  }

  /// The kernels that ops launch.
  static List<String> shipped() {
    var r = new ArrayList<String>();
    for (var line : Installed.kernels().split("\n"))
      if (!LEFT_OUT.containsKey(line.split(" ")[1])) r.add(line.split(" ")[0]);
    return r;
  }

  /// Kernel → what was found so far.
  Map<String, Found> found() { return found; }

  /// Runs a row on so many devices and keeps what is found of the kernels that it is about.
  void run(Row row, int ranks) {
    var runs = Group.run(List.<Device>copyOf(devices.subList(0, ranks)), group -> sampled(row, group)).getFirst();
    for (var kernel : runs.getFirst().keySet()) {
      var bound = row.of(kernel);
      if (bound == null) continue;
      double[] ms = runs.stream().mapToDouble(r -> r.get(kernel)).sorted().toArray();
      var names = new HashMap<>(bound.names());
      names.put("ranks", (double) ranks);
      if (names.containsKey("n")) names.put("share", names.get("n") / ranks);
      found.put(kernel, new Found(Roofline.of(rooflines, kernel), names, bound.times(),
          ms[row.ranks() ? 0 : ms.length / 2]));
    }
  }

  /// Of each run: kernel → milliseconds of its launches together.
  private List<Map<String, Double>> sampled(Row row, Group group) {
    var in = inputs.apply(row);
    if (once) return List.of(sample(row, group, in, k -> repeatable(row, k) ? 2 : 1));
    timed(row, group, in, _ -> 1);                                             // loads modules, makes room
    var first = sample(row, group, in, _ -> 1);
    ToIntFunction<String> times = k -> repeatable(row, k) ? (int) Math.clamp(LONG / first.get(k), 1, MOST) : 1;
    var runs = new ArrayList<Map<String, Double>>();
    long end = System.nanoTime() + BUDGET;
    do runs.add(sample(row, group, in, times));
    while (group.sum("whether to go on", group.rank() == 0 && runs.size() < RUNS && System.nanoTime() < end ? 1 : 0)[0]
        > 0)
      ;
    return runs;
  }

  /// Whether a kernel may be launched again on the same arguments: a collective's launch is one step of its flags, a
  /// scan's is made in place; those are of kernels without a share.
  private boolean repeatable(Row row, String kernel) {
    return !row.ranks() && row.of(kernel) != null && Roofline.of(rooflines, kernel).shared();
  }

  private Map<String, Double> sample(Row row, Group group, List<Tensor> in, ToIntFunction<String> times) {
    var r = new HashMap<String, Double>();
    for (var l : timed(row, group, in, times)) r.merge(l.kernel(), l.ms(), Double::sum);
    return r;
  }

  private List<Stopwatch.Launch> timed(Row row, Group group, List<Tensor> in, ToIntFunction<String> times) {
    var device = devices.get(group.rank());
    var watch = watches.get(group.rank());
    watch.start(times);
    try (var _ = Scope.open(device)) { row.body().run(group, in); }
    return device.guarded(watch::stop);
  }

  /// Uniform in −½ … ½, as many as a cache holds little of, over and over; row numbers scattered over the rows, none
  /// next to its neighbour's.
  static List<Tensor> drawn(Row row) {
    var random = Random.of(row.in().size());
    return row.in().stream().map(t -> {
      int n = Math.toIntExact(t.shape().size());
      Object array = t.dtype().array(n);
      for (int i = 0; i < Math.min(n, DRAWN); i++) {
        float x = (float) random.uniform(i) - 0.5f;
        switch (array) {
          case float[] a -> a[i] = x;
          case short[] a -> a[i] = DType.toBf16(x);
          case byte[] a -> a[i] = (byte) (255 * x);
          case long[] a -> a[i] = i;
          case int[] a -> {}
          default -> throw new IllegalArgumentException("no values of " + t);
        }
      }
      if (array instanceof int[] a) for (int i = 0; i < n; i++) a[i] = (int) (i * 7919L % row.limit());
      else for (int i = DRAWN; i < n; i += DRAWN) System.arraycopy(array, 0, array, i, Math.min(DRAWN, n - i));
      return Tensor.ofArray(t, array);
    }).toList();
  }
}
